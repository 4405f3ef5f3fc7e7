use larder::cached;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Engine {
    tenant: u64,
    name: String,
}

impl Engine {
    #[cached(key(self.tenant, id), handle = by_field_entry)]
    fn by_field(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cached(key(self, id), handle = whole_entry)]
    pub(crate) async fn whole(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cached(skip(self))]
    fn shared(&self, id: u64) -> u64 {
        id
    }

    #[cached(key(self))]
    fn consumed(self) -> String {
        self.name
    }

    #[cached(key(self.name, suffix))]
    fn changed(mut self, mut suffix: String) -> String {
        suffix.push('!');
        self.name.push_str(&suffix);
        self.name
    }

    #[cached(key(self, id), handle = in_arc_entry)]
    async fn in_arc(self: Arc<Self>, id: u64) -> u64 {
        self.tenant + id
    }

    #[cached(key(self.tenant), handle = in_box_entry)]
    fn in_box(self: Box<Self>) -> u64 {
        self.tenant
    }

    #[cached(key(self.tenant))]
    fn in_rc(self: Rc<Self>) -> u64 {
        self.tenant
    }

    #[cached(key(self.tenant))]
    fn pinned(self: Pin<&Self>) -> u64 {
        self.tenant
    }

    #[cached(key(self.tenant))]
    fn behind_two(self: &Arc<Self>) -> u64 {
        self.tenant
    }

    #[cached(key = "{self.tenant}:{self.name}:{id}", handle = readable_entry)]
    fn readable(&self, id: u64) -> u64 {
        id
    }

    #[cached(handle = create_entry)]
    fn create(tenant: u64) -> Self {
        Self { tenant, name: String::new() }
    }

    #[cached(handle = none)]
    fn count(tenant: u64) -> u64 {
        tenant
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let engine = Engine { tenant: 1, name: "a".to_owned() };
    assert_eq!(engine.by_field(2), 3);
    assert_eq!(engine.by_field_entry(2).peek(), Some(3));
    engine.by_field_entry(2).invalidate().expect("l1 alone never fails");
    assert_eq!(engine.by_field_entry(2).peek(), None);

    assert_eq!(engine.whole(2).await, 3);
    assert_eq!(engine.whole_entry(2).peek().await, Some(3));
    let put = engine.whole_entry(2);
    put.put(9, engine.whole(2)).await;
    assert_eq!(engine.whole(2).await, 9);

    assert_eq!(engine.shared(5), 5);
    assert_eq!(engine.clone().consumed(), "a");
    assert_eq!(engine.clone().changed("b".to_owned()), "ab!");
    let arc = Arc::new(engine.clone());
    assert_eq!(arc.clone().in_arc(4).await, 5);
    assert_eq!(arc.clone().in_arc_entry(4).peek().await, Some(5));
    assert_eq!(Box::new(engine.clone()).in_box(), 1);
    assert_eq!(Box::new(engine.clone()).in_box_entry().peek(), Some(1));
    assert_eq!(Rc::new(engine.clone()).in_rc(), 1);
    assert_eq!(Pin::new(&engine).pinned(), 1);
    assert_eq!(arc.behind_two(), 1);
    assert_eq!(engine.readable(6), 6);
    assert_eq!(engine.readable_entry(6).peek(), Some(6));
    assert_eq!(Engine::create(7).tenant, 7);
    assert!(Engine::create_entry(7).peek().is_some());
    assert_eq!(Engine::count(8), 8);
}
