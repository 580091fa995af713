//! Does the same with the model and with a real Redis, and holds every byte that clients get against the other's.

use std::time::Duration;

use larder_simulation::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::real::{Real, exchange};

pub(crate) type Words = Vec<Vec<u8>>;

pub(crate) enum Step {
    /// A client sends these at once.
    Send(usize, Vec<Words>),
    Wait(Duration),
}

pub(crate) fn send(client: usize, command: &str) -> Step {
    Step::Send(client, vec![words(command)])
}

pub(crate) fn words(command: &str) -> Words {
    command.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

pub(crate) fn bytes(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// A client's commands in one piece, and a mark behind them; what that is answered.
fn marked(commands: &[Words], number: usize) -> (Vec<u8>, Vec<u8>) {
    let mark = format!("mark{number:06}");
    let mut all: Vec<u8> = commands.iter().flat_map(|command| bytes(command)).collect();
    all.extend(bytes(&[b"ECHO".to_vec(), mark.clone().into_bytes()]));
    (all, format!("$10\r\n{mark}\r\n").into_bytes())
}

/// What each client gets in each step.
type Transcript = Vec<Vec<Vec<u8>>>;

/// He who sends reads until what he sent is answered, and then everybody until he has heard all that there is.
fn on_real(real: &Real, clients: usize, steps: &[Step]) -> Transcript {
    let mut streams: Vec<_> = (0..clients).map(|_| real.connect()).collect();
    exchange(&mut streams[0], &bytes(&words("FLUSHALL")), b"+OK\r\n");
    let one = |(number, step): (usize, &Step)| {
        let mut got = vec![Vec::new(); clients];
        match step {
            Step::Send(client, commands) => {
                let (all, last) = marked(commands, 2 * number);
                got[*client] = exchange(&mut streams[*client], &all, &last);
            }
            Step::Wait(time) => std::thread::sleep(*time),
        }
        let (mark, last) = marked(&[], 2 * number + 1);
        for (got, stream) in got.iter_mut().zip(&mut streams) {
            got.append(&mut exchange(stream, &mark, &last));
        }
        got
    };
    steps.iter().enumerate().map(one).collect()
}

/// Whether that has been read.
pub(crate) fn has(all: &[u8], last: &[u8]) -> bool {
    all.windows(last.len().max(1)).any(|piece| piece == last)
}

pub(crate) async fn exchange_with_model(stream: &mut DuplexStream, bytes: &[u8], last: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).await.expect("written");
    let (mut all, mut chunk) = (Vec::new(), vec![0; 65536]);
    while !has(&all, last) {
        let read = timeout(Duration::from_secs(20), stream.read(&mut chunk)).await;
        let text = || String::from_utf8_lossy(&all).into_owned();
        let read = read.unwrap_or_else(|_| panic!("nothing after {}", text())).expect("an answer");
        assert!(read > 0, "closed after {}", text());
        all.extend_from_slice(&chunk[..read]);
    }
    all
}

/// In virtual time, where one may spawn.
pub(crate) fn simulated<T>(what: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    LocalSet::new().block_on(&runtime, what)
}

/// A connection to the model.
pub(crate) fn connect(server: &Server) -> DuplexStream {
    let (ours, theirs) = duplex(1 << 20);
    let server = server.clone();
    spawn_local(async move { server.serve(theirs).await });
    ours
}

pub(crate) fn on_model(seed: u64, clients: usize, steps: &[Step]) -> Transcript {
    simulated(async {
        let server = Server::new(seed);
        let mut streams: Vec<_> = (0..clients).map(|_| connect(&server)).collect();
        let mut transcript = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let mut got = vec![Vec::new(); clients];
            match step {
                Step::Send(client, commands) => {
                    let (all, last) = marked(commands, 2 * number);
                    got[*client] = exchange_with_model(&mut streams[*client], &all, &last).await;
                }
                Step::Wait(time) => sleep(*time).await,
            }
            let (mark, last) = marked(&[], 2 * number + 1);
            for (got, stream) in got.iter_mut().zip(&mut streams) {
                got.append(&mut exchange_with_model(stream, &mark, &last).await);
            }
            transcript.push(got);
        }
        transcript
    })
}

fn told(step: &Step) -> String {
    let line = |command: &Words| {
        let words: Vec<_> = command.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        words.join(" ")
    };
    match step {
        Step::Send(client, commands) => {
            format!("client {client}: {}", commands.iter().map(line).collect::<Vec<_>>().join("; "))
        }
        Step::Wait(time) => format!("after {time:?}"),
    }
}

/// Both say the same.
///
/// # Panics
/// Where they do not.
pub(crate) fn agree(real: &Real, seed: u64, clients: usize, steps: &[Step]) {
    let (real, model) = (on_real(real, clients, steps), on_model(seed, clients, steps));
    for (number, (step, (real, model))) in steps.iter().zip(real.iter().zip(&model)).enumerate() {
        for (client, (real, model)) in real.iter().zip(model).enumerate() {
            let [real, model] = [real, model].map(|got| without_number(&String::from_utf8_lossy(got)));
            assert_eq!(
                real,
                model,
                "Redis and model, seed {seed}, step {number}, client {client} hears: {}",
                told(step)
            );
        }
    }
}

/// Each client hears the same from both, if not in the same step.
///
/// # Panics
/// Where it does not.
pub(crate) fn agree_in_the_end(real: &Real, clients: usize, steps: &[Step]) {
    let heard = |transcript: Transcript, client: usize| {
        let all: Vec<u8> = transcript.into_iter().flat_map(|mut got| got.swap_remove(client)).collect();
        let all = without_number(&String::from_utf8_lossy(&all));
        let unmarked = |piece: &str| {
            let piece = piece.trim_start_matches(|it: char| it.is_ascii_digit());
            piece.strip_prefix("\r\n").unwrap_or(piece).to_owned()
        };
        all.split("$10\r\nmark").map(unmarked).collect::<String>()
    };
    for client in 0..clients {
        let real = heard(on_real(real, clients, steps), client);
        assert_eq!(real, heard(on_model(1, clients, steps), client), "Redis and model, client {client}");
    }
}

/// Without the number of a client in an answer to `HELLO`.
fn without_number(text: &str) -> String {
    let Some((before, after)) = text.split_once("$2\r\nid\r\n:") else { return text.to_owned() };
    format!("{before}{}", after.trim_start_matches(|it: char| it.is_ascii_digit()))
}
