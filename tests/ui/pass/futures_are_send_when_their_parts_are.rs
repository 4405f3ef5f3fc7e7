use larder::cached;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

#[cached(tags("user:{id}"), when = id > 0, context, wait = "1s")]
async fn sends(id: u64, name: &str, list: Vec<String>) -> Result<Arc<str>, String> {
    std::future::ready(()).await;
    Ok(format!("{id}{name}{}", list.len()).into())
}

#[cached(skip(cell))]
async fn stays(id: u64, cell: Rc<Cell<u64>>) -> u64 {
    let before = cell.get();
    std::future::ready(()).await;
    cell.set(before + id);
    cell.get()
}

#[cached(skip(fails))]
async fn fails_in_this_thread(id: u64, fails: bool) -> Result<u64, Rc<str>> {
    if fails { Err("not to be sent".into()) } else { Ok(id) }
}

#[cached(runtime = runtime, key(id))]
async fn elsewhere(id: u64, runtime: larder::Runtime) -> u64 {
    id
}

struct Engine(u64);

impl Engine {
    #[cached(key(self.0, id), handle = entry)]
    async fn decide(&self, id: u64) -> Option<u64> {
        std::future::ready(()).await;
        Some(id)
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    let block_on = |future| futures_lite::future::block_on(future);
    drop(assert_send(sends(1, "a", vec![])));
    drop(assert_send(sends::refresh(1, "a", vec![])));
    drop(assert_send(sends::invalidate(1, "a", vec![])));
    drop(assert_send(sends::peek(1, "a", vec![])));
    drop(assert_send(sends::explain(1, "a", vec![])));
    drop(assert_send(sends::put(1, "a", vec![], Ok("b".into()))));
    drop(assert_send(sends::uncached(1, "a", vec![])));
    drop(assert_send(sends::warm([(1, "a", vec![])])));
    drop(assert_send(sends::invalidate_all()));
    drop(assert_send(Engine(1).decide(1)));
    drop(assert_send(Engine(1).entry(1)));
    drop(assert_send(Engine(1).entry(1).invalidate()));
    let runtime = larder::Runtime::builder().build().expect("a runtime");
    drop(assert_send(elsewhere(1, runtime.clone())));
    drop(assert_send(elsewhere::invalidate_all(runtime)));
    assert_eq!(block_on(stays(1, Rc::new(Cell::new(2)))), 3);
    assert_eq!(futures_lite::future::block_on(fails_in_this_thread(1, false)), Ok(1));
    assert!(futures_lite::future::block_on(fails_in_this_thread(2, true)).is_err());
}
