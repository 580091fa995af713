//! The remote store of the larder cache, over Redis: [`Redis`] keeps the contract of [`Cache`](cache_core::Cache).
//!
//! # How it works
//!
//! One thread speaks with Redis, over one connection, on which everything is pipelined. An operation is a piece of work
//! that is handed to that thread, so it is under way when its method returns, and its reply can be awaited or waited for
//! anywhere. `thread` has the thread, `keeper` connects for ever, `link` is the connection as everybody sees it,
//! `session` sends; `read`, `write` and `strike` are the operations.
//!
//! What is called while the thread is about something else goes together, as one `turn`: the order is read once for all of
//! it, then come the plain sets in the order in which they were called, then `PTTL` for each key that is read, and one
//! `MGET` of 64 keys and the marks of their tags, each mark once. A turn has one task, one deadline and one round trip. What
//! takes several round trips has a task of its own. It begins after what was called before it, and what is called after
//! it is sent after its first command (unless that is a script that Redis has lost, which comes again later).
//!
//! ## What stands in Redis
//!
//! `docs/wire-format.md` has the names and the bytes. The *order* is an epoch and a sequence; the *recent* are the tags that were
//! struck last; an *entry* has a header of its own, its tags and the envelope; a *claim* says who loads a key; a *mark*
//! says when a tag was struck. The epoch is part of every name but that of the order.
//!
//! `PX` is the time it lives, and the milliseconds beyond it. So what is left, and how old it is, follow from `PTTL`: no clock
//! of any machine is compared with that of another.
//!
//! ## Why nothing invalidated is served (G1, G2)
//!
//! *Everything, and the namespace.* The epoch is part of every name. Every operation reads the order beside what it does,
//! in the same round trip and before it; where that names another epoch, what was done does not count and is done again.
//! `clear` writes a new epoch: constant work, and whatever comes late for the old one is written where nobody looks. What
//! the old one holds is swept in the background. If the order is lost (`FLUSHALL`, an eviction, a restart), the next
//! operation draws a new epoch, and all that may be left is dead.
//!
//! *Whatever a server has forgotten that it acknowledged.* A Redis that starts again from its disk, or a replica that takes
//! over, may bring back what was invalidated meanwhile. So an epoch is good only in the run of the server that it began in:
//! whoever connects and finds one of another run begins a new one. (Not on a Cluster, and not where `INFO` is refused.)
//!
//! *A key.* A load asks for a lease before it reads its source. The lease stands where the value stands or would stand: in
//! the header of what is there, or in a placeholder. A script publishes if the lease is still good in what stands there
//! *now*. Every plain `SET` of larder's brings new random numbers, every `DEL` takes them away, and what anybody else
//! writes has none: so all of these void the lease, whoever does them. Publishing voids the older leases only. A place is
//! held beyond the end of its value's life, for ten minutes at most ([`RedisBuilder::max_load`]): what takes longer is not
//! stored.
//!
//! *A pattern.* `SCAN … MATCH`, so the matcher is Redis' own, and `UNLINK`, some keys at a time. A scan meets every key
//! that is there all the while. So it meets the place of each load that began before it, published or not, and takes the
//! lease with it. No order is needed for it.
//!
//! *A tag.* An entry knows the sequence that its load found. To strike a tag, one script raises the sequence, to *s*, notes
//! the tag among the recent ones, and writes *s* into the tag's mark, if it has one. A reader takes an entry only if each of
//! its tags has a mark, and none of them is above the entry's own number. So a late load needs no hindering: what it
//! publishes is older than the mark. (It is told so where that can be known before.)
//!
//! A mark that is missing means invalid. Marks live longer than the longest-lived entry that bears the tag, so they end by
//! themselves; and if Redis evicts one, the entries are lost, not brought back to life. Whoever stores an entry makes the
//! missing marks again, with the number at which the tag was last struck, as the recent ones know it; for tags that they
//! do not know, with the number up to which they have forgotten. Order, recent ones and marks share a slot, and one script
//! looks at them and makes the marks: no strike falls in between.
//!
//! *Marking stale* writes the end of freshness into the entry; for a tag, the first reader does.
//!
//! ## What a round trip holds
//!
//! | operation | round trips | scripts |
//! |---|---:|---|
//! | `get`, `ttl`: nothing, an entry without tags, one whose tags were seen here before | 1 | none |
//! | the same of other tags, or of a counter | 2 | none |
//! | `set` without tags, `invalidate` of a key | 1 | none |
//! | `set` with tags | 2 | marks, lease, store |
//! | a load that misses: `get`, lease, publication (with tags) | 3 (4) | lease, store (marks) |
//! | a load that waits for another process | 2 for each look: `get`, lease | lease |
//! | `delete`, `incr` | 1 | one |
//! | `expire` | 2 | one (two with tags) |
//! | a tag struck, `clear` | 1 | one |
//! | `token`, `read_after` of what was not seen yet | 1 | `token`: one |
//! | `acked` | 1, and 1 for each look until all have handled it | one each |
//! | a pattern | 2 for each 512 keys *of the database*, whoever they belong to | none |
//!
//! and one more where the epoch has changed since the last operation.
//!
//! ## One load for the fleet (G5)
//!
//! Who asks for a lease to load a key ([`Cache::lease`](cache_core::Cache::lease)) leaves a *claim* beside it, in the same
//! script: its lease, and a random number that stands for this handle. Who comes after, and is another one, is told that
//! somebody else loads. A claim is in force only while its lease is good in what stands under the key: so whatever voids the
//! lease, a plain `DEL` or `SET` too, voids the claim, and the next one who asks loads anew.
//!
//! A claim lives for 2.5 seconds, by Redis' own expiry and nobody's clock. Its holder extends it every 0.8 seconds while the
//! load goes on, all claims in one round trip, for 60 seconds in all; a holder that dies is thus replaced within three
//! seconds. Loads that go on for longer than a minute may be joined by others beside them. Losing a claim loses no
//! correctness: whether something is published is for the lease to say.
//!
//! Who waits marks the claim with a `!`. The script that publishes or releases then says so on the channel
//! `larder:<namespace>:over`: a letter for how the load ended (`p` published, `s` given up or invalidated, `u` nothing to be
//! stored, `f` failed), and the name of the key. A process hears that channel over a second connection, which it opens when
//! it first waits and closes when nothing was heard for ten seconds; the claim is asked for again once it stands, so nothing
//! falls in between. Beside that, who waits looks for itself every 0.2 to 0.3 seconds: for what others delete, for messages
//! that are lost, where publishing is not allowed, and where the program handed in its one connection.
//!
//! After a load that failed, or brought nothing to be stored, up to eight may load at once, claim or not: a source that
//! is down is not asked by one process after the other, nor by all at once.
//!
//! ## When Redis is not well (G4)
//!
//! While there is no connection, everything fails at once; a round trip that takes longer than
//! [`RedisBuilder::response_timeout`] breaks the connection for all. An invalidation (or a `set`, or a `delete`) that could
//! not be delivered is queued, and breaks the connection too: there is one again only when the queue has been delivered, in
//! its order; what takes more than three seconds of that, as patterns among many keys do, gives way to one `clear`. So this
//! process reads nothing while something waits. A queue that is full turns into one `clear`;
//! so do invalidations of which too many are under way (`flood`), and nothing is read before that one is done.
//!
//! What was sent over a broken connection may still stand in Redis' buffers, and would be done after what comes later. So
//! the new connection first closes the old one by its number (`CLIENT KILL ID`). Where that is refused, it begins a new
//! epoch, so that whatever the old one can still do does not count.
//!
//! Where Redis is full and writes nothing down, striking a tag or clearing deletes the order: the next epoch is empty, and
//! what the last one held is swept. The name of that epoch stays and is touched by a `PEXPIRE`, which Redis takes all the same:
//! so others are told, each time. What else Redis refuses while it can be reached (a `set`, say) is made good at once: what
//! stands there is removed. Others go on reading meanwhile.
//!
//! ## On a Cluster
//!
//! A key, the header of its counter and the claim to load it share a slot by what stands in braces before their letter, 16 bits of a hash of the
//! key: `larder:<namespace>:<epoch>:{32a4}:k:<key>`. So each script touches one slot: the order with the recent ones and the
//! marks, or a key with its companion and its claim. The server that has the order of a namespace has a part in every
//! operation.
//!
//! Commands of one round trip go to several servers then, and arrive in any order. That is sound:
//!
//! - *The order and what is done beside it.* What a read finds counts if the order that it read is of the epoch that it
//!   asked in. A `clear` that returned before the read began has written another epoch before either is read, whichever is
//!   read first; one that is under way may fall before or after it. A write that comes too late goes to names of an epoch
//!   that is over; it is done again in the new one, or fenced.
//! - *An entry and its marks.* A strike that returned before the read began stands in the mark, whenever that is read; one
//!   that is under way may fall before or after the read. An entry whose mark is not made yet is missed, not served.
//! - *What is left of a life, and the value.* These two need their order; they are of one slot, and what is of one slot
//!   is sent in order.
//!
//! A lease and the order are both taken before the source is read.
//!
//! A scan goes over every primary, by what each says of itself, and again where slots moved meanwhile. An unknown outcome
//! begins a new epoch (no connection can be closed by its number where there are several), and so does a primary
//! that is new or has started anew, once it is noticed: each second, and with each connection.
//!
//! ## What others change
//!
//! Whoever stands in front of the store with copies of its own ([`Cache::listen`](cache_core::Cache::listen)) is told what
//! anybody changes: `notices` has the protocol. Redis tells over the connection that is used for everything else
//! (`CLIENT TRACKING ON BCAST NOLOOP PREFIX larder:<namespace>:`), on a Cluster each primary over its own. So whoever has lost
//! the one has lost the other, and notices within one beat and one [`response_timeout`](RedisBuilder::response_timeout):
//! then it is cut off, until it is connected, is told again, and has delivered what was queued.
//!
//! | changed | told as |
//! |---|---|
//! | an entry: written, deleted, expired, evicted, by whoever | its key |
//! | a name that is touched when a tag is struck; the marks themselves are not watched | its tag |
//! | a name that is touched when somebody asks whether all is handled | nothing; it is answered |
//! | the name that each new epoch writes (`clear`); the whole database flushed | everything |
//!
//! A load takes its place under the key, and publishes there, which are changes, too. Of a key that this process loads or has
//! just loaded, it looks whether all is as it left it; if so, nobody is told. A load of another process makes copies go, and
//! no load void.
//!
//! ## Who has handled it
//!
//! Each handle that somebody listens to is a node, with a lease in the hash `load-larder:<namespace>:{..}:fleet`: renewed in the
//! round trip of each beat, from before anything is believed. `acked` raises a number there and touches a name that is watched;
//! who hears of that has heard of all that came before (on a Cluster it asks each primary first), and writes the number down.
//! `docs/coherence.md` says what that promises, and why it does. Who cannot be in the hash, as its user may not
//! write hashes, keeps nothing in memory, and `health()` says why.
//!
//! A connection that was handed in, a server that knows RESP2 alone, or a user who may not ask for it: nothing is told, and
//! `health()` says why.

mod builder;
mod cache;
mod connect;
mod handle;
mod io;
mod operation;
mod stored;

pub use builder::RedisBuilder;
pub use connect::credentials::Credentials;
#[cfg(feature = "simulated")]
#[doc(hidden)]
pub use connect::simulated::Dialer;
pub use handle::Redis;
