//! What a body may do.

use std::error::Error;

use larder::{Larder, cached, scope, scope_async};

use super::Runs;

#[test]
fn return_early_and_use_question_marks() {
    #[cached(key = "half:{text}", ttl = "5m")]
    fn half(text: &str) -> Result<u32, Box<dyn Error>> {
        let number: u32 = text.parse()?;
        if number % 2 == 1 {
            return Err("odd".into());
        }
        Ok(number / 2)
    }

    scope(&Larder::memory(100), || {
        assert_eq!(half("8").unwrap(), 4);
        assert_eq!(half("7").unwrap_err().to_string(), "odd");
        assert!(half("?").is_err());
    });
}

#[tokio::test]
async fn return_early_and_use_question_marks_async() {
    #[cached(key = "half:{text}", ttl = "5m")]
    async fn half(text: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
        let number: u32 = text.parse()?;
        tokio::task::yield_now().await;
        if number % 2 == 1 {
            return Err("odd".into());
        }
        Ok(number / 2)
    }

    scope_async(&Larder::memory(100), async {
        assert_eq!(half("8").await.unwrap(), 4);
        assert_eq!(half("7").await.unwrap_err().to_string(), "odd");
        assert!(half("?").await.is_err());
    })
    .await;
}

#[test]
fn see_their_own_arguments_whatever_the_names() {
    #[cached(key = "{key}:{cache}:{result}:{policy}:{builder}:{shape}", ttl = "5m")]
    fn sum(key: u8, cache: u8, result: u8, policy: u8, builder: u8, shape: u8) -> u8 {
        key + cache + result + policy + builder + shape
    }

    #[cached(key = "{sum2}:{larder}:{r#type}", ttl = "5m")]
    fn sum2(sum2: u8, larder: u8, r#type: u8) -> u8 {
        sum2 + larder + r#type
    }

    scope(&Larder::memory(100), || {
        assert_eq!(sum(1, 2, 3, 4, 5, 6), 21);
        assert_eq!(sum::key(1, 2, 3, 4, 5, 6), "1:2:3:4:5:6");
        assert_eq!(sum2(1, 2, 3), 6);
        assert_eq!(sum2::key(1, 2, 3), "1:2:3");
    });
}

#[test]
fn change_and_consume_their_arguments() {
    #[cached(key = "sorted:{words}", ttl = "5m", tags = ["words:{words}"])]
    fn sorted(mut words: Vec<String>) -> Vec<String> {
        words.sort();
        words
    }

    scope(&Larder::memory(100), || {
        let words = || vec!["b".to_owned(), "a".to_owned()];
        assert_eq!(sorted(words()), ["a", "b"]);
        assert_eq!(sorted(words()), ["a", "b"]);
    });
}

#[test]
fn call_themselves() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "fib:{n}", ttl = "5m")]
    fn fib(n: u64) -> u64 {
        RUNS.next();
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }

    scope(&Larder::memory(100), || {
        assert_eq!(fib(50), 12_586_269_025);
        assert_eq!(RUNS.count(), 51);
    });
}

#[tokio::test]
async fn call_themselves_async() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "fib:{n}", ttl = "5m")]
    async fn fib(n: u64) -> u64 {
        RUNS.next();
        if n < 2 { n } else { Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await }
    }

    scope_async(&Larder::memory(100), async {
        assert_eq!(fib(50).await, 12_586_269_025);
        assert_eq!(RUNS.count(), 51);
    })
    .await;
}
