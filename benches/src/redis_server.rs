//! A Redis of a benchmark's own: on a socket in a temporary folder, stopped and removed in the end.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It runs for as long as this lives.
pub struct RedisServer {
    child: Child,
    folder: PathBuf,
}

impl RedisServer {
    /// Starts `redis-server`, which keeps nothing on disk.
    ///
    /// # Errors
    /// There is no such program, or it does not begin to listen within ten seconds.
    pub fn start() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("larder-bench-redis-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.join("redis.sock"))
            .arg("--dir")
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()?;
        let server = Self { child, folder };
        let began = Instant::now();
        while UnixStream::connect(server.folder.join("redis.sock")).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "redis-server does not listen"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    /// The processor time that this process and the server have used.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn processor_time(&self) -> io::Result<[Duration; 2]> {
        Ok([used("self")?, used(&self.child.id().to_string())?])
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("unix://{}", self.folder.join("redis.sock").display())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Nothing can be done about it here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn used(process: &str) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The fields after the name, which ends in the last `)`: the state is the third field, the times are the 14th and 15th,
    // in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Ok(Duration::from_millis(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10))
}
