use larder::cached;

#[cached(tags("user:{id}"), ttl = "1h")]
fn plain(id: u64, name: &str) -> String {
    format!("{id}{name}")
}

#[cached(key(id))]
async fn later(id: u64, db: &str) -> Result<String, String> {
    Ok(format!("{id}{db}"))
}

#[cached(handle = Other)]
fn under_another_name(id: u64) -> u64 {
    id
}

#[cached]
fn without_arguments() -> u64 {
    7
}

// Its name is taken by a module.
#[cached(handle = none)]
fn module(id: u64) -> u64 {
    id
}

mod module {}

struct Handles;

// Nor does a lower case name need to be free for a type of its own.
#[cached(handle = Handles2)]
fn handles(id: u64) -> u64 {
    let Handles = Handles;
    id
}

struct Transaction<'a>(&'a str);

/// What an argument borrows need not be written out, and what the iterator yields may be borrowed
/// for as long as it likes.
#[cached(skip(transaction))]
fn left_out(id: u64, transaction: &Transaction, name: std::borrow::Cow<str>) -> usize {
    transaction.0.len() + name.len() + id as usize
}

/// Nor where there are type parameters, which are told from what the iterator yields.
#[cached(skip(transaction))]
fn left_out_of_a_generic_one<T, const N: usize>(ids: [T; N], transaction: &Transaction) -> usize
where
    T: Clone + std::hash::Hash + Eq + Send + Sync + 'static,
{
    ids.len() + transaction.0.len()
}

#[cached(skip(read))]
fn unnamed(id: u64, read: &impl Fn(u64) -> u64) -> u64 {
    read(id)
}

fn blocking() {
    assert_eq!(plain(1, "a"), "1a");
    assert_eq!(plain::peek(1, "a").as_deref(), Some("1a"));
    assert!(plain::explain(1, "a").to_string().contains("plain"));
    assert_eq!(plain::refresh(1, "a"), "1a");
    plain::put(1, "a", "put".to_owned());
    assert_eq!(plain(1, "a"), "put");
    assert_eq!(plain::uncached(1, "a"), "1a");
    plain::invalidate(1, "a").expect("l1 alone never fails");
    assert_eq!(plain::peek(1, "a"), None);
    assert_eq!(plain(1, "a"), "1a");
    let calls = (2..5).map(|id| (id, "b"));
    assert_eq!(plain::warm(calls).calls, 3);
    assert_eq!(plain::peek(4, "b").as_deref(), Some("4b"));
    plain::invalidate_all().expect("l1 alone never fails");
    assert_eq!(plain::peek(1, "a"), None);
    assert!(plain::stats().misses() > 0);
    assert_eq!(plain::call_context(1, "a").hash64(), plain::call_context(1, "a").hash64());
    assert_ne!(plain::call_context(1, "a").hash64(), plain::call_context(2, "a").hash64());
}

async fn not_blocking() {
    assert_eq!(later(1, "db").await, Ok("1db".to_owned()));
    assert_eq!(later::peek(1).await, Some(Ok("1db".to_owned())));
    assert!(later::explain(1).await.to_string().contains("later"));
    assert_eq!(later::refresh(1, "other").await, Ok("1other".to_owned()));
    later::put(1, "db", Ok("put".to_owned())).await;
    assert_eq!(later(1, "db").await, Ok("put".to_owned()));
    assert_eq!(later::uncached(1, "db").await, Ok("1db".to_owned()));
    let database = String::from("db");
    let warmed = later::warm([(7, database.as_str()), (8, "db")]).await;
    assert_eq!((warmed.calls, warmed.failures.len()), (2, 0));
    later::invalidate(1).await.expect("l1 alone never fails");
    assert_eq!(later::peek(1).await, None);
    later::invalidate_all().await.expect("l1 alone never fails");
    assert!(later::stats().misses() > 0);
    assert_ne!(later::call_context(1).hash64(), later::call_context(2).hash64());
}

fn main() {
    blocking();
    futures_lite::future::block_on(not_blocking());
    assert_eq!(under_another_name(1), 1);
    assert_eq!(Other::warm(1..=3).calls, 3);
    assert_eq!(Other::peek(3), Some(3));
    let text = String::from("tx");
    let transaction = Transaction(&text);
    let calls = ["a", "b"].map(|name| (1, &transaction, name.into()));
    assert_eq!(left_out::warm(calls).calls, 2);
    assert_eq!(left_out::peek(1, "b".into()), Some(4));
    let calls = [[1_u8, 2], [3, 4]].map(|ids| (ids, &transaction));
    assert_eq!(left_out_of_a_generic_one::warm(calls).calls, 2);
    assert_eq!(left_out_of_a_generic_one::peek([3_u8, 4]), Some(4));
    assert_eq!(unnamed::warm([1, 2].map(|id| (id, &|id| id + 1))).calls, 2);
    assert_eq!(without_arguments(), 7);
    assert_eq!(without_arguments::warm([()]).calls, 1);
    assert_eq!(Other::peek(1), Some(1));
    assert_eq!(module(1), 1);
    assert_eq!(handles(1), 1);
    assert_eq!(Handles2::peek(1), Some(1));
}
