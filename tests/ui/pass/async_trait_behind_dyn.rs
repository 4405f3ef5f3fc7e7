use async_trait::async_trait;
use larder::cached;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[async_trait]
trait Decides: Send + Sync {
    async fn decide(&self, id: u64, name: &str) -> Result<String, String>;

    async fn generic<T: Into<u64> + Clone + std::hash::Hash + Eq + Send + Sync + 'static>(
        &self,
        value: T,
    ) -> u64
    where
        Self: Sized;

    async fn unit(self: Arc<Self>, id: u64);

    async fn pattern(&self, (a, b): (u64, u64), mut last: u64) -> u64;
}

struct Engine {
    tenant: u64,
    calls: AtomicU64,
}

#[async_trait]
impl Decides for Engine {
    #[cached(key(self.tenant, id, name), tags("tenant:{self.tenant}"))]
    async fn decide(&self, id: u64, name: &str) -> Result<String, String> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let id = u8::try_from(id).map_err(|error| error.to_string())?;
        if name.is_empty() {
            return Err("no name".to_owned());
        }
        tokio::task::yield_now().await;
        Ok(format!("{name}{id}"))
    }

    #[cached(key(self.tenant, value))]
    async fn generic<T: Into<u64> + Clone + std::hash::Hash + Eq + Send + Sync + 'static>(
        &self,
        value: T,
    ) -> u64 {
        value.into()
    }

    #[cached(key(self.tenant, id))]
    async fn unit(self: Arc<Self>, id: u64) {
        self.calls.fetch_add(id, Ordering::Relaxed);
    }

    #[cached(skip(self))]
    async fn pattern(&self, (a, b): (u64, u64), mut last: u64) -> u64 {
        last += a;
        last + b
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let engine = Arc::new(Engine { tenant: 1, calls: AtomicU64::new(0) });
    let behind: &dyn DecidesByObject = &*engine;
    for _ in 0..2 {
        assert_eq!(is_send(behind.decide_by_object(1, "a")).await, Ok("a1".to_owned()));
    }
    assert_eq!(engine.calls.load(Ordering::Relaxed), 1);
    assert_eq!(engine.decide(1, "").await, Err("no name".to_owned()));
    assert_eq!(engine.generic(7_u8).await, 7);
    assert_eq!(engine.generic(7_u16).await, 7);
    engine.clone().unit(10).await;
    engine.clone().unit(10).await;
    assert_eq!(engine.calls.load(Ordering::Relaxed), 12);
    assert_eq!(engine.pattern((1, 2), 3).await, 6);
}

#[async_trait]
trait DecidesByObject: Send + Sync {
    async fn decide_by_object(&self, id: u64, name: &str) -> Result<String, String>;
}

#[async_trait]
impl DecidesByObject for Engine {
    async fn decide_by_object(&self, id: u64, name: &str) -> Result<String, String> {
        self.decide(id, name).await
    }
}
