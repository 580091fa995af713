//! What things are called in Redis. The one place that knows it; the table stands in the crate's documentation.

use std::fmt::Write;

use cache_core::Pattern;
use redis::Cmd;

use crate::io::notices::Watched;
use crate::stored::slot::FOREVER;

/// The names of one cache: of its namespace.
#[derive(Debug)]
pub(crate) struct Names {
    root: String,
    /// What makes the order and the marks share a slot, in braces.
    order: String,
    /// Whether they are spread over slots. Then a key and its companion bear what makes them share one.
    spread: bool,
}

/// A key and its companion, in one epoch.
pub(crate) struct Keys {
    pub(crate) entry: String,
    pub(crate) companion: String,
}

impl Names {
    pub(crate) fn new(namespace: &str, spread: bool) -> Self {
        // Braces would choose a slot.
        let namespace = namespace.replace('%', "%25").replace('{', "%7B").replace('}', "%7D");
        Self { root: format!("larder:{namespace}:"), order: format!("{{{namespace}:order}}"), spread }
    }

    /// The order. It, the recent strikes and all marks share a slot.
    pub(crate) fn order(&self) -> String {
        format!("{}{}", self.root, self.order)
    }

    /// Where each new epoch is written, so that whoever is told of changes is told of it.
    pub(crate) fn newest(&self) -> String {
        format!("{}{}:newest", self.root, self.order)
    }

    /// Who is there, and what they have handled. It begins otherwise than all that is watched: it is written each second.
    pub(crate) fn fleet(&self) -> String {
        format!("load-{}{}:fleet", self.root, self.order)
    }

    /// What the names begin with that are touched to ask all others whether they have handled what they were told.
    pub(crate) fn ask(&self) -> String {
        format!("{}{}:ask:", self.root, self.order)
    }

    /// What the names begin with by which a connection looks whether it is told anything. Nobody else watches them.
    pub(crate) fn probe(&self) -> String {
        format!("load-{}{}:probe:", self.root, self.order)
    }

    /// Has all be told who are told of changes, also where Redis has no room to write: it takes this where it takes no `SET`.
    pub(crate) fn touch_newest(&self) -> Cmd {
        // As long as anything lives; an epoch that begins takes the end away again.
        redis::cmd("PEXPIRE").arg(self.newest()).arg(FOREVER).take()
    }

    /// What all names begin with that others may have copies of.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// What a name stands for.
    pub(crate) fn read<'n>(&self, name: &'n str) -> Option<Watched<'n>> {
        let Some(name) = name.strip_prefix(&self.root) else {
            let number = name.strip_prefix("load-")?.strip_prefix(&self.root)?.strip_prefix(&self.order)?;
            return Some(Watched::Probe(u64::from_str_radix(number.strip_prefix(":probe:")?, 16).ok()?));
        };
        if let Some(rest) = name.strip_prefix(&self.order) {
            return match rest.strip_prefix(":ask:") {
                Some(ask) => {
                    let (of, number) = ask.split_once(':')?;
                    Some(Watched::Ask(u64::from_str_radix(of, 16).ok()?, number.parse().ok()?))
                }
                None => (rest == ":newest").then_some(Watched::Epoch),
            };
        }
        let (epoch, rest) = name.split_at_checked(16)?;
        u64::from_str_radix(epoch, 16).ok()?;
        let mut rest = rest.strip_prefix(':')?;
        if self.spread {
            rest = rest.strip_prefix('{')?.split_once("}:")?.1;
        }
        match rest.split_once(':')? {
            ("k", key) => Some(Watched::Key(key)),
            ("t", tag) => Some(Watched::Tag(tag)),
            _ => None,
        }
    }

    pub(crate) fn recent(&self) -> String {
        format!("{}{}:recent", self.root, self.order)
    }

    pub(crate) fn entry(&self, epoch: u64, key: &str) -> String {
        self.of(epoch, ":k:", key)
    }

    pub(crate) fn keys(&self, epoch: u64, key: &str) -> Keys {
        Keys { entry: self.entry(epoch, key), companion: self.of(epoch, ":c:", key) }
    }

    /// Who loads a key for the whole fleet. It begins otherwise than all that may be watched for changes.
    pub(crate) fn claim(&self, epoch: u64, key: &str) -> String {
        format!("load-{}", self.of(epoch, ":l:", key))
    }

    /// The channel on which those who wait for a load are told that it is over.
    pub(crate) fn channel(&self) -> String {
        format!("{}over", self.root)
    }

    fn of(&self, epoch: u64, letter: &str, key: &str) -> String {
        if self.spread {
            self.name(epoch, &format!(":{{{:04x}}}{letter}", short_hash(key)), key)
        } else {
            self.name(epoch, letter, key)
        }
    }

    /// The mark of a tag. It begins otherwise than all that is watched for changes: it is written also where its tag is not
    /// struck.
    pub(crate) fn mark(&self, epoch: u64, tag: &str) -> String {
        format!("load-{}", self.struck(epoch, tag))
    }

    /// What is touched when a tag is struck, so that whoever is told of changes is told of that.
    pub(crate) fn struck(&self, epoch: u64, tag: &str) -> String {
        if self.spread {
            self.name(epoch, &format!(":{}:t:", self.order), tag)
        } else {
            self.name(epoch, ":t:", tag)
        }
    }

    fn name(&self, epoch: u64, letter: &str, rest: &str) -> String {
        let mut name = String::with_capacity(self.root.len() + 16 + letter.len() + rest.len());
        name.push_str(&self.root);
        // A string takes whatever is written.
        let _ = write!(name, "{epoch:016x}");
        name.push_str(letter);
        name.push_str(rest);
        name
    }

    /// The glob of the entries whose keys `pattern` matches.
    pub(crate) fn glob(&self, epoch: u64, pattern: &str) -> String {
        let start = format!("{}{epoch:016x}:", self.root);
        let slot = if self.spread { "{????}:" } else { "" };
        Pattern::literal_then(&start, &format!("{slot}k:{pattern}"))
    }

    /// The glob of all that one epoch holds, or all epochs; and of more, which [`epoch_of`](Self::epoch_of) tells apart.
    pub(crate) fn whole(&self, epoch: Option<u64>) -> String {
        let glob = match epoch {
            Some(epoch) => Pattern::literal_then(&format!("{}{epoch:016x}:", self.root), "*"),
            None => Pattern::literal_then(&self.root, "????????????????:*"),
        };
        format!("*{glob}")
    }

    /// The epoch that a name is of.
    pub(crate) fn epoch_of(&self, name: &[u8]) -> Option<u64> {
        let name = name.strip_prefix(b"load-").unwrap_or(name).strip_prefix(self.root.as_bytes())?;
        let digits = name.get(..16)?;
        u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    }

    /// The companion of an entry by the entry's own name, as a scan found it.
    pub(crate) fn companion_of(&self, entry: &[u8]) -> Vec<u8> {
        let mut name = entry.to_vec();
        // Root, 16 digits, a colon, what stands for the slot, the letter.
        let slot = if self.spread { 7 } else { 0 };
        if let Some(letter) = name.get_mut(self.root.len() + 17 + slot) {
            *letter = b'c';
        }
        name
    }
}

/// 16 bits of a key, which choose its slot: FNV-1a, folded.
fn short_hash(key: &str) -> u16 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = key.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 16) ^ (hash >> 32) ^ (hash >> 48)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_companion_are_told_from_each_other_by_a_letter() {
        for spread in [false, true] {
            let names = Names::new("n", spread);
            for key in ["k", "k:c:", "{a}b", "é"] {
                let Keys { entry, companion } = names.keys(7, key);
                assert_eq!(names.companion_of(entry.as_bytes()), companion.as_bytes());
                let glob = Pattern::new(&names.glob(7, "*")).expect("a pattern");
                assert!(glob.matches(&entry) && !glob.matches(&companion), "{entry}");
            }
        }
        let names = Names::new("n", true);
        assert_eq!(names.entry(7, "k"), "larder:n:0000000000000007:{32a4}:k:k");
        assert_eq!(names.claim(7, "k"), "load-larder:n:0000000000000007:{32a4}:l:k");
    }

    /// What stands between the first `{` and the next `}` chooses the slot, if there is anything.
    fn chooses(name: &str) -> &str {
        name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or(name, |(inside, _)| inside)
    }

    #[test]
    fn what_a_script_touches_shares_a_slot_in_any_namespace() {
        for namespace in ["", "n", "{}", "{", "}{", "a{b}c", "{}{a}"] {
            let names = Names::new(namespace, true);
            let Keys { entry, companion } = names.keys(7, "{x}y");
            let claim = names.claim(7, "{x}y");
            assert_eq!([chooses(&companion), chooses(&claim)], [chooses(&entry); 2], "{namespace}");
            let touched = [
                names.fleet(),
                names.ask(),
                names.recent(),
                names.newest(),
                names.mark(7, "{x}y"),
                names.struck(7, "{x}y"),
            ];
            assert!(touched.iter().all(|name| chooses(name) == chooses(&names.order())), "{namespace}");
        }
        assert_ne!(Names::new("%7B", true).order(), Names::new("{", true).order());
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for (namespace, spread) in [("", false), ("n", false), ("n", true), ("a{b}:c", true)] {
            let names = Names::new(namespace, spread);
            for text in ["k", "k:t:{x}:y", "é:{}"] {
                let (key, tag) = (names.entry(7, text), names.struck(7, text));
                assert_eq!(names.read(&key), Some(Watched::Key(text)), "{key}");
                assert_eq!(names.read(&tag), Some(Watched::Tag(text)), "{tag}");
                let Keys { companion, .. } = names.keys(7, text);
                let (claim, mark) = (names.claim(7, text), names.mark(7, text));
                assert_eq!([&companion, &claim, &mark].map(|name| names.read(name)), [None, None, None]);
            }
            assert_eq!(names.read(&names.newest()), Some(Watched::Epoch));
            let ask = format!("{}00000000000000ab:12", names.ask());
            assert_eq!(names.read(&ask), Some(Watched::Ask(0xab, 12)));
            let probe = format!("{}{:x}", names.probe(), u64::MAX);
            assert_eq!(names.read(&probe), Some(Watched::Probe(u64::MAX)));
            assert!(!probe.starts_with(names.root()), "others watch all of that");
            for other in [
                names.order(),
                names.recent(),
                names.fleet(),
                names.ask(),
                "larder:".to_owned(),
                "x".to_owned(),
                "larder:é".to_owned(),
            ] {
                assert_eq!(names.read(&other), None, "{other}");
            }
        }
    }

    #[test]
    fn a_name_tells_its_epoch() {
        let names = Names::new("n", true);
        for name in [names.entry(7, "k"), names.struck(7, "t"), names.mark(7, "t"), names.claim(7, "k")] {
            assert_eq!(names.epoch_of(name.as_bytes()), Some(7), "{name}");
            assert!(Pattern::new(&names.whole(None)).expect("a pattern").matches(&name));
        }
        let of_others = format!("x{}", names.entry(7, "k"));
        for name in [names.order(), of_others, Names::new("m", true).entry(7, "k")] {
            assert_eq!(names.epoch_of(name.as_bytes()), None, "{name}");
        }
    }
}
