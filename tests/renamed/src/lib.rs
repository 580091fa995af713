//! Attributes where `larder` has another name in Cargo.toml, and the crate another edition.

use std::sync::Arc;

use store::{cached, invalidates};

/// Of a free function.
#[cached(key = "user:{id}:{names}", ttl = "5m", swr = "1m", tags = ["of:{ret.0}"], when = |user| user.1 > 0, skip = [db])]
pub async fn user(db: &str, id: u64, names: &[String]) -> Result<Arc<(String, u64)>, String> {
    let _ = names;
    Ok(Arc::new((db.to_owned(), id)))
}

/// Without a key, and with `None`.
#[cached(ttl = "5m", negative_ttl = "1s")]
pub fn find(id: u64, name: Option<&str>) -> Option<String> {
    name.map(|name| format!("{name} {id}"))
}

/// What has prices.
pub trait Shop {
    /// The price of so many.
    fn price(&self, n: u8) -> u64;
}

/// A shop.
pub struct Corner(pub u8);

#[cached]
impl Shop for Corner {
    #[cached(key = "price:{self.0}:{n}", ttl = "1m")]
    fn price(&self, n: u8) -> u64 {
        u64::from(n) * u64::from(self.0)
    }
}

/// Of a writer.
#[invalidates(keys = ["price:{shop}:{n}"])]
pub fn set_price(shop: u8, n: u8) -> Result<u8, String> {
    Ok(shop + n)
}

#[cfg(test)]
mod tests {
    use store::{scope_async, Larder};

    use super::*;

    #[tokio::test]
    async fn it_works_by_another_name() {
        let cache = Larder::memory(100);
        scope_async(&cache, async {
            assert_eq!(user("db", 1, &[]).await.expect("loads").1, 1);
            assert_eq!(user::warm([("db", 2, &[][..])], 2).await.done, 1);
            user::prime(3, &[], ("primed".to_owned(), 3)).await.expect("memory answers");
            assert_eq!(user("db", 3, &[]).await.expect("primed").0, "primed");
            assert_eq!((find(1, Some("a")), find(1, None)), (Some("a 1".to_owned()), None));
            assert_eq!(find::key(1, Some("a")), "larder_renamed::find:1:%=a");
            assert_eq!(
                (Corner(2).price(3), Corner(2).price_peek(3).await.expect("memory answers")),
                (6, Some(6))
            );
            set_price(2, 3).expect("writes");
            assert_eq!(Corner(2).price_peek(3).await.expect("memory answers"), None);
        })
        .await;
    }
}
