//! Commands at random, and those that are odd.

use std::time::Duration;

use fastrand::Rng;

use crate::real::Real;
use crate::twins::{Step, Words, agree, agree_in_the_end, on_model, send, words};

/// Commands with places for a name (`N`), a number (`#`), a short text (`T`), and a source (`S`).
const COMMANDS: &[&str] = &[
    "GET N",
    "MGET N N N",
    "SET N T",
    "SET N #",
    "SET N T PX 900000",
    "SET N T EX 900 NX",
    "SET N T XX GET",
    "SET N T NX GET",
    "SET N T KEEPTTL",
    "SET N T PX #",
    "SET N T PX # NX XX",
    "GETRANGE N # #",
    "SETRANGE N # T",
    "APPEND N T",
    "STRLEN N",
    "INCR N",
    "DECR N",
    "INCRBY N #",
    "INCRBY N 9223372036854775807",
    "DECRBY N #",
    "DEL N",
    "DEL N N",
    "UNLINK N N N",
    "EXISTS N N",
    "TYPE N",
    "TTL N",
    "PEXPIRE N 900000",
    "PEXPIRE N 0",
    "PEXPIRE N -1",
    "EXPIRE N 900",
    "PERSIST N",
    "DBSIZE",
    "ZADD N # T",
    "ZADD N 1.5 T 0.1 T",
    "ZADD N # T T",
    "ZREM N T T",
    "ZSCORE N T",
    "ZCARD N",
    "ZRANGE N # #",
    "ZRANGE N 0 -1 WITHSCORES",
    "ZREMRANGEBYRANK N # #",
    "ZREMRANGEBYRANK N 0 0",
    "PUBLISH channel T",
    "FLUSHALL",
    "FLUSHDB ASYNC",
    "PING",
    "PING T",
    "SELECT 0",
    "NOSUCH N T",
    "GET",
    "CLIENT SETINFO LIB-NAME x",
    "CLIENT TRACKING ON BCAST PREFIX N",
    "CLIENT GETNAME",
    "SCRIPT EXISTS T",
];

/// What scripts do with a name and a text.
const SOURCES: &[&str] = &[
    "return redis.call('SET', KEYS[1], ARGV[1])",
    "return redis.call('GET', KEYS[1])",
    "return redis.pcall('INCRBY', KEYS[1], 2)",
    "return redis.call('INCRBY', KEYS[1], 2)",
    "redis.call('UNLINK', KEYS[1]) redis.call('SET', KEYS[1], 'new', 'PX', 900000) return redis.call('TTL', KEYS[1])",
    "return {redis.pcall('ZADD', KEYS[1], 7, ARGV[1]), redis.pcall('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}",
    "redis.call('PUBLISH', 'channel', ARGV[1]) return redis.call('EXISTS', KEYS[1])",
    "return {type(redis.pcall('GETRANGE', KEYS[1], 0, 1)), redis.call('TYPE', KEYS[1])}",
];

fn command(rng: &mut Rng) -> Words {
    let name = |rng: &mut Rng| ["ka", "kb", "kb2", "ma", "z", ""][rng.usize(..6)];
    let text = |rng: &mut Rng| ["", "v", "a longer\r\ntext", "17", "-3"][rng.usize(..5)];
    if rng.u8(..6) == 0 {
        let source = SOURCES[rng.usize(..SOURCES.len())];
        return ["EVAL", source, "1", name(rng), text(rng)].map(|word| word.as_bytes().to_vec()).to_vec();
    }
    let word = |rng: &mut Rng, word: &str| match word {
        "N" => name(rng).as_bytes().to_vec(),
        "T" => text(rng).as_bytes().to_vec(),
        "#" => rng.i32(-5..12).to_string().into_bytes(),
        word => word.as_bytes().to_vec(),
    };
    COMMANDS[rng.usize(..COMMANDS.len())].split(' ').map(|it| word(rng, it)).collect()
}

/// Four clients: two that track, one of the older protocol, one that tracks everything and listens to a channel.
fn sequence(seed: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let mut steps = vec![
        Step::Send(0, vec![words("CLIENT TRACKING ON BCAST NOLOOP PREFIX k PREFIX m")]),
        Step::Send(3, vec![words("CLIENT TRACKING ON BCAST"), words("SUBSCRIBE channel")]),
        Step::Send(1, vec![words("CLIENT TRACKING ON BCAST PREFIX kb")]),
    ];
    for _ in 0..60 {
        let many = rng.usize(1..4);
        // What expires at once, expires at different times in different worlds.
        let commands = (0..many).map(|_| command(&mut rng)).filter(|it| !is_short_lived(it)).collect();
        steps.push(Step::Send(rng.usize(..4), commands));
    }
    steps
}

fn is_short_lived(command: &Words) -> bool {
    let soon = |word: &Vec<u8>| {
        str::from_utf8(word).ok().and_then(|it| it.parse().ok()).is_some_and(|it: i64| (1..100).contains(&it))
    };
    command.first().is_some_and(|word| word == b"SET") && command.get(4).is_some_and(soon)
}

#[test]
fn commands_at_random() {
    let real = Real::start();
    for seed in 0..60 {
        let mut steps = sequence(seed);
        // Whoever has subscribed in the older version can do nothing else.
        steps.insert(0, send(3, "HELLO 3"));
        if seed % 3 > 0 {
            steps.splice(0..0, [0, 1].map(|client| send(client, "HELLO 3")));
        }
        agree(&real, seed, 4, &steps);
    }
}

#[test]
fn the_same_seed_is_the_same_transcript() {
    let play = |seed| {
        let mut steps = sequence(seed);
        steps.splice(0..0, [0, 3].map(|client| send(client, "HELLO 3")));
        steps.push(send(1, "INFO"));
        steps.push(send(1, "TIME"));
        steps.push(send(1, "SET kb soon PX 30"));
        steps.extend((0..20).map(|_| Step::Wait(Duration::from_millis(10))));
        steps.push(send(1, "SCAN 0 COUNT 2"));
        on_model(seed, 4, &steps)
    };
    for seed in 0..5 {
        assert_eq!(play(seed), play(seed));
    }
    assert_ne!(play(1), play(2));
}

/// What is wrong, and how that is said; what is at the edge of what is right.
#[test]
fn odd_commands() {
    let odd = [
        "HELLO 9",
        "HELLO x",
        "HELLO 3 AUTH u p",
        "HELLO 3 FOO",
        "HELLO 3 SETNAME",
        "HELLO 3 AUTH default x SETNAME y",
        "CLIENT GETNAME",
        "AUTH x",
        "AUTH default x",
        "AUTH u x",
        "CLIENT",
        "CLIENT FOO",
        "CLIENT ID 3",
        "CLIENT TRACKING",
        "CLIENT TRACKING ON PREFIX z",
        "CLIENT TRACKING MAYBE",
        "CLIENT TRACKING ON FOO",
        "CLIENT TRACKING ON BCAST NOLOOP PREFIX k PREFIX kx",
        "CLIENT TRACKING ON BCAST NOLOOP PREFIX k",
        "CLIENT TRACKING ON BCAST NOLOOP PREFIX k",
        "CLIENT TRACKING ON BCAST PREFIX kk",
        "CLIENT TRACKING ON",
        "CLIENT TRACKING ON BCAST PREFIX z",
        "SET k1 v",
        "SET z v",
        "SET other v",
        "CLIENT TRACKING OFF",
        "SET k1 v",
        "CLIENT TRACKING ON BCAST",
        "SET k1 v",
        "FLUSHALL",
        "FLUSHALL X",
        "FLUSHALL SYNC SYNC",
        "FLUSHDB",
        "SET k v PX 0",
        "SET k v PX x",
        "SET k v PX",
        "SET k v EX 9223372036854775807",
        "SET k v NX XX",
        "SET k v EX 1 PX 1",
        "SET k v KEEPTTL EX 5",
        "SET k v EX 5 KEEPTTL",
        "SET k v GET",
        "SET k 12",
        "SET k v FOO",
        "SET k v PX x FOO",
        "SET k v PX 1 GET NX FOO",
        "SET k v PXAT 99999999999999",
        "TTL nosuch",
        "PTTL nosuch",
        "PERSIST k",
        "PERSIST k",
        "PTTL k",
        "PEXPIRE k x",
        "PEXPIRE k 9223372036854775807",
        "EXPIRE k 9223372036854775",
        "PEXPIRE nosuch 5",
        "SETRANGE k -1 x",
        "SETRANGE k 536870912 x",
        "SETRANGE k x y",
        "SETRANGE fresh 3 xy",
        "GET fresh",
        "GETRANGE k x 1",
        "GETRANGE k 0 -1",
        "GETRANGE k -100 100",
        "GETRANGE k 5 1",
        "GETRANGE nosuch 0 1",
        "INCRBY k x",
        "INCRBY fresh 1",
        "SET big 9223372036854775807",
        "INCR big",
        "DECRBY big -9223372036854775808",
        "SET odd 007",
        "INCR odd",
        "SET odd +7",
        "INCR odd",
        "SET odd -0",
        "INCR odd",
        "DECRBY nosuch -1",
        "ZADD zs x m",
        "ZADD zs 1",
        "ZADD zs 1 a 2",
        "ZADD zs nan a",
        "ZADD zs inf a -inf b 1e300 c 0.1 d 3 e",
        "TYPE zs",
        "ZRANGE zs 0 -1 WITHSCORES",
        "ZRANGE zs 0 -1 FOO",
        "ZRANGE zs x 1",
        "ZRANGE zs -2 -1",
        "ZSCORE zs c",
        "GET zs",
        "ZSCORE zs nosuch",
        "ZSCORE k x",
        "ZADD k 1 x",
        "ZCARD k",
        "SET zs v GET",
        "MGET zs k nosuch",
        "APPEND zs x",
        "ZREMRANGEBYRANK zs 0 1",
        "ZREMRANGEBYRANK zs 5 1",
        "ZREM zs a nosuch",
        "ZREMRANGEBYRANK zs 0 -1",
        "EXISTS zs",
        "SCAN x",
        "SCAN 0 COUNT 0",
        "SCAN 0 COUNT x",
        "SCAN 0 FOO",
        "SCAN 0 MATCH",
        "SCAN 0 MATCH nosuch COUNT 1000",
        "KEYS nosuch*",
        "PING a b",
        "ECHO x",
        "SELECT 99",
        "SELECT x",
        "CLIENT KILL ID 99999",
        "CLIENT KILL ID x",
        "CLIENT KILL FOO x",
        "CLIENT KILL 1.2.3.4:5",
        "CLIENT NO-EVICT on",
        "CLIENT NO-EVICT x",
        "CLIENT SETNAME new",
        "CLIENT GETNAME",
        "NOSUCH a b c",
        "NOSUCH",
        "get",
        "GET a b",
        "UNSUBSCRIBE",
        "UNSUBSCRIBE ch",
        "PUBLISH ch x",
        "EVALSHA x 0",
        "EVALSHA x -1",
        "EVALSHA x 1",
        "EVALSHA x y",
        "SCRIPT FOO",
        "SCRIPT EXISTS a b",
        "SCRIPT LOAD",
        "EVAL",
        "SCRIPT FLUSH",
        "TIME x",
    ];
    let real = Real::start();
    for resp in ["HELLO 2", "HELLO 3"] {
        let mut steps = vec![send(0, resp)];
        steps.extend(odd.map(|command| send(0, command)));
        if resp == "HELLO 3" {
            steps.extend(
                ["SUBSCRIBE ch cg ch", "PUBLISH ch x", "UNSUBSCRIBE cg", "PUBLISH cg x"]
                    .map(|it| send(0, it)),
            );
        } else {
            let deaf = [
                "HELLO 2",
                "SUBSCRIBE ch",
                "GET k",
                "PING",
                "PING x",
                "PUBLISH ch x",
                "SUBSCRIBE ch cg",
                "UNSUBSCRIBE ch cg",
                "GET k",
            ];
            steps.push(Step::Send(0, deaf.map(words).to_vec()));
        }
        agree(&real, 1, 2, &steps);
    }
}

/// What expires is told by whoever meets it first, or soon after.
#[test]
fn what_expires() {
    let wait = |millis| Step::Wait(Duration::from_millis(millis));
    let mut steps = vec![send(0, "HELLO 3"), send(0, "CLIENT TRACKING ON BCAST NOLOOP PREFIX k")];
    for soon in ["SET k1 v PX 1", "PEXPIRE k2 1", "SET other v PX 1"] {
        steps.extend([
            send(0, "SET k2 v"),
            send(0, soon),
            wait(400),
            send(1, "MGET k1 k2"),
            send(0, "DBSIZE"),
        ]);
    }
    for meets in
        ["GET k3", "EXISTS k3", "TYPE k3", "PTTL k3", "DEL k3", "ZCARD k3", "PERSIST k3", "GETRANGE k3 0 1"]
    {
        steps.extend([send(1, "SET k3 1 PX 1"), wait(4), send(1, meets), wait(300), send(0, "DEL k3")]);
    }
    agree_in_the_end(&Real::start(), 2, &steps);
}

/// Full, or a replica: what is refused, also in scripts, and in those that have written before.
#[test]
fn what_may_not_be_written() {
    let source = "redis.call('UNLINK', 'k1') redis.call('SET', 'k2', 'x') return redis.call('GET', 'k2')";
    let script = |source: &str| {
        let words = ["EVAL", source, "0"].map(|word| word.as_bytes().to_vec());
        Step::Send(0, vec![words.to_vec()])
    };
    let mut steps = vec![send(0, "CLIENT TRACKING ON BCAST"), send(0, "HELLO 3"), send(0, "ZADD z 1 a 2 b")];
    for (bad, good) in
        [("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"), ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE")]
    {
        for state in [bad, good] {
            steps.push(send(1, state));
            let commands = [
                "SET k1 x",
                "GET k1",
                "SETRANGE k1 0 x",
                "APPEND k1 x",
                "INCR n",
                "DECR n",
                "INCRBY n 1",
                "DECRBY n 1",
                "ZADD z 3 c",
                "ZREM z a",
                "PEXPIRE k1 100000",
                "PERSIST k1",
                "ZREMRANGEBYRANK z 0 0",
                "UNLINK k1",
                "DEL k1",
                "PUBLISH c x",
                "MGET k1 k2",
                "FLUSHDB",
            ];
            steps.extend(commands.map(|it| send(0, it)));
            steps.extend([script(source), script("return redis.call('SET', 'k1', 'x')"), script("return 1")]);
            steps.push(script("return {redis.pcall('SET', 'k1', 'x'), redis.pcall('EXISTS', 'k1')}"));
            steps.push(script("return {redis.pcall('SET', 'k1', 'x'), redis.pcall('UNLINK', 'k1')}"));
        }
    }
    agree(&Real::start(), 1, 2, &steps);
}
