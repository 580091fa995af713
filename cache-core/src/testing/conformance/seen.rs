//! What others see of a change, and tokens for it.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{MS, Subject, fresh_for, ok, sentences};
use crate::error::Result;
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::token::Token;

sentences! {
    a_change_is_acknowledged_in_the_end
    a_token_is_text_and_can_be_read_after
    tokens_of_other_stores_stop_nobody
}

/// Longer than any lease.
const LIMIT: Duration = Duration::from_secs(30);

/// The answer of a reply that may wait for time to pass, the backend's or the real one: for the lease of somebody who is
/// not there any more.
#[track_caller]
fn in_time<T>(subject: &Subject<'_>, reply: Reply<'_, T>) -> Result<T> {
    let (mut reply, mut cx) = (pin!(reply), Context::from_waker(Waker::noop()));
    let (began, mut turns) = (Instant::now(), 0);
    while began.elapsed() < LIMIT {
        if let Poll::Ready(answer) = reply.as_mut().poll(&mut cx) {
            return answer;
        }
        // First what answers by itself.
        turns += 1;
        sleep(MS * 5);
        if turns % 100 == 0 {
            (subject.advance)(MS * 1000);
        }
    }
    panic!("it is not answered within {LIMIT:?}")
}

/// `acknowledged` answers after any change, and changes nothing.
pub fn a_change_is_acknowledged_in_the_end(s: &Subject<'_>) {
    s.store("seen:a", "1", fresh_for(3_600_000), &[]);
    in_time(s, s.cache.acknowledged()).expect("nobody else is there, or he handles it");
    assert!(s.get("seen:a").is_some(), "nothing is removed by it");
    ok(s.cache.invalidate(Target::Key("seen:a"), Strength::Remove));
    in_time(s, s.cache.acknowledged()).expect("nobody else is there, or he handles it");
    assert!(s.get("seen:a").is_none());
}

/// What was written before a token was taken, who reads after it sees.
pub fn a_token_is_text_and_can_be_read_after(s: &Subject<'_>) {
    for value in ["1", "2"] {
        s.store("seen:t", value, fresh_for(3_600_000), &[]);
        let token = ok(s.cache.token());
        let text = token.to_string();
        assert_eq!(text.parse::<Token>().expect("as it was written"), token);
        ok(s.cache.read_after(&token));
        let entry = s.get("seen:t").expect("it was stored");
        assert_eq!(*entry.value.downcast::<String>().expect("a text"), value);
        ok(s.cache.read_after(&token));
    }
}

/// A token that this store knows nothing of is no error.
pub fn tokens_of_other_stores_stop_nobody(s: &Subject<'_>) {
    for token in [Token::default(), Token::new(0x5ee4, 1), Token::new(u64::MAX, u64::MAX)] {
        ok(s.cache.read_after(&token));
    }
}
