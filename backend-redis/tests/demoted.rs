//! A primary that is made a replica while it is connected to: what its new primary is told does not reach it.

mod common;

use std::time::Duration;

use cache_core::{Cache, Strength, Target};
use common::plain::{get, put};
use common::{Server, free_port, until};

#[test]
fn a_demoted_primary_is_not_read_any_more() {
    let (at, port) = (free_port().to_string(), free_port().to_string());
    let soon = ["--repl-diskless-sync-delay", "0"];
    let old = Server::start(&[&["--port", &at][..], &soon].concat());
    let mut new = Server::start(&[&["--port", &port][..], &soon].concat());
    let one = old.redis();
    put(&one, "warm", "up").expect("stored");
    let ask = |server: &Server, words: &[&str]| -> String {
        redis::cmd(words[0]).arg(&words[1..]).query(&mut server.raw()).expect("done")
    };
    let follows = |server: &Server| {
        until("it follows", Duration::from_secs(10), || {
            ask(server, &["INFO", "replication"]).contains("master_link_status:up")
        });
    };
    ask(&new, &["REPLICAOF", "127.0.0.1", &at]);
    follows(&new);
    // A failover by hand.
    ask(&new, &["REPLICAOF", "NO", "ONE"]);
    ask(&old, &["REPLICAOF", "127.0.0.1", &port]);
    follows(&old);
    let two = new.redis();
    put(&two, "k", "old").expect("stored");
    let found = std::cell::Cell::new(false);
    until("replicated, or given up", Duration::from_secs(10), || {
        found.set(get(&one, "k").is_ok_and(|value| value.is_some()));
        found.get() || one.connection().connected_for.is_none()
    });
    println!("found before: {}", found.get());
    // The replica loses its primary, and still answers.
    redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("x").exec(&mut new.raw()).expect("set");
    redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica").exec(&mut authorised(&new)).expect("cut");
    two.invalidate(Target::Key("k"), Strength::Remove).wait().expect("removed");
    std::thread::sleep(Duration::from_secs(3));
    let read = get(&one, "k").ok().flatten();
    new.kill();
    assert_eq!(read, None, "three seconds after it was invalidated, {:?}", one.connection());
}

fn authorised(server: &Server) -> redis::Connection {
    let client = redis::Client::open(format!("{}?pass=x", server.url())).expect("an URL");
    client.get_connection().expect("a connection")
}
