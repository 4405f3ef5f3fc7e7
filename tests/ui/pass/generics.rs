use larder::cached;
use std::fmt::Debug;
use std::hash::Hash;

#[cached]
fn printed<T: Debug + Clone + Hash + Eq + Send + Sync + 'static>(value: T) -> String {
    format!("{value:?}")
}

#[cached]
fn by_reference<T>(value: &T) -> String
where
    T: Debug + Clone + Hash + Eq + Send + Sync + 'static,
{
    format!("{value:?}")
}

#[cached]
fn returned<T: Clone + Hash + Eq + Send + Sync + 'static>(value: T) -> T {
    value
}

#[cached]
fn array<const N: usize, T>(values: [T; N]) -> usize
where
    T: Clone + Hash + Eq + Send + Sync + 'static,
{
    values.len() + N
}

#[cached]
async fn made<T: Default + Clone + Send + Sync + 'static>() -> T {
    T::default()
}

trait Reads {
    type Out: Clone + Send + Sync + 'static;

    fn read(&self, id: u64) -> Self::Out;
}

struct Db(u64);

impl Reads for Db {
    type Out = Vec<u64>;

    fn read(&self, id: u64) -> Vec<u64> {
        vec![self.0, id]
    }
}

#[cached(skip(db))]
fn projected<D: Reads>(db: &D, id: u64) -> <D as Reads>::Out {
    db.read(id)
}

#[cached(skip(db), negative = "1s")]
fn projected_in_option<D: Reads>(db: &D, id: u64) -> Option<D::Out> {
    Some(db.read(id))
}

#[cached(skip(db))]
fn by_name<'a, D, T>(db: &'a D, pair: (T, &'a str)) -> <D as Reads>::Out
where
    D: Reads,
    T: Clone + Hash + Eq + Send + Sync + 'static,
{
    db.read(pair.1.len() as u64)
}

#[cached(skip(db), handle = ByBound)]
fn by_bound<'a, 'b: 'a, D: Reads + 'a>(db: &'a D, name: &'b str, others: &'a str) -> D::Out {
    db.read((name.len() + others.len()) as u64)
}

struct Repository<D> {
    db: D,
}

impl<D: Reads> Repository<D> {
    #[cached(key(id, kind), skip(self), handle = get_entry)]
    fn get<K>(&self, id: u64, kind: K) -> D::Out
    where
        K: Clone + Hash + Eq + Send + Sync + 'static,
    {
        self.db.read(id)
    }
}

fn main() {
    assert_eq!(printed("a"), "\"a\"");
    assert_eq!(printed(1_u8), "1");
    assert_eq!(printed::peek(1_u8).as_deref(), Some("1"));
    assert_eq!(printed::peek(1_u16), None);
    assert_eq!(by_reference(&7_u64), "7");
    assert_eq!(returned(Some(1)), Some(1));
    assert_eq!(array([1_u8, 2, 3]), 6);
    assert_eq!(array::peek([1_u8, 2, 3]), Some(6));
    assert_eq!(array::refresh::<2, u8>([1, 2]), 4);
    assert_eq!(array::warm([[1_u16], [2]]).calls, 2);
    assert_eq!(array::peek([2_u16]), Some(2));
    assert_eq!(by_reference::warm([&1_u8, &2]).calls, 2);
    assert_eq!(by_reference::peek(&2_u8).as_deref(), Some("2"));
    assert_eq!(returned::warm(["a", "b"].map(Some)).calls, 2);
    assert_eq!(by_name::warm([(&Db(1), (2_u8, "a"))]).calls, 1);
    assert_eq!(by_name::peek::<Db, _>((2_u8, "a")), Some(vec![1, 1]));
    assert_eq!(ByBound::warm([(&Db(1), "a", "b")]).calls, 1);
    assert_eq!(ByBound::peek::<Db>("a", "b"), Some(vec![1, 2]));
    assert_eq!(projected::warm([(&Db(1), 3)]).calls, 1);
    let made: u64 = futures_lite::future::block_on(made());
    assert_eq!(made, 0);
    assert_eq!(futures_lite::future::block_on(made::refresh::<String>()), "");
    assert_eq!(projected(&Db(1), 2), [1, 2]);
    assert_eq!(projected::peek::<Db>(2), Some(vec![1, 2]));
    assert_eq!(projected_in_option(&Db(1), 3), Some(vec![1, 3]));
    let repository = Repository { db: Db(4) };
    assert_eq!(repository.get(5, "kind"), [4, 5]);
    assert_eq!(repository.get_entry(5, "kind").peek(), Some(vec![4, 5]));
}
