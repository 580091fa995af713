//! A connection to a Cluster: each command goes to the server that has its slot.
//!
//! redis-rs connects to the servers and knows which has what. It is told never to send anything again by itself: it would
//! also do so where nobody knows whether it was done. What a server refused with `MOVED`, `ASK` or `TRYAGAIN` was not
//! done, so that is sent again here.

use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, Slot, SlotAddr};
use redis::io::tcp::TcpSettings;
use redis::{
    Arg, Cmd, ConnectionInfo, ErrorKind, Pipeline, ProtocolVersion, RedisError, RedisResult, ServerErrorKind,
    Value,
};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connect::address::Login;
use crate::connect::place::{Dial, Ears};
use crate::io::failure::{Failure, reason};

/// How often a command that was refused because its slot moves is sent again, and how long after it was.
const TRIES: u32 = 16;
const PAUSE: Duration = Duration::from_millis(20);

/// The servers of a cluster that are asked for all others.
#[derive(Clone)]
pub(crate) struct Seeds {
    all: Vec<ConnectionInfo>,
    #[cfg(feature = "tls")]
    certificates: Option<redis::TlsCertificates>,
}

impl Seeds {
    pub(crate) fn new(all: Vec<ConnectionInfo>, login: &Login) -> Result<Self, String> {
        if all.is_empty() {
            return Err("no server of the cluster is given: at least one is needed".to_owned());
        }
        let all = all.into_iter().map(|info| login.apply(info)).collect::<Result<Vec<_>, _>>()?;
        if all.iter().any(|info| info.redis_settings().db() != 0) {
            return Err("a Redis Cluster has no databases but 0".to_owned());
        }
        Ok(Self {
            all,
            #[cfg(feature = "tls")]
            certificates: login.tls.certificates(),
        })
    }

    /// One of them, at random.
    pub(crate) fn any(&self) -> ConnectionInfo {
        self.all[fastrand::usize(..self.all.len())].clone()
    }

    pub(crate) async fn connect(&self, dial: &Dial, ears: Ears) -> Result<Spread, Failure> {
        let mut all = Vec::new();
        for info in &self.all {
            all.push(dial.complete(info.clone()).await?);
        }
        // The response timeout is ours, in `Session::exchange`.
        let builder = ClusterClient::builder(all).retries(0).response_timeout(Duration::from_secs(3600));
        let builder = builder.use_protocol(ProtocolVersion::RESP3).push_sender(ears);
        let builder = builder.connection_timeout(dial.limit);
        let builder = builder.tcp_settings(TcpSettings::default().set_nodelay(true));
        #[cfg(feature = "tls")]
        let builder = match &self.certificates {
            Some(certificates) => builder.certs(certificates.clone()),
            None => builder,
        };
        let down = |error: RedisError| Failure::Down(reason(&error));
        let client = builder.build().map_err(down)?;
        // First to the seeds, then to the rest.
        let limit = dial.limit * 2;
        match timeout(limit, client.get_async_connection()).await {
            Ok(connection) => Ok(Spread { connection: connection.map_err(down)? }),
            Err(_) => Err(Failure::Down(format!("no connection to the cluster within {limit:?}"))),
        }
    }
}

/// Where one of the servers is: by its address and its name, as far as it knows them, and by a slot that it has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Server {
    pub(crate) hosts: Vec<String>,
    pub(crate) port: u16,
    pub(crate) slot: u16,
}

impl Server {
    /// The most certain first: a slot may have moved. (A server that has met nobody knows no address of its own, and one
    /// behind a translation is known by another.)
    fn routes(&self) -> impl Iterator<Item = SingleNodeRoutingInfo> {
        let port = self.port;
        let hosts =
            self.hosts.iter().map(move |host| SingleNodeRoutingInfo::ByAddress { host: host.clone(), port });
        let slot = Route::new(self.slot, SlotAddr::Master);
        hosts.chain([SingleNodeRoutingInfo::SpecificNode(slot)])
    }
}

/// Clones share the connections.
#[derive(Clone)]
pub(crate) struct Spread {
    connection: ClusterConnection,
}

/// Commands that go to one server, one after the other; and where their answers belong.
struct Group {
    slot: Slot,
    /// Whether others may join it. Scripts go alone: what is sent twice must do no harm.
    open: bool,
    at: Vec<usize>,
    commands: Vec<Cmd>,
}

impl Spread {
    /// Sends the commands: those of one slot in their order, all others at the same time; or all to one server, whatever
    /// they name.
    pub(crate) async fn send(&self, pipeline: &Pipeline, to: Option<&Server>) -> RedisResult<Vec<Value>> {
        if let Some(server) = to {
            return self.send_to(server, pipeline).await;
        }
        let mut groups = groups(pipeline);
        if groups.len() == 1
            && let Some(group) = groups.pop()
        {
            return self.clone().group(group).await.1;
        }
        let mut sent = JoinSet::new();
        for group in groups {
            sent.spawn_local(self.clone().group(group));
        }
        let mut all = vec![Value::Nil; pipeline.len()];
        for (at, values) in sent.join_all().await {
            for (at, value) in at.into_iter().zip(values?) {
                all[at] = value;
            }
        }
        Ok(all)
    }

    async fn send_to(&self, server: &Server, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let mut routes = server.routes().peekable();
        while let Some(there) = routes.next() {
            let mut connection = self.connection.clone();
            match connection.route_pipeline(pipeline.clone(), 0, pipeline.len(), there).await {
                Err(error) if routes.peek().is_some() && was_not_done(&error) => {}
                values => return values,
            }
        }
        // There is always the slot.
        Err(RedisError::from((ErrorKind::ClusterConnectionNotFound, "no way to this server")))
    }

    async fn group(self, group: Group) -> (Vec<usize>, RedisResult<Vec<Value>>) {
        let Group { slot, at, commands, .. } = group;
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in &commands {
            pipeline.add_command(command.clone());
        }
        let values = match self.together(slot, pipeline).await {
            Err(error) if was_not_done(&error) => self.one_by_one(slot, commands).await,
            values => values,
        };
        (at, values)
    }

    async fn together(&self, slot: Slot, pipeline: Pipeline) -> RedisResult<Vec<Value>> {
        let (route, many) = (Route::with_slot(slot, SlotAddr::Master), pipeline.len());
        let route = SingleNodeRoutingInfo::SpecificNode(route);
        self.connection.clone().route_pipeline(pipeline, 0, many, route).await
    }

    /// While a slot moves, one key of it is here and the other there.
    async fn one_by_one(&self, slot: Slot, commands: Vec<Cmd>) -> RedisResult<Vec<Value>> {
        let mut values = Vec::with_capacity(commands.len());
        for command in commands {
            values.push(self.again(slot, &command).await?);
        }
        Ok(values)
    }

    async fn again(&self, slot: Slot, command: &Cmd) -> RedisResult<Value> {
        let mut alone = Pipeline::with_capacity(1);
        alone.add_command(command.clone());
        let mut tries = TRIES;
        loop {
            let mut error = match self.together(slot, alone.clone()).await {
                Err(error) if was_not_done(&error) => error,
                values => return values.and_then(last),
            };
            // Who refused it may have said where it is to go; redis-rs will know that somewhat later.
            if let Some(there) = pointed_to(&error) {
                match self.clone().pointed(there, command, &error).await {
                    Err(again) if was_not_done(&again) => error = again,
                    values => return values.and_then(last),
                }
            }
            tries -= 1;
            if tries == 0 {
                return refused(error);
            }
            sleep(PAUSE.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    async fn pointed(
        mut self,
        there: SingleNodeRoutingInfo,
        command: &Cmd,
        by: &RedisError,
    ) -> RedisResult<Vec<Value>> {
        let mut pipeline = Pipeline::with_capacity(2);
        if by.kind() == ErrorKind::Server(ServerErrorKind::Ask) {
            pipeline.add_command(redis::cmd("ASKING"));
        }
        pipeline.add_command(command.clone());
        let many = pipeline.len();
        self.connection.route_pipeline(pipeline, 0, many, there).await
    }
}

/// Where a server says that a slot is.
fn pointed_to(error: &RedisError) -> Option<SingleNodeRoutingInfo> {
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    let (host, port) = (host.to_owned(), port.parse().ok()?);
    Some(SingleNodeRoutingInfo::ByAddress { host, port })
}

fn last(values: Vec<Value>) -> RedisResult<Value> {
    let odd = "the cluster answered with nothing";
    values.into_iter().next_back().ok_or_else(|| RedisError::from((ErrorKind::Client, odd)))
}

/// As the answer to this command alone, as on a single server: the connections are as good as before.
fn refused(error: RedisError) -> RedisResult<Value> {
    match error.code() {
        Some(code) => {
            let answer = format!("-{code} {}\r\n", error.detail().unwrap_or_default());
            redis::parse_redis_value(answer.as_bytes())
        }
        None => Err(error),
    }
}

/// Whether a server refused it because it does not have the slot, or not all of it; or none was found that may.
fn was_not_done(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Ask | Moved | TryAgain) | ErrorKind::ClusterConnectionNotFound)
}

/// What names no key goes with what comes after it, or before it if that is nothing.
fn groups(pipeline: &Pipeline) -> Vec<Group> {
    let (mut groups, mut waiting) = (Vec::<Group>::new(), Vec::new());
    for (number, command) in pipeline.cmd_iter().enumerate() {
        let (slot, script) = match key(command) {
            Some((key, script)) => (Slot::for_key(key), script),
            None => {
                waiting.push((number, command.clone()));
                continue;
            }
        };
        let open = !script && waiting.is_empty();
        let found = groups.iter_mut().find(|group| open && group.open && group.slot == slot);
        let group = match found {
            Some(group) => group,
            None => {
                groups.push(Group { slot, open, at: Vec::new(), commands: Vec::new() });
                let at = groups.len() - 1;
                &mut groups[at]
            }
        };
        for (number, command) in waiting.drain(..).chain([(number, command.clone())]) {
            group.at.push(number);
            group.commands.push(command);
        }
    }
    if !waiting.is_empty() {
        if groups.is_empty() {
            let slot = Slot::for_key(b"");
            groups.push(Group { slot, open: true, at: Vec::new(), commands: Vec::new() });
        }
        if let Some(group) = groups.first_mut() {
            for (number, command) in waiting {
                group.at.push(number);
                group.commands.push(command);
            }
        }
    }
    groups
}

/// The first key that a command names, and whether it is a script.
fn key(command: &Cmd) -> Option<(&[u8], bool)> {
    let arg = |at: usize| match command.args_iter().nth(at) {
        Some(Arg::Simple(bytes)) => Some(bytes),
        _ => None,
    };
    match arg(0)? {
        b"EVALSHA" => Some((arg(3)?, true)),
        b"GET" | b"HMGET" | b"SET" | b"PTTL" | b"UNLINK" => Some((arg(1)?, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(commands: &[&[&str]]) -> Vec<Vec<usize>> {
        let mut pipeline = Pipeline::new();
        for command in commands {
            pipeline.add_command(redis::cmd(command[0]).arg(&command[1..]).take());
        }
        groups(&pipeline).into_iter().map(|group| group.at).collect()
    }

    #[test]
    fn commands_of_one_slot_go_together_and_scripts_alone() {
        let many: &[&[&str]] = &[&["GET", "a"], &["PTTL", "b"], &["SET", "{a}:2", "v"], &["GET", "b"]];
        assert_eq!(shape(many), [vec![0, 2], vec![1, 3]]);
        let scripts: &[&[&str]] =
            &[&["GET", "a"], &["EVALSHA", "hash", "1", "a"], &["EVALSHA", "hash", "1", "a"]];
        assert_eq!(shape(scripts), [[0], [1], [2]]);
    }

    #[test]
    fn what_names_no_key_goes_with_what_does() {
        let load: &[&[&str]] = &[&["SCRIPT", "LOAD", ".."], &["EVALSHA", "hash", "1", "a"], &["GET", "a"]];
        assert_eq!(shape(load), [vec![0, 1], vec![2]]);
        assert_eq!(shape(&[&["GET", "a"], &["INFO"], &["CLIENT", "ID"]]), [[0, 1, 2]]);
        assert_eq!(shape(&[&["PING"]]), [[0]]);
    }
}
