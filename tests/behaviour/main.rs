use larder::cached;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

static N: AtomicU64 = AtomicU64::new(0);
#[cached(ttl = "1h", tags("user:{id}"))]
fn plain(id: u64, name: &str) -> String {
    N.fetch_add(1, SeqCst);
    format!("{id}{name}")
}

#[cached]
fn generic<
    T: std::fmt::Debug + Clone + std::hash::Hash + Eq + Send + Sync + 'static,
    const N: usize,
>(
    x: T,
) -> String {
    format!("{x:?}{N}")
}

#[cached(negative = "5s")]
async fn a(id: u64) -> Result<u64, String> {
    if id == 0 { Err("x".into()) } else { Ok(id) }
}
trait Q {
    fn branch(self) -> u64;
}
#[cached]
async fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1).await + fib(n - 2).await }
}

struct S {
    t: u64,
}
impl S {
    #[cached(key(self.t, x), handle = go_entry)]
    fn go(&self, x: u64) -> u64 {
        self.t + x
    }
    #[cached(key(x), skip(self), handle = none)]
    async fn away(self: Arc<Self>, x: u64) -> u64 {
        self.t + x
    }
}

#[async_trait::async_trait]
trait Eng {
    async fn decide(&self, x: &str) -> Result<String, String>;
}
#[async_trait::async_trait]
impl Eng for S {
    #[cached(key(self.t, x))]
    async fn decide(&self, x: &str) -> Result<String, String> {
        let y = Ok::<_, String>(x.to_owned())?;
        Ok(y)
    }
}
#[test]
fn t() {
    assert_eq!(plain(1, "a"), "1a");
    assert_eq!(plain(1, "a"), "1a");
    assert_eq!(N.load(SeqCst), 1);
    plain::invalidate(1, "a").unwrap();
    assert_eq!(plain(1, "a"), "1a");
    assert_eq!(N.load(SeqCst), 2);
    larder::blocking::invalidate_tag("user:1").unwrap();
    assert_eq!(plain(1, "a"), "1a");
    assert_eq!(N.load(SeqCst), 3);
    println!("{}", plain::explain(1, "a"));
    assert_eq!(generic::<u64, 3>(4), "43");
    assert_eq!(generic::<u64, 4>(4), "44");
    generic::invalidate::<u64, 4>(4).unwrap();
    let s = S { t: 4 };
    assert_eq!(s.go(3), 7);
    s.go_entry(3).invalidate().unwrap();
    assert_eq!(s.go(3), 7);
    println!("{}", larder::stats());
}
fn send<T: Send>(t: T) -> T {
    t
}
#[tokio::test]
async fn u() {
    assert_eq!(send(fib(50)).await, 12586269025);
    let e: Box<dyn Eng + Send + Sync> = Box::new(S { t: 1 });
    assert_eq!(e.decide("x").await, Ok("x".to_owned()));
    send(a::refresh(3)).await;
    println!("{}", larder::stats());
}
