use larder::cached;
use std::sync::atomic::{AtomicU64, Ordering};

type Answer<T> = Result<T, NoClone>;
type Perhaps = Option<u64>;

#[derive(Debug)]
struct NoClone;

static CALLS: AtomicU64 = AtomicU64::new(0);

#[cached]
fn failing(id: u64) -> Answer<u64> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    if id == 0 { Err(NoClone) } else { Ok(id) }
}

#[cached(negative = "1h")]
fn absent(_id: u64) -> Perhaps {
    CALLS.fetch_add(1, Ordering::Relaxed);
    None
}

#[cached]
fn fallible(id: u64) -> std::io::Result<u64> {
    Ok(id)
}

mod own {
    /// Not that of the standard library.
    #[derive(Clone, PartialEq, Debug)]
    pub enum Result<T, E> {
        Ok(T),
        Err(E),
    }
}

#[cached]
fn own_result(id: u64) -> own::Result<u64, String> {
    if id == 0 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        own::Result::Err("kept like any value".to_owned())
    } else {
        own::Result::Ok(id)
    }
}

fn main() {
    assert!(failing(0).is_err());
    assert!(failing(0).is_err());
    assert_eq!(CALLS.swap(0, Ordering::Relaxed), 2);
    assert_eq!(absent(0), None);
    assert_eq!(absent(0), None);
    assert_eq!(CALLS.swap(0, Ordering::Relaxed), 1);
    assert_eq!(fallible(1).ok(), Some(1));
    assert_eq!(own_result(0), own_result(0));
    assert_eq!(CALLS.swap(0, Ordering::Relaxed), 1);
    assert_eq!(own_result(1), own::Result::Ok(1));
}
