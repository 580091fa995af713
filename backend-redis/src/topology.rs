//! Which servers of a cluster have what: as each of them says of itself.

use crate::batch::{Batch, text};
use crate::failure::Failure;
use crate::session::Session;

/// A server that has slots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Primary {
    pub(crate) id: String,
    /// One of its slots, by which it is found.
    pub(crate) slot: u16,
    /// What it has, and since which change of that.
    owns: (String, String),
    /// Whether some of its slots are on their way from or to it.
    moves: bool,
    /// Of this start of it.
    run: String,
}

/// What the servers were, in short: who has which slots, and who they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Topology(pub(crate) Vec<Primary>);

impl Topology {
    /// As it is now.
    ///
    /// # Errors
    /// Also if one of the servers that have slots does not answer.
    pub(crate) async fn now(session: &Session) -> Result<Self, Failure> {
        let somebody = ask(session, None).await?;
        let mut all = Vec::new();
        for line in somebody.nodes.lines() {
            let Some(node) = Node::read(line).filter(|node| node.is_primary()) else { continue };
            let Some(slot) = node.first_slot() else { continue };
            let itself = ask(session, Some(slot)).await?;
            let moved = || Failure::Down(format!("slot {slot} of the cluster has just moved"));
            let mine = itself.nodes.lines().filter_map(Node::read).find(|node| node.has("myself"));
            let Some(mine) = mine.filter(|mine| mine.id == node.id && mine.is_primary()) else {
                return Err(moved());
            };
            all.push(Primary {
                id: mine.id.to_owned(),
                slot,
                owns: (mine.owned().collect::<Vec<_>>().join(" "), mine.since.to_owned()),
                moves: mine.slots.iter().any(|slots| slots.starts_with('[')),
                run: itself.run,
            });
        }
        if all.is_empty() {
            return Err(Failure::Down("no server of the cluster has any slots".to_owned()));
        }
        all.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self(all))
    }

    /// Whether everybody has what he had.
    pub(crate) fn owns_the_same(&self, other: &Self) -> bool {
        let owned = |all: &Self| all.0.iter().map(|it| (it.id.clone(), it.owns.clone())).collect::<Vec<_>>();
        owned(self) == owned(other)
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
}

async fn ask(session: &Session, slot: Option<u16>) -> Result<Said, Failure> {
    let mut batch = Batch { to: slot, ..Batch::default() };
    batch.read(redis::cmd("CLUSTER").arg("NODES").take()).read(redis::cmd("INFO").arg("server").take());
    let mut answers = session.send(&batch).await?;
    let nodes = text(answers.next()?)?;
    // Where it may not be asked, nobody ever looks new.
    let info = answers.next().and_then(text).unwrap_or_default();
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default().to_owned();
    Ok(Said { nodes, run })
}

/// A line of `CLUSTER NODES`: id, address, flags, primary, ping, pong, epoch, link, slots.
struct Node<'a> {
    id: &'a str,
    flags: &'a str,
    since: &'a str,
    slots: Vec<&'a str>,
}

impl<'a> Node<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (id, flags) = (words.next()?, words.nth(1)?);
        let since = words.nth(3)?;
        let _link = words.next()?;
        Some(Self { id, flags, since, slots: words.collect() })
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|it| it == flag)
    }

    fn is_primary(&self) -> bool {
        self.has("master") && !self.has("fail")
    }

    fn owned(&self) -> impl Iterator<Item = &'a str> {
        self.slots.iter().copied().filter(|slots| !slots.starts_with('['))
    }

    fn first_slot(&self) -> Option<u16> {
        self.owned().next()?.split('-').next()?.parse().ok()
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
        assert_eq!((node.id, node.since, node.first_slot()), ("ab12", "3", Some(5461)));
        assert_eq!(node.owned().collect::<Vec<_>>(), ["5461-10922", "12000"]);
        let replica = Node::read("cd34 :0@0 slave,fail ab12 0 0 3 disconnected").expect("a node");
        assert!(!replica.is_primary() && replica.first_slot().is_none());
        assert!(Node::read("").is_none());
    }
}
