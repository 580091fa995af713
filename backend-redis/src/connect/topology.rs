//! Which servers of a cluster have what: as each of them says of itself.

use std::time::Duration;

use tokio::time::sleep;

use crate::connect::cluster::Server;
use crate::io::batch::{Batch, text};
use crate::io::failure::Failure;
use crate::io::session::Session;

/// A server that has slots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Primary {
    pub(crate) id: String,
    pub(crate) at: Server,
    /// What it has, and since which change of that.
    owns: (String, String),
    /// Whether some of its slots are on their way from or to it.
    moves: bool,
    /// Of this start of it.
    run: String,
    /// By which number it knows the connection.
    client: Option<i64>,
}

/// What the servers were, in short: who has which slots, and who they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Topology(pub(crate) Vec<Primary>);

impl Topology {
    /// As it is now.
    ///
    /// # Errors
    /// Also if one of the servers that have slots does not answer, or if they do not agree.
    pub(crate) async fn now(session: &Session) -> Result<Self, Failure> {
        // Somebody who has given his last slot away, or was replaced, is known to others somewhat later.
        for _ in 0..10 {
            if let Some(agreed) = Self::agreed(session).await? {
                return Ok(agreed);
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err(Failure::Down("the servers of the cluster do not agree on who has which slots".to_owned()))
    }

    async fn agreed(session: &Session) -> Result<Option<Self>, Failure> {
        let somebody = ask(session, None).await?;
        let mut all = Vec::new();
        for node in somebody.nodes.lines().filter_map(Node::read).filter(Node::is_primary) {
            let Some(at) = node.at() else { continue };
            let itself = ask(session, Some(at.clone())).await?;
            let mine = itself.nodes.lines().filter_map(Node::read).find(|node| node.has("myself"));
            let Some(mine) = mine.filter(|mine| mine.id == node.id && mine.is_primary()) else {
                return Ok(None);
            };
            all.push(Primary {
                id: mine.id.to_owned(),
                at,
                owns: (mine.owned().collect::<Vec<_>>().join(" "), mine.since.to_owned()),
                moves: mine.slots.iter().any(|slots| slots.starts_with('[')),
                run: itself.run,
                client: itself.client,
            });
        }
        all.sort_by(|one, other| one.id.cmp(&other.id));
        Ok((!all.is_empty()).then_some(Self(all)))
    }

    /// Whether everybody has what he had.
    pub(crate) fn owns_the_same(&self, other: &Self) -> bool {
        let owned = |all: &Self| all.0.iter().map(|it| (it.id.clone(), it.owns.clone())).collect::<Vec<_>>();
        owned(self) == owned(other)
    }

    /// Whether all of them are connected to as they were: what a server tells, it tells over the connection that asked it
    /// to.
    pub(crate) fn is_connected_as(&self, other: &Self) -> bool {
        let same = |it: &Primary, other: &Primary| it.id == other.id && it.client == other.client;
        self.0.iter().all(|it| other.0.iter().any(|other| same(it, other)))
    }

    /// Whether slots are on their way.
    pub(crate) fn moves(&self) -> bool {
        self.0.iter().any(|primary| primary.moves)
    }

    /// Whether somebody is a primary now who was none, or who has started anew: he may have forgotten something that was
    /// acknowledged.
    pub(crate) fn has_strangers_to(&self, before: &Self) -> bool {
        let known = |it: &Primary| before.0.iter().any(|other| other.id == it.id && other.run == it.run);
        !self.0.iter().all(known)
    }
}

struct Said {
    nodes: String,
    run: String,
    client: Option<i64>,
}

async fn ask(session: &Session, to: Option<Server>) -> Result<Said, Failure> {
    let is_named = to.is_some();
    let mut batch = Batch { to, ..Batch::default() };
    batch.read(redis::cmd("CLUSTER").arg("NODES").take());
    batch.read(redis::cmd("INFO").arg("server").take());
    batch.read(redis::cmd("CLIENT").arg("ID").take());
    if is_named {
        // Again each time, as redis-rs makes connections anew; where it is not allowed, they have no name.
        batch.read(session.link.settings.name_client());
    }
    let mut answers = session.send(&batch).await?;
    let nodes = text(answers.next()?)?;
    // Where it may not be asked, nobody ever looks new.
    let info = answers.next().and_then(text).unwrap_or_default();
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default().to_owned();
    Ok(Said { nodes, run, client: answers.next_number().ok() })
}

/// A line of `CLUSTER NODES`: id, address, flags, primary, ping, pong, epoch, link, slots.
struct Node<'a> {
    id: &'a str,
    address: &'a str,
    flags: &'a str,
    since: &'a str,
    slots: Vec<&'a str>,
}

impl<'a> Node<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (id, address, flags) = (words.next()?, words.next()?, words.next()?);
        let since = words.nth(3)?;
        let _link = words.next()?;
        Some(Self { id, address, flags, since, slots: words.collect() })
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|it| it == flag)
    }

    /// Whether it has slots, or should.
    fn is_primary(&self) -> bool {
        self.has("master") && self.owned().next().is_some()
    }

    /// From `ip:port@bus[,name]`.
    fn at(&self) -> Option<Server> {
        let (address, rest) = self.address.split_once('@')?;
        let (ip, port) = address.rsplit_once(':')?;
        let name = rest.split(',').nth(1).unwrap_or_default();
        let hosts = [ip, name].into_iter().filter(|host| !host.is_empty()).map(str::to_owned).collect();
        let slot = self.owned().next()?.split('-').next()?.parse().ok()?;
        Some(Server { hosts, port: port.parse().ok()?, slot })
    }

    fn owned(&self) -> impl Iterator<Item = &'a str> {
        self.slots.iter().copied().filter(|slots| !slots.starts_with('['))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let line =
            "ab12 127.0.0.1:7001@17001,host myself,master - 0 0 3 connected 5461-10922 12000 [7->-cd34]";
        let node = Node::read(line).expect("a node");
        assert!(node.has("myself") && node.is_primary());
        assert_eq!((node.id, node.since), ("ab12", "3"));
        let hosts = vec!["127.0.0.1".to_owned(), "host".to_owned()];
        assert_eq!(node.at(), Some(Server { hosts, port: 7001, slot: 5461 }));
        assert_eq!(node.owned().collect::<Vec<_>>(), ["5461-10922", "12000"]);
        let replica = Node::read("cd34 :0@0 slave,fail ab12 0 0 3 disconnected").expect("a node");
        assert!(!replica.is_primary());
        assert!(Node::read("").is_none());
    }
}
