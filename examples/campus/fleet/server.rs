//! A Redis of the run's own, where none is given: on a socket in a temporary folder, and killed half way if that is asked for.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::Result;

/// It runs for as long as this lives.
pub struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    pub fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("campus-redis-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let child = spawn(&folder)?;
        let server = Self { child, folder };
        server.until_it_listens()?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Kills it, as a machine that fails would: nothing is kept.
    pub fn kill(&mut self) {
        // It is no more, or never was.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn start_again(&mut self) -> Result<()> {
        self.child = spawn(&self.folder)?;
        self.until_it_listens()
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    fn until_it_listens(&self) -> Result<()> {
        let began = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err("redis-server does not listen within ten seconds".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // Nothing can be done about it here.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &PathBuf) -> Result<Child> {
    let mut server = Command::new("redis-server");
    server
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("redis.sock"))
        .arg("--dir")
        .arg(folder);
    let child = server.stdout(Stdio::null()).spawn();
    child.map_err(|error| {
        format!("cannot start redis-server: {error}; install it, or give --redis URL").into()
    })
}
