//! A real Redis of the test's own: on a socket in a folder of its own, stopped and removed in the end.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::twins::has;

pub(crate) struct Real {
    child: Child,
    dir: PathBuf,
}

impl Real {
    pub(crate) fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("larder-model-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the server");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no"]);
        command.arg("--unixsocket").arg(dir.join("redis.sock")).arg("--dir").arg(&dir);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let real = Self { child: child.expect("redis-server is installed"), dir };
        let began = Instant::now();
        while UnixStream::connect(real.dir.join("redis.sock")).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server did not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        real
    }

    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.dir.join("redis.sock")).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        stream
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Sends bytes, and reads until `last` is among what is read.
pub(crate) fn exchange(stream: &mut UnixStream, bytes: &[u8], last: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).expect("written");
    let (mut all, mut chunk) = (Vec::new(), vec![0; 65536]);
    while !has(&all, last) {
        let read = stream.read(&mut chunk);
        let read = read.unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(&all)));
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&chunk[..read]);
    }
    all
}
