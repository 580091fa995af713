//! What stands between a program and its Redis, and does to them what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::common::Server;

/// Stands between, and counts how often the program writes after Redis has answered.
#[derive(Clone, Default)]
pub(crate) struct Proxy {
    pub(crate) trips: Arc<AtomicUsize>,
    /// Nothing passes back any more: half of a connection is gone.
    pub(crate) mute: Arc<AtomicBool>,
    /// Of what changes, nothing passes back.
    pub(crate) keeps_notices: Arc<AtomicBool>,
    /// What passes back is so many milliseconds late, on connections from that number on.
    pub(crate) late: Arc<AtomicUsize>,
    pub(crate) late_from: Arc<AtomicUsize>,
    pub(crate) connections: Arc<AtomicUsize>,
    /// What passes back waits.
    pub(crate) slow: Arc<AtomicBool>,
    /// So many more pieces pass to Redis; the one after them is held.
    passing: Arc<Mutex<Option<usize>>>,
    held: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

#[allow(dead_code, reason = "not every test needs all of it")]
impl Proxy {
    pub(crate) fn start(server: &Server) -> (Self, String) {
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
        let its = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                // Several writes in a row are one trip; what is written here at once is read at once.
                its.trips.fetch_add(1, Ordering::SeqCst);
                its.wait_if_held();
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
        let (mut from, mut to, its) = (redis, program, self.clone());
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                while its.slow.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                if number >= its.late_from.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(its.late.load(Ordering::SeqCst) as u64));
                }
                let mut piece = buffer[..read].to_vec();
                if its.keeps_notices.load(Ordering::SeqCst) {
                    piece = without_notices(&piece);
                }
                if !its.mute.load(Ordering::SeqCst) && to.write_all(&piece).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }

    /// Holds one piece on its way to Redis, after so many that pass. What other connections send passes.
    pub(crate) fn hold_after(&self, pieces: usize) {
        *self.passing.lock().expect("locked") = Some(pieces);
    }

    pub(crate) fn holds(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    pub(crate) fn let_go(&self) {
        self.held.store(false, Ordering::SeqCst);
    }

    fn wait_if_held(&self) {
        let mut passing = self.passing.lock().expect("locked");
        match &mut *passing {
            None => return,
            Some(0) => *passing = None,
            Some(more) => {
                *more -= 1;
                return;
            }
        }
        drop(passing);
        self.held.store(true, Ordering::SeqCst);
        while self.holds() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn cut(&self) {
        for stream in self.open.lock().expect("locked").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Nothing more comes from the program, and it is not told: half of each connection is gone.
    pub(crate) fn half_cut(&self) {
        for stream in self.open.lock().expect("locked").drain(..) {
            let _ = stream.shutdown(Shutdown::Read);
        }
    }

    /// How many trips `what` takes: the least of some, for the connection is tried once a second, too.
    pub(crate) fn trips(&self, mut what: impl FnMut()) -> usize {
        let once = |what: &mut dyn FnMut()| {
            let before = self.trips.load(Ordering::SeqCst);
            what();
            self.trips.load(Ordering::SeqCst) - before
        };
        (0..5).map(|_| once(&mut what)).min().expect("five")
    }
}

/// A piece of what Redis sends, without its notices of one name each; the server is told of nothing else here.
fn without_notices(piece: &[u8]) -> Vec<u8> {
    let (mut rest, mut kept) = (piece, Vec::new());
    let notice = b">2\r\n$10\r\ninvalidate\r\n";
    while let Some(at) = rest.windows(notice.len()).position(|part| part == notice) {
        kept.extend_from_slice(&rest[..at]);
        // The list of names, and a length and a name for each.
        let mut lines = rest[at + notice.len()..].split_inclusive(|byte| *byte == b'\n');
        let list = lines.next().expect("a list");
        let names = str::from_utf8(list).ok().and_then(|list| list.trim().strip_prefix('*')?.parse().ok());
        let named: usize = lines.take(2 * names.unwrap_or(0)).map(<[u8]>::len).sum();
        rest = &rest[at + notice.len() + list.len() + named..];
    }
    kept.extend_from_slice(rest);
    kept
}
