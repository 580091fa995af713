//! What befalls the model.

use std::time::Duration;

use larder_simulation::server::{Keep, Server, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::twins::{bytes, connect, exchange_with_model, simulated, words};

const SOON: Duration = Duration::from_secs(1);

fn get(server: &Server, name: &str) -> Value {
    server.run(&[b"GET", name.as_bytes()])
}

fn run_id(server: &Server) -> String {
    let info = server.run(&[b"INFO"]);
    let info = String::from_utf8_lossy(info.bytes().expect("a text")).into_owned();
    let line = info.lines().find(|line| line.starts_with("run_id:"));
    line.expect("a run id").to_owned()
}

#[test]
fn it_is_killed_and_started_again() {
    simulated(async {
        let server = Server::new(1);
        let mut stream = connect(&server);
        exchange_with_model(&mut stream, &bytes(&words("SET a 1")), b"+OK\r\n").await;
        let (before, client) = (run_id(&server), server.clients());
        let saved = server.snapshot();
        server.run(&[b"SET", b"a", b"2"]);
        let sha = server.run(&[b"SCRIPT", b"LOAD", b"return 1"]);
        let sha = sha.bytes().expect("a hash");

        server.kill();
        assert_eq!(timeout(SOON, stream.read(&mut [0; 9])).await.expect("closed").ok(), Some(0));
        let mut refused = connect(&server);
        assert_eq!(timeout(SOON, refused.read(&mut [0; 9])).await.expect("closed").ok(), Some(0));

        server.restart(Keep::All);
        assert_eq!(get(&server, "a"), Value::Bulk("2".into()));
        assert_ne!(run_id(&server), before);
        assert!(matches!(server.run(&[b"EVALSHA", sha, b"0"]), Value::Error(_)), "scripts are forgotten");
        let mut again = connect(&server);
        exchange_with_model(&mut again, &bytes(&words("PING")), b"+PONG\r\n").await;
        assert_eq!(server.clients(), client, "numbers come again");

        server.restart(Keep::Snapshot(saved));
        assert_eq!(get(&server, "a"), Value::Bulk("1".into()));
        server.restart(Keep::Nothing);
        assert_eq!(get(&server, "a"), Value::Null);
    });
}

#[test]
fn it_is_stopped_and_goes_on() {
    simulated(async {
        let server = Server::new(1);
        let (mut stays, mut goes) = (connect(&server), connect(&server));
        for stream in [&mut stays, &mut goes] {
            exchange_with_model(stream, &bytes(&words("PING")), b"+PONG\r\n").await;
        }
        server.pause();
        stays.write_all(&bytes(&words("APPEND a 1"))).await.expect("taken in");
        goes.write_all(&bytes(&words("APPEND a 2"))).await.expect("taken in");
        drop(goes);
        timeout(SOON, stays.read(&mut [0; 9])).await.expect_err("nothing is answered");
        assert_eq!(get(&server, "a"), Value::Null);
        server.resume();
        exchange_with_model(&mut stays, b"", b"\r\n").await;
        sleep(SOON).await;
        let Value::Bulk(both) = get(&server, "a") else { panic!("nothing is there") };
        assert!(both == b"12" || both == b"21", "what was sent before it went is done");
        assert_eq!(server.clients().len(), 1);
    });
}

#[test]
fn clients_are_cut_off() {
    simulated(async {
        let server = Server::new(7);
        let (mut one, mut other, mut third) = (connect(&server), connect(&server), connect(&server));
        for stream in [&mut one, &mut other, &mut third] {
            exchange_with_model(stream, &bytes(&words("PING")), b"+PONG\r\n").await;
        }
        let [first, second, _] = server.clients()[..] else { panic!("three clients") };
        server.disconnect(first);
        assert_eq!(timeout(SOON, one.read(&mut [0; 9])).await.expect("closed").ok(), Some(0));
        // What it had sent, and nobody has read, is not done any more.
        other.write_all(&bytes(&words("SET late 1"))).await.expect("taken in");
        assert_eq!(server.run(&[b"CLIENT", b"KILL", b"ID", second.to_string().as_bytes()]), Value::Int(1));
        assert_eq!(timeout(SOON, other.read(&mut [0; 9])).await.expect("closed").ok(), Some(0));
        assert_eq!(get(&server, "late"), Value::Null);
        exchange_with_model(&mut third, &bytes(&words("QUIT")), b"+OK\r\n").await;
        assert_eq!(timeout(SOON, third.read(&mut [0; 9])).await.expect("closed").ok(), Some(0));
        assert!(server.clients().is_empty());
    });
}

/// Every name that is there all the while is met, whatever comes and goes.
#[test]
fn scans_miss_nothing_that_stays() {
    simulated(async {
        for seed in 0..20 {
            let server = Server::new(seed);
            for number in 0..200 {
                server.run(&[b"SET", format!("stays:{number}").as_bytes(), b"x"]);
            }
            let (mut cursor, mut met, mut round) = (b"0".to_vec(), Vec::new(), 0);
            loop {
                let page = server.run(&[b"SCAN", &cursor, b"MATCH", b"stays:*", b"COUNT", b"7"]);
                let Value::Array(page) = page else { panic!("no page") };
                let [Value::Bulk(next), Value::Array(names)] = &page[..] else { panic!("no page") };
                met.extend(names.iter().filter_map(|name| name.bytes().map(<[u8]>::to_vec)));
                round += 1;
                server.run(&[b"SET", format!("comes:{round}").as_bytes(), b"x"]);
                server.run(&[b"DEL", format!("comes:{}", round / 2).as_bytes()]);
                cursor = next.clone();
                if cursor == b"0" {
                    break;
                }
            }
            met.sort();
            met.dedup();
            assert_eq!(met.len(), 200);
            assert!(round > 20);
        }
    });
}
