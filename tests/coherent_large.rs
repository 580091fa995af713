//! `check_coherent` over a program with many parts: the number of interleavings grows with the pairs to look at.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::testing::check_coherent;
use larder::{Larder, Memory, key};

const MINUTE: Duration = Duration::from_secs(60);
const PARTS: usize = 20;
const FORGETFUL: usize = 3;

struct World {
    cache: Larder,
    rows: Mutex<Vec<[u32; 2]>>,
}

impl World {
    fn row(&self, part: usize, i: u64) -> u32 {
        self.rows.lock().expect("unpoisoned")[part][i as usize]
    }
}

#[test]
fn one_of_twenty_writers_that_forgets_is_found() {
    let world = || World {
        cache: Larder::builder().memory(Memory::builder().capacity(300).build()).build(),
        rows: Mutex::new(vec![[0; 2]; PARTS]),
    };
    let mut program = check_coherent(world);
    for part in 0..PARTS {
        let read = move |world: Arc<World>, i| async move {
            world.cache.get_or_load(key!("k:{}:{}", part, i), MINUTE, || async { world.row(part, i) }).await
        };
        let write = move |world: Arc<World>, i: u64| async move {
            world.rows.lock().expect("unpoisoned")[part][i as usize] += 1;
            if part != FORGETFUL {
                world.cache.invalidate(key!("k:{}:{}", part, i)).await.expect("ok");
            }
        };
        let truth = move |world: Arc<World>, i| async move { world.row(part, i) };
        program = program.reader(&format!("r{part}"), read, truth).writer(&format!("w{part}"), write);
    }
    let found = program.try_run().expect_err("one forgets");
    assert_eq!((found.reader(), found.writer()), ("r3", Some("w3")), "{found}");
}
