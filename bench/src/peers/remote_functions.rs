//! The same function, kept in Redis by each contestant in its own way, for an hour.
//!
//! Its value is a text: everyone's encoding keeps that as it is.

use crate::truth::{self, compute};
use hitbox::policy::PolicyConfig;
use hitbox_fn::Cache;
use hitbox_redis::{ConnectionMode, RedisBackend};
use multi_tier_cache::{CacheManager, CacheStrategy, CacheSystemBuilder, RedisCache, TierConfig};
use std::error::Error;
use std::future::ready;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long the values are.
pub(crate) const LENGTH: usize = 1_024;
const LIFETIME: Duration = Duration::from_hours(1);

static URL: OnceLock<String> = OnceLock::new();
static HITBOX: OnceLock<Cache<RedisBackend>> = OnceLock::new();
static MULTI_TIER: OnceLock<Arc<CacheManager>> = OnceLock::new();

/// Has the peers use a server. To be awaited once, in the runtime in which they are called; all of them
/// read there, larder too.
pub(crate) async fn connect(url: &str) -> Result<(), Box<dyn Error>> {
    larder::attach_executor();
    URL.get_or_init(|| url.to_owned());
    let backend = RedisBackend::builder().connection(ConnectionMode::single(url)).build()?;
    let policy = PolicyConfig::builder().ttl(LIFETIME).build();
    HITBOX.get_or_init(|| Cache::builder().backend(backend).policy(policy).build());
    // No memory in front of it: its first tier is the server.
    let tier = (Arc::new(RedisCache::with_url(url).await?), TierConfig::as_l1());
    let system = CacheSystemBuilder::new().with_tier(tier.0, tier.1).build().await?;
    MULTI_TIER.get_or_init(|| system.cache_manager);
    Ok(())
}

pub(crate) fn truth(id: u64) -> String {
    truth::text::<LENGTH>(id)
}

#[larder::cached(tier = "l3", ttl = "1h", tags("user:{id}", "all"))]
pub(crate) async fn by_larder(id: u64) -> String {
    compute(ready(truth(id)).await)
}

/// Kept in memory, too.
#[larder::cached(tier = "l1,l3", ttl = "1h", tags("user:{id}"), capacity = 200_000)]
pub(crate) fn number(id: u64) -> u64 {
    compute(truth::number(id))
}

#[cached::macros::concurrent_cached(
    map_error = r#"|fault| format!("{fault}")"#,
    ty = "cached::AsyncRedisCache<u64, String>",
    create = r#"{
        let store = cached::AsyncRedisCache::builder("cached").ttl(LIFETIME);
        let url = URL.get().expect("connected before");
        store.connection_string(url).build().await.expect("the server is there")
    }"#
)]
async fn fallible(id: u64) -> Result<String, String> {
    Ok(compute(ready(truth(id)).await))
}

pub(crate) async fn by_cached(id: u64) -> String {
    fallible(id).await.expect("the server is there")
}

#[hitbox_fn::cached]
async fn boxed(id: u64) -> String {
    compute(ready(truth(id)).await)
}

pub(crate) async fn by_hitbox(id: u64) -> String {
    boxed(id).cache(HITBOX.get().expect("connected before")).await
}

pub(crate) async fn by_multi_tier_cache(id: u64) -> String {
    let manager = MULTI_TIER.get().expect("connected before");
    let lifetime = CacheStrategy::Custom(LIFETIME);
    let key = format!("text:{id}");
    let value = manager.get_or_compute_typed(&key, lifetime, || async move {
        Ok(compute(ready(truth(id)).await))
    });
    value.await.expect("the server is there")
}
