//! Lua as Redis runs it: conversions, errors, `struct`; and larder's own scripts.

use std::time::Duration;

use fastrand::Rng;

use crate::real::Real;
use crate::twins::{Step, agree, send};

fn eval(client: usize, source: &str, keys: &[&str], args: &[&[u8]]) -> Step {
    let many = keys.len().to_string();
    let mut words = vec![b"EVAL".to_vec(), source.as_bytes().to_vec(), many.into_bytes()];
    words.extend(keys.iter().map(|key| key.as_bytes().to_vec()));
    words.extend(args.iter().map(|arg| arg.to_vec()));
    Step::Send(client, vec![words])
}

fn both_protocols(sources: &[&str]) {
    let real = Real::start();
    for resp in ["HELLO 2", "HELLO 3"] {
        let mut steps = vec![send(0, resp), send(0, "SET k text"), send(0, "ZADD z 1.5 a 2 b")];
        steps.extend(sources.iter().map(|source| eval(0, source, &["k", "z"], &[b"arg", b"\xff\0"])));
        agree(&real, 1, 1, &steps);
    }
}

#[test]
fn conversions() {
    both_protocols(&[
        "return {1, 2.9, -2.9, 'x', false, true, {ok='fine'}, {err='MY bad'}, {1, {2}}, nil, 3}",
        "return 3.99999",
        "return -0.5",
        "return 1e15 + 0.5",
        "return 2^53",
        "return -(2^63)",
        "return nil",
        "return",
        "return true",
        "return false",
        "return {}",
        "return {double=3.5}",
        "return {double=4}",
        "return {err='x'}",
        "return {ok='x', err='y'}",
        "return {a=1}",
        "return function() end",
        "return KEYS",
        "return ARGV[2]",
        "return #ARGV[2]",
        "return {type(redis.call('GET', 'nosuch')), type(redis.call('TTL', 'nosuch'))}",
        "return redis.call('SET', 'k', 'text')",
        "return redis.call('SET', 'k', 'text').ok",
        "return tostring(1/0)",
        "return redis.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')",
        "return redis.call('ZSCORE', 'z', 'a')",
        "return {redis.call('MGET', 'k', 'nosuch', 'z')}",
        "return redis.call('GETRANGE', 'k', 1.0, 2)",
        "redis.call('SET', 'n', 0.1) return redis.call('GET', 'n')",
        "return redis.call('GETRANGE', 'k', 0.5, 2)",
        "redis.call('SET', 'n', 2^53) return redis.call('GET', 'n')",
        "return redis.call('INCRBY', 'i', 3)",
        "redis.call('SET', 'n', 1e300) return redis.call('GET', 'n')",
        "return {1/0, -1/0, 2^70}",
        "redis.call('SET', 'n', 1/0) return redis.call('GET', 'n')",
        "return redis.sha1hex('own')",
        "redis.call('SET', 'n', -0) return redis.call('GET', 'n')",
        "return redis.status_reply('own')",
        "return redis.error_reply('own')",
        "return redis.error_reply('MY own')",
        "return redis.error_reply('-MY own')",
        "return string.format('%.0f', 2^53 + 2)",
        "return tonumber('12') + 1",
        "return #KEYS",
        "local t = {} for word in string.gmatch('a b c', '%a') do t[#t + 1] = word end return t",
    ]);
}

#[test]
fn errors() {
    both_protocols(&[
        "return redis.call('INCR', 'k')",
        "return redis.pcall('INCR', 'k')",
        "return redis.call('ZADD', 'k', 1, 2)",
        "local x = 1\nerror('boo')",
        "error({err='MY own'})",
        "local x\nreturn x.y",
        "return x",
        "x = 1",
        "return (",
        "return redis.call('nosuch')",
        "return redis.pcall('nosuch')",
        "return redis.call('get')",
        "return redis.call()",
        "return redis.call('get', {})",
        "return redis.call('subscribe', 'x')",
        "return redis.call('eval', 'return 1', 0)",
        "local ok, e = pcall(redis.call, 'INCR', 'k') return {tostring(ok), type(e), e}",
        "return redis.pcall('get', {})",
        "local e = redis.pcall('INCR', 'k') return {type(e), e.err}",
        "local function f() error('deep') end\nf()\nreturn 1",
        "local function f()\nreturn redis.call('INCR', 'k')\nend\nlocal r = f()\nreturn r",
        "return 1 + {}",
        "error('a', 0)",
        "redis.call('SET', 'k', 'kept') error('late')",
        "return redis.call('GET', 'k')",
        "error(7)",
        "local ok, e = pcall(error, 'mine') return {tostring(ok), e}",
        "return math.floor(2.5)",
    ]);
}

#[test]
fn packing() {
    let numbers = [
        "0", "1", "-1", "255", "256.9", "-2.5", "2^31", "2^32 + 5", "2^53 - 1", "2^53 + 2", "2^62", "2^63",
        "-2^62",
    ];
    let formats =
        ["I8", ">I8", "<I8", ">I4", ">i4", "I", "b", "B", ">h", ">H", ">l", "<i3", ">I3", "d", ">d", ">f"];
    let mut sources = Vec::new();
    for format in formats {
        for number in numbers {
            sources.push(format!("return struct.pack('{format}', {number})"));
            let there = format!("struct.unpack('{format}', struct.pack('{format}', {number}))");
            sources.push(format!("local a, b = {there} return {{string.format('%.17g', a), b}}"));
        }
    }
    sources.push("return struct.pack('>I8I4I1', 1, 2, 3)".to_owned());
    sources.push("return {struct.unpack('>I4I8', string.rep('\\1\\2\\3', 6), 3)}".to_owned());
    sources.push("return {struct.unpack('>I2c3x B', 'abcdefgh')}".to_owned());
    sources.push("return {struct.unpack('Bc0', '\\3abcdefgh')}".to_owned());
    sources.push("return {struct.unpack('s', 'abc\\0defgh')}".to_owned());
    sources.push("return {tostring(pcall(struct.unpack, '>I8', 'short'))}".to_owned());
    sources.push("return {tostring(pcall(struct.pack, '>I8', 'x'))}".to_owned());
    sources.push("return {tostring(pcall(struct.pack, 'Q', 1))}".to_owned());
    sources.push("return struct.pack('>I2c0sx', 3, 'abc', 'd')".to_owned());
    let sources: Vec<_> = sources.iter().map(|source| &**source).collect();
    both_protocols(&sources);
}

macro_rules! source {
    ($($file:literal),+) => {
        concat!($(include_str!(concat!("../../../backend-redis/src/stored/scripts/", $file, ".lua"))),+)
    };
}

/// What larder does to two keys and two tags, in any order: as long as no outcome depends on how long it took.
#[test]
fn scripts_of_larder() {
    let real = Real::start();
    for seed in 0..30 {
        let mut rng = Rng::with_seed(seed);
        let mut steps = vec![send(0, "HELLO 3"), send(0, "CLIENT TRACKING ON BCAST NOLOOP PREFIX l:")];
        steps.push(eval(0, source!("renew"), &["l:o", "l:r", "l:n"], &[b"0000000000000abc", b"x"]));
        for _ in 0..80 {
            steps.push(of_larder(&mut rng));
            if rng.u8(..8) == 0 {
                let looks = ["GETRANGE l:k:1 0 27", "STRLEN l:k:2", "GET l:o", "ZRANGE l:r 0 -1 WITHSCORES"];
                steps.push(send(rng.usize(..2), looks[rng.usize(..4)]));
            }
        }
        steps.push(Step::Wait(Duration::from_millis(1)));
        agree(&real, seed, 2, &steps);
    }
}

fn of_larder(rng: &mut Rng) -> Step {
    let key = ["l:k:1", "l:k:2"][rng.usize(..2)];
    let [companion, claim] = ["c", "l"].map(|it| format!("{key}:{it}"));
    let keys = [key, &companion, &claim];
    let tag = ["one", "two"][rng.usize(..2)];
    let mark = format!("l:m:{tag}");
    let client = rng.usize(..2);
    let from = rng.u64(1..5).to_string();
    let lease = (rng.u64(1..5) + rng.u64(1..4)).to_string();
    let who = ["aa", "bb"][rng.usize(..2)];
    // Who holds a place, holds it for less than anything lives: so no slack counts milliseconds.
    let hold = "100000";
    let args = |args: &[&str]| args.iter().map(|it| it.as_bytes().to_vec()).collect::<Vec<_>>();
    let (source, keys, args): (&str, Vec<&str>, _) = match rng.u8(..12) {
        0 | 1 => {
            let how = ["lease", "retry"][rng.usize(..2)];
            (source!("slot", "claim", "lease"), keys.to_vec(), args(&[&from, hold, how, who, "90000", "2"]))
        }
        2 | 3 => {
            let mode = ["load", "set", "absent", "plain", "loadcounter", "plaincounter"][rng.usize(..6)];
            let body = if mode.ends_with("counter") { "41" } else { "body" };
            let rest = [mode, &lease, &from, "", "500000", "900000", "3", "0", hold, body, "l:channel"];
            (source!("slot", "claim", "store"), keys.to_vec(), args(&rest))
        }
        4 => (source!("slot", "claim", "release"), keys.to_vec(), args(&[&lease, "f", "l:channel"])),
        5 => (source!("slot", "claim", "extend"), vec![key, &claim], args(&[&lease, who, "90000"])),
        6 => (source!("slot", "delete"), keys[..2].to_vec(), args(&[])),
        7 => (source!("slot", "soften"), keys[..2].to_vec(), args(&["", "1000000"])),
        8 => {
            let delta = ["1", "-5", "9223372036854775807"][rng.usize(..3)];
            (source!("slot", "incr"), keys[..2].to_vec(), args(&[delta, "900000", &from, ""]))
        }
        9 => {
            let old = ["", &from, &lease][rng.usize(..3)];
            (source!("slot", "expire"), keys[..2].to_vec(), args(&[old, "700000", hold]))
        }
        10 => {
            let keys = vec!["l:o", "l:r", &mark, "l:s"];
            (
                source!("mark", "strike"),
                keys,
                args(&["0000000000000abc", ["h", "s"][rng.usize(..2)], tag, "2"]),
            )
        }
        _ => {
            let keys = vec!["l:o", "l:r", &*mark];
            (
                source!("mark", "marks"),
                keys,
                args(&["0000000000000abc", ["300000", hold][rng.usize(..2)], tag]),
            )
        }
    };
    let args: Vec<_> = args.iter().map(|arg| &**arg).collect();
    eval(client, &without_times(source), &keys, &args)
}

/// What a script returns, but of a header only what does not count milliseconds.
fn without_times(source: &str) -> String {
    format!(
        "local function run() {source}\nend\nlocal output = run()\n\
         if type(output) == 'string' then return string.sub(output, 1, 28) end\n\
         if type(output) == 'table' and output[1] == 'entry' then output[2] = string.sub(output[2], 1, 28) end\n\
         return output"
    )
}
