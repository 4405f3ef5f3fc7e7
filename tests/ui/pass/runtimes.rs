use larder::{Runtime, cached};
use std::sync::Arc;

#[derive(Clone)]
struct Engine {
    runtime: Runtime,
    shared: Arc<Runtime>,
}

fn fresh() -> Runtime {
    Runtime::builder().build().expect("a runtime")
}

impl Engine {
    #[cached(runtime = self.runtime, key(id), skip(self), handle = by_field_entry)]
    fn by_field(&self, id: u64) -> u64 {
        id
    }

    #[cached(runtime = self.shared, key(id), skip(self))]
    async fn by_pointer(&self, id: u64) -> u64 {
        id
    }

    #[cached(runtime = self.runtime(), skip(self), when = id > 0)]
    fn by_method(&self, id: u64) -> u64 {
        id
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

#[cached(runtime = fresh())]
fn by_call(id: u64) -> u64 {
    id
}

#[cached(runtime = fresh())]
async fn by_call_later(id: u64) -> u64 {
    id
}

trait Has {
    fn runtime(&self) -> &Runtime;
}

impl Has for Engine {
    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

#[cached(runtime = engine.runtime(), key(id))]
fn by_argument<H: Has>(mut id: u64, engine: &H) -> u64 {
    id += 1;
    engine.runtime();
    id
}

fn main() {
    let engine = Engine { runtime: fresh(), shared: Arc::new(fresh()) };
    assert_eq!(engine.by_field(1), 1);
    assert_eq!(engine.by_field_entry(1).peek(), Some(1));
    assert_eq!(futures_lite::future::block_on(engine.by_pointer(1)), 1);
    assert_eq!(engine.by_method(1), 1);
    assert_eq!(by_call(1), 1);
    assert_eq!(by_call::peek(1), None);
    assert_eq!(futures_lite::future::block_on(by_call_later(1)), 1);
    assert_eq!(by_argument(1, &engine), 2);
    assert_eq!(by_argument::peek(1, &engine), Some(2));
    assert!(by_argument::invalidate_all(&engine).is_ok());
    assert_eq!(by_argument::stats(&engine).misses(), 1);
}
