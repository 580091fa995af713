//! How often something goes to Redis and comes back, counted by a proxy in between; and what becomes of operations
//! whose connection it cuts.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::{Cache, Kind, Lifetime, Set, Strength, Target, Value};
use common::{Server, until, wait};

/// Stands between, and counts how often the program writes after Redis has answered.
#[derive(Clone, Default)]
struct Proxy {
    trips: Arc<AtomicUsize>,
    /// Nothing passes back any more: half of a connection is gone.
    mute: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start(server: &Server) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("redis://{}/", listener.local_addr().expect("an address"));
        let (proxy, socket) = (Self::default(), server.url().trim_start_matches("unix://").to_owned());
        let its = proxy.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(redis) = UnixStream::connect(&socket) else { continue };
                its.open.lock().expect("locked").push(stream.try_clone().expect("a clone"));
                its.pass(stream, redis);
            }
        });
        (proxy, url)
    }

    fn pass(&self, program: TcpStream, redis: UnixStream) {
        let (mut from, mut to) = (program.try_clone().expect("a clone"), redis.try_clone().expect("a clone"));
        let trips = self.trips.clone();
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                // Several writes in a row are one trip; what is written here at once is read at once.
                trips.fetch_add(1, Ordering::SeqCst);
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
        let (mut from, mut to, mute) = (redis, program, self.mute.clone());
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                if !mute.load(Ordering::SeqCst) && to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }

    fn cut(&self) {
        for stream in self.open.lock().expect("locked").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many trips `what` takes: the least of some, for the connection is tried once a second, too.
    fn trips(&self, mut what: impl FnMut()) -> usize {
        let once = |what: &mut dyn FnMut()| {
            let before = self.trips.load(Ordering::SeqCst);
            what();
            self.trips.load(Ordering::SeqCst) - before
        };
        (0..5).map(|_| once(&mut what)).min().expect("five")
    }
}

const MINUTE: Lifetime = Lifetime { fresh: Duration::from_secs(60), total: Duration::from_secs(60) };

fn text() -> Value {
    Value::new(Arc::new("value".to_owned()))
}

fn there(redis: &Redis, key: &str) -> bool {
    redis.get(key, Kind::of::<String>()).wait().expect("read").is_some()
}

#[test]
fn a_hit_is_one_round_trip() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect();
    let redis = wait(redis).expect("a handle");
    let tags: Vec<Box<str>> = vec!["a".into(), "b".into()];
    redis.set("plain", text(), Set::new(MINUTE)).wait().expect("stored");
    redis.set("tagged", text(), Set { tags: &tags, ..Set::new(MINUTE) }).wait().expect("stored");
    // A script that Redis does not know yet is sent in two more.
    redis.incr("n", 1, MINUTE).wait().expect("added");

    assert_eq!(proxy.trips(|| assert!(there(&redis, "plain"))), 1, "a hit without tags");
    assert_eq!(proxy.trips(|| assert!(there(&redis, "tagged"))), 1, "a hit with tags seen before");
    assert_eq!(proxy.trips(|| assert!(!there(&redis, "nothing"))), 1, "a miss");
    let set = || {
        redis.set("plain", text(), Set::new(MINUTE)).wait().expect("stored");
    };
    assert_eq!(proxy.trips(set), 1, "a set without tags");
    let strike = || redis.invalidate(Target::Key("plain"), Strength::Remove).wait().expect("removed");
    assert_eq!(proxy.trips(strike), 1, "an invalidated key");
    let add = || {
        redis.incr("n", 1, MINUTE).wait().expect("added");
    };
    assert_eq!(proxy.trips(add), 1, "an addition");

    let stranger = wait(Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect());
    let stranger = stranger.expect("a handle");
    assert!(!there(&stranger, "nothing"), "so that it knows the epoch");
    let before = proxy.trips.load(Ordering::SeqCst);
    assert!(there(&stranger, "tagged"));
    assert!(proxy.trips.load(Ordering::SeqCst) - before >= 2, "its tags were not seen here before");
}

#[test]
fn what_is_in_flight_when_the_connection_is_cut_is_answered() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = wait(Redis::connect(&url)).expect("a handle");
    redis.set("k", text(), Set::new(MINUTE)).wait().expect("stored");
    for cut in [true, false] {
        proxy.mute.store(true, Ordering::SeqCst);
        let replies: Vec<_> = (0..100).map(|_| redis.incr("n", 1, MINUTE)).collect();
        let began = Instant::now();
        if cut {
            proxy.cut();
        }
        for reply in replies {
            reply.wait().expect_err("nothing came back");
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        proxy.mute.store(false, Ordering::SeqCst);
        let up =
            || redis.connection().connected_for.is_some() && redis.incr("other", 1, MINUTE).wait().is_ok();
        until("in use", Duration::from_secs(10), up);
    }
    // Nobody knows whether those were done; that none was done twice, everybody does.
    let count = redis.incr("n", 0, MINUTE).wait().expect("added");
    assert!(count <= 200, "{count} of 200 additions");
}
