//! Finds the master of a service through its sentinels.

use std::cell::RefCell;
use std::collections::HashMap;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult, Value};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connect::address::{Login, is_tls, shown};
use crate::connect::line::One;
use crate::connect::place::{Dial, Ears};
use crate::io::failure::{Failure, reason};

#[derive(Clone)]
pub(crate) struct Sentinels {
    all: Vec<ConnectionInfo>,
    service: Box<str>,
    login: Login,
    /// The master that was connected to last.
    connected: RefCell<Option<Master>>,
}

/// Where a sentinel says that the master is.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Master {
    host: String,
    port: u16,
    /// Of the failover that made it one: the greatest is the latest.
    election: u64,
}

impl Sentinels {
    pub(crate) fn new(all: Vec<ConnectionInfo>, service: Box<str>, login: Login) -> Result<Self, String> {
        if all.is_empty() {
            return Err("no sentinel is given: at least one is needed".to_owned());
        }
        let all = all.into_iter().map(|info| login.secure(info)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { all, service, login, connected: RefCell::default() })
    }

    /// A connection to the master: to the one of the latest election that says so itself.
    pub(crate) async fn connect(&self, dial: &Dial, ears: Ears) -> Result<One, Failure> {
        let (mut masters, mut troubles) = self.ask_all(dial).await;
        masters.sort_by_key(|master| std::cmp::Reverse(master.election));
        masters.dedup();
        for master in masters {
            let name = format!("{}:{}", master.host, master.port);
            match self.try_master(&master, dial, ears.clone()).await {
                Ok(connection) => {
                    self.connected.replace(Some(master));
                    return Ok(connection);
                }
                Err(Failure::Down(why)) => troubles.push(format!("the master {name}: {why}")),
                Err(failure) => return Err(failure),
            }
        }
        let service = &self.service;
        Err(Failure::Down(format!("the sentinels give no master of {service:?}: {}", troubles.join("; "))))
    }

    /// Whether one of the sentinels, another one each time, names another master than the one connected to; and why
    /// that matters.
    pub(crate) async fn have_another(&self, dial: &Dial) -> Option<String> {
        let connected = self.connected.borrow().clone()?;
        let sentinel = self.all[fastrand::usize(..self.all.len())].clone();
        let named = ask(dial, sentinel, self.service.clone()).await.ok()?;
        let another = named.election > connected.election
            && (&named.host, named.port) != (&connected.host, connected.port);
        another.then(|| format!("the sentinels have made {}:{} the master", named.host, named.port))
    }

    async fn ask_all(&self, dial: &Dial) -> (Vec<Master>, Vec<String>) {
        let mut asked = JoinSet::new();
        for sentinel in &self.all {
            let (name, service) = (shown(sentinel), self.service.clone());
            // The credentials function is for Redis itself.
            let dial = Dial { provider: None, ..dial.clone() };
            let sentinel = sentinel.clone();
            asked.spawn(async move {
                let why = |why| format!("the sentinel {name}: {why}");
                ask(&dial, sentinel, service).await.map_err(why)
            });
        }
        let (mut masters, mut troubles) = (Vec::new(), Vec::new());
        for answer in asked.join_all().await {
            match answer {
                Ok(master) => masters.push(master),
                Err(why) => troubles.push(why),
            }
        }
        (masters, troubles)
    }

    /// Where the master is that was connected to last.
    pub(crate) fn master(&self) -> Result<ConnectionInfo, Failure> {
        let none = || Failure::Down("the sentinels have not named a master yet".to_owned());
        self.address(self.connected.borrow().as_ref().ok_or_else(none)?)
    }

    fn address(&self, master: &Master) -> Result<ConnectionInfo, Failure> {
        let (host, port) = (master.host.clone(), master.port);
        let addr = if self.all.iter().any(is_tls) {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = addr.into_connection_info().map_err(|error| Failure::Down(reason(&error)))?;
        self.login.apply(info).map_err(Failure::Down)
    }

    async fn try_master(&self, master: &Master, dial: &Dial, ears: Ears) -> Result<One, Failure> {
        let mut connection = dial.log_in(self.address(master)?, ears).await?;
        let command = redis::cmd("ROLE");
        let role: RedisResult<Vec<Value>> =
            timeout(dial.limit, command.query_async(&mut connection.connection))
                .await
                .map_err(|_| late(dial))?;
        match role.map_err(|error| Failure::Down(reason(&error)))?.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok(connection),
            _ => Err(Failure::Down("it says itself that it is none, or not yet".to_owned())),
        }
    }
}

fn late(dial: &Dial) -> Failure {
    Failure::Down(format!("no answer within {:?}", dial.limit))
}

async fn ask(dial: &Dial, sentinel: ConnectionInfo, service: Box<str>) -> Result<Master, String> {
    let words = |failure| match failure {
        Failure::Down(why) | Failure::Lost(why) | Failure::Refused(why) => why,
        Failure::Odd => "it does not answer as a sentinel does".to_owned(),
    };
    let mut connection = dial.dial(sentinel).await.map_err(words)?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("MASTER").arg(&*service);
    let answer: RedisResult<HashMap<String, String>> =
        timeout(dial.limit, command.query_async(&mut connection)).await.map_err(|_| words(late(dial)))?;
    let answer = answer.map_err(|error| reason(&error))?;
    let of = |name: &str| answer.get(name);
    let host = of("ip").cloned();
    let port = of("port").and_then(|port| port.parse().ok());
    let election = of("config-epoch").and_then(|number| number.parse().ok());
    match (host, port, election) {
        (Some(host), Some(port), Some(election)) => Ok(Master { host, port, election }),
        _ => Err(words(Failure::Odd)),
    }
}
