//! Functions that are async.

use async_trait::async_trait;
use larder::cached;
use std::pin::Pin;

/// Without options.
#[cached]
pub async fn plain(id: u64, name: &str) -> String {
    std::future::ready(()).await;
    format!("{id}{name}")
}

/// Without anything to wait for.
#[cached]
pub async fn at_once(id: u64) -> u64 {
    id
}

/// With arguments that the body consumes and changes.
#[cached(when = id > 0)]
pub async fn consumed(mut id: u64, name: String, (mut a, b): (u64, u64)) -> (u64, String) {
    id += 1;
    a += b;
    (id + a, name)
}

/// With a body that leaves early.
///
/// # Errors
///
/// When the text is no number.
#[cached(negative = "5s")]
pub async fn early(text: &str) -> Result<u64, std::num::ParseIntError> {
    if text.is_empty() {
        return Ok(0);
    }
    let number: u64 = text.parse()?;
    std::future::ready(()).await;
    Ok(number)
}

/// With a body that never comes back.
#[cached]
pub async fn ends_the_process(code: u8) -> u64 {
    std::process::exit(code.into())
}

/// Without a value.
#[cached]
pub async fn unit(_id: u64) {}

/// That calls itself.
#[cached]
pub async fn recursive(id: u64) -> u64 {
    if id < 2 { id } else { recursive(id - 1).await + recursive(id - 2).await }
}

/// By a boxed future.
#[cached]
#[must_use]
pub fn boxed(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { id })
}

/// What decides.
#[async_trait]
pub trait Decides {
    /// Decides.
    ///
    /// # Errors
    ///
    /// When it can't.
    async fn decide(&self, id: u64, name: &str) -> Result<String, String>;

    /// Notes.
    async fn note(&self, id: u64);
}

/// Decides for a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Engine(pub u64);

#[async_trait]
impl Decides for Engine {
    #[cached(key(self.0, id, name), tags("tenant:{self.0}"), ttl = "1m")]
    async fn decide(&self, id: u64, name: &str) -> Result<String, String> {
        let id = u8::try_from(id).map_err(|error| error.to_string())?;
        std::future::ready(()).await;
        Ok(format!("{name}{id}"))
    }

    #[cached(key(self.0, id))]
    async fn note(&self, id: u64) {
        let _: u64 = std::future::ready(id).await;
    }
}
