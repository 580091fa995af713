//! Stands before a Redis and answers in its place, where it is told to: with an error of the test's choice.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common::Server;

/// An error, and the commands that it answers; all of them if none is named.
type Saying = Option<(&'static str, &'static [&'static str])>;

#[derive(Clone, Default)]
pub(crate) struct Fake {
    saying: Arc<Mutex<Saying>>,
}

#[allow(dead_code, reason = "not every test needs all of it")]
impl Fake {
    pub(crate) fn start(server: &Server) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("redis://{}/", listener.local_addr().expect("an address"));
        let (fake, socket) = (Self::default(), server.url().trim_start_matches("unix://").to_owned());
        let its = fake.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(redis) = UnixStream::connect(&socket) else { continue };
                let its = its.clone();
                // Ends with either side.
                thread::spawn(move || its.serve(&stream, &redis));
            }
        });
        (fake, url)
    }

    /// From now on answers `only` these commands, or all, with `error`.
    pub(crate) fn says(&self, error: &'static str, only: &'static [&'static str]) {
        *self.saying.lock().expect("locked") = Some((error, only));
    }

    /// Lets Redis answer.
    pub(crate) fn says_nothing(&self) {
        *self.saying.lock().expect("locked") = None;
    }

    fn serve(&self, program: &TcpStream, redis: &UnixStream) -> Option<()> {
        let (mut asked, mut answered) = (BufReader::new(program), BufReader::new(redis));
        let (mut answers, mut redis) = (program, redis);
        loop {
            let command = item(&mut asked)?;
            let name = command.split(|byte| *byte == b'\n').nth(2)?.trim_ascii().to_ascii_uppercase();
            let saying = *self.saying.lock().expect("locked");
            let says =
                |(_, only): &(_, &[&str])| only.is_empty() || only.iter().any(|it| it.as_bytes() == name);
            let answer = match saying.filter(says) {
                Some((error, _)) => format!("-{error}\r\n").into_bytes(),
                None => {
                    redis.write_all(&command).ok()?;
                    let mut answer = item(&mut answered)?;
                    // What was not asked for comes before it.
                    while answer[0] == b'>' {
                        answers.write_all(&answer).ok()?;
                        answer = item(&mut answered)?;
                    }
                    answer
                }
            };
            answers.write_all(&answer).ok()?;
        }
    }
}

/// One command or answer, as it is on the wire.
fn item(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_until(b'\n', &mut bytes).ok().filter(|read| *read > 0)?;
    let many = std::str::from_utf8(&bytes[1..]).ok()?.trim().parse::<i64>().unwrap_or(0);
    match bytes[0] {
        b'$' | b'=' if many >= 0 => {
            let mut text = vec![0; many as usize + 2];
            from.read_exact(&mut text).ok()?;
            bytes.extend(text);
        }
        b'*' | b'~' | b'>' | b'%' => {
            for _ in 0..if bytes[0] == b'%' { 2 * many } else { many } {
                bytes.extend(item(from)?);
            }
        }
        _ => {}
    }
    Some(bytes)
}
