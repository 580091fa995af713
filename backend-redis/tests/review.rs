//! What a reviewer broke, and tried to break: see each test.

mod common;

use std::time::{Duration, Instant};

use cache_core::{Cache, Engine, Policy, Strength, Target, ttl};
use common::plain::{MINUTE, SOON, get, is_up, names, put_tagged, run};
use common::{Server, handle_at, until};

/// Wrong bytes where a mark stands: to strike its tag must not lock this process out of Redis for ever.
fn overwritten(pattern: &str) {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    put_tagged(&redis, "k", "v", &["t"], None).expect("stored");
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    put_tagged(&redis, "k", "v", &["t"], None).expect("stored");
    for name in names(&mut client, pattern) {
        run(&mut client, &["SET", &name, "theirs"]);
    }
    let struck = redis.invalidate(Target::Tag("t"), Strength::Remove).wait();
    std::thread::sleep(Duration::from_secs(4));
    let state = format!("{struck:?} {:?} {:?}", redis.connection(), redis.troubles().wait());
    put_tagged(&redis, "other", "v", &[], None)
        .unwrap_or_else(|error| panic!("locked out: {error}\n{state}"));
    assert_eq!(get(&redis, "k").expect("read"), None);
}

#[test]
fn an_overwritten_mark_does_not_lock_the_process_out() {
    overwritten("*:t:t");
}

#[test]
fn an_overwritten_list_of_strikes_does_not_lock_the_process_out() {
    overwritten("*:order}:recent");
}

/// A load that is given up while it asks for its fence.
#[test]
fn a_fence_that_nobody_waits_for_is_given_back() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    get(&redis, "k").expect("read");
    for number in 0..10 {
        drop(redis.fence(&format!("k:{number}")));
    }
    std::thread::sleep(Duration::from_secs(1));
    let left = names(&mut client, "*:k:k:*");
    assert!(left.is_empty(), "held for ten minutes, and each remembered for ever: {} places", left.len());
}

/// A server that takes over, while the old one and who talks to it do not know yet.
#[test]
fn what_an_old_primary_was_told_holds_on_the_new_one() {
    let (old, new) = (Server::start(&["--port", "0"]), Server::start(&[]));
    let (switch, url) = switch::Switch::start(&old);
    let one = handle_at(&url);
    put_tagged(&one, "warm", "v", &[], None).expect("stored");
    // The new primary is made, and somebody fills it from the source as it is.
    let two = new.redis();
    put_tagged(&two, "k", "old", &[], None).expect("stored");
    // The source changes; this process tells the primary that it knows, which says that it has it.
    one.invalidate(Target::Key("k"), Strength::Remove).wait().expect("removed");
    // Then it is led to the new one.
    switch.to(&new);
    until("it has noticed", SOON, || one.connection().reconnects > 0 && is_up(&one));
    assert_eq!(get(&one, "k").expect("read"), None, "this process has invalidated it, and reads it");
}

mod switch {
    use std::io::copy;
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::sync::{Arc, Mutex};

    use crate::common::Server;

    /// Leads to one server, and then to another, as a name or a proxy does.
    #[derive(Clone)]
    pub(crate) struct Switch {
        to: Arc<Mutex<String>>,
        open: Arc<Mutex<Vec<TcpStream>>>,
    }

    fn path(server: &Server) -> String {
        server.url().trim_start_matches("unix://").to_owned()
    }

    impl Switch {
        pub(crate) fn start(server: &Server) -> (Self, String) {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let url = format!("redis://{}/", listener.local_addr().expect("an address"));
            let switch = Self { to: Arc::new(Mutex::new(path(server))), open: Arc::default() };
            let its = switch.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let to = its.to.lock().expect("locked").clone();
                    let Ok(redis) = UnixStream::connect(&to) else { continue };
                    its.open.lock().expect("locked").push(stream.try_clone().expect("a clone"));
                    let (mut a, mut b) =
                        (stream.try_clone().expect("a clone"), redis.try_clone().expect("a clone"));
                    std::thread::spawn(move || {
                        let _ = copy(&mut a, &mut b);
                        let _ = b.shutdown(Shutdown::Both);
                    });
                    let (mut a, mut b) = (redis, stream);
                    std::thread::spawn(move || {
                        let _ = copy(&mut a, &mut b);
                        let _ = b.shutdown(Shutdown::Both);
                    });
                }
            });
            (switch, url)
        }

        pub(crate) fn to(&self, server: &Server) {
            *self.to.lock().expect("locked") = path(server);
            for stream in self.open.lock().expect("locked").drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

/// Whatever bytes stand in a slot: every operation ends, and a set, a delete and an invalidation still work.
#[test]
fn any_bytes_in_a_slot_do_no_harm() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    let policy = || Policy::ttl(ttl::SHORT).swr(ttl::SHORT).in_caller();
    put_tagged(&redis, "k", "v", &["t"], None).expect("stored");
    let name = names(&mut client, "*:k:k").remove(0);
    let good: Vec<u8> = redis::cmd("GET").arg(&name).query(&mut client).expect("bytes");
    let engine = Engine::new(redis.clone());
    for round in 0..400 {
        let mut bytes = good.clone();
        match round % 4 {
            0 => bytes.truncate(fastrand::usize(..bytes.len())),
            1 => {
                let at = fastrand::usize(4..76);
                bytes[at] = [0, 0x7f, 0x80, 0xff][fastrand::usize(..4)];
            }
            2 => (0..8).for_each(|_| {
                let at = fastrand::usize(3..bytes.len());
                bytes[at] = fastrand::u8(..);
            }),
            _ => (4..76).for_each(|at| bytes[at] = 0xff),
        }
        if round % 7 == 0 && bytes.len() > 3 {
            bytes[3] = b"EHNC"[fastrand::usize(..4)];
        }
        let write = |client: &mut redis::Connection| {
            redis::cmd("SET").arg(&name).arg(&bytes).arg("PX").arg(60_000).exec(client).expect("written");
        };
        let limit = Instant::now();
        write(&mut client);
        let _ = get(&redis, "k");
        let _ = redis.ttl("k").wait();
        let _ = redis.expire("k", Duration::from_secs(9)).wait();
        write(&mut client);
        let _ = redis.incr("k", 1, MINUTE).wait();
        write(&mut client);
        let value = engine.get_or_compute("k", policy(), || "loaded".to_owned());
        assert!(*value == "loaded" || *value == "v", "{value} of {bytes:02x?}");
        write(&mut client);
        redis
            .invalidate(Target::Key("k"), Strength::MarkStale)
            .wait()
            .unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        redis
            .invalidate(Target::Pattern("k*"), Strength::MarkStale)
            .wait()
            .unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        redis
            .invalidate(Target::Tag("t"), Strength::MarkStale)
            .wait()
            .unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        let _ = get(&redis, "k");
        write(&mut client);
        redis.delete("k").wait().unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        write(&mut client);
        redis
            .invalidate(Target::Key("k"), Strength::Remove)
            .wait()
            .unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
        // A lease beyond what is counted is an error, and mends itself.
        if put_tagged(&redis, "k", "new", &["t"], None).is_err() {
            until("mended", SOON, || put_tagged(&redis, "k", "new", &["t"], None).is_ok());
        }
        assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("new"), "{bytes:02x?}");
        assert!(limit.elapsed() < SOON);
    }
}
