//! Who larder is to Redis.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use redis::ConnectionInfo;

use crate::io::failure::Failure;

/// A user's name, if any, and a password or token. Never shown, not even by `Debug`.
#[derive(Clone)]
pub struct Credentials {
    user: Option<Box<str>>,
    password: Box<str>,
}

impl Credentials {
    /// Those of the default user, or of the one that the URL or the builder names.
    pub fn password(password: impl Into<Box<str>>) -> Self {
        Self { user: None, password: password.into() }
    }

    /// Those of `user`.
    pub fn user(user: impl Into<Box<str>>, password: impl Into<Box<str>>) -> Self {
        Self { user: Some(user.into()), password: password.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<Credentials, String>> + Send>>;

/// Who is asked for credentials at each connect.
#[derive(Clone)]
pub(crate) struct Provider(Arc<dyn Fn() -> Asked + Send + Sync>);

impl Provider {
    pub(crate) fn new<F, E>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self(Arc::new(move || {
            let asked = ask();
            Box::pin(async move { asked.await.map_err(|error| error.into().to_string()) })
        }))
    }

    /// `info`, with the credentials that are good now.
    pub(crate) async fn complete(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Failure> {
        let ask = self.0.clone();
        // As a task, so that a panic in the program's function does not end the keeper.
        let asked = tokio::spawn(async move { ask().await }).await;
        let no_answer = |why: String| Failure::Down(format!("the credentials function gave none: {why}"));
        let Credentials { user, password } = match asked {
            Ok(answer) => answer.map_err(no_answer)?,
            Err(_) => return Err(no_answer("it panicked".to_owned())),
        };
        let mut login = info.redis_settings().clone().set_password(password);
        if let Some(user) = user {
            login = login.set_username(user);
        }
        Ok(info.set_redis_settings(login))
    }
}
