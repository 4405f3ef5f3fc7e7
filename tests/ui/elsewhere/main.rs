//! Edition 2021, and larder by another name.

#![deny(warnings)]
#![forbid(unsafe_code)]

use cache::cached;

trait Names {
    fn name(&self) -> String;
}

impl Names for u64 {
    fn name(&self) -> String {
        self.to_string()
    }
}

#[cached(crate = cache, ttl = "1h", tags("user:{id}", "name:{name.name()}"))]
fn plain(id: u64, name: u64) -> String {
    format!("{id}{}", name.name())
}

#[cached(crate = ::cache, when = !name.is_empty(), key(name.to_owned()), negative = "1s")]
async fn later(name: &str) -> Result<usize, std::num::ParseIntError> {
    std::future::ready(()).await;
    name.parse()
}

mod inner {
    use cache as renamed;

    pub struct Engine {
        pub runtime: renamed::Runtime,
        pub tenant: Option<String>,
    }

    fn elsewhere(engine: &Engine) -> renamed::Runtime {
        engine.runtime.clone()
    }

    impl Engine {
        #[renamed::cached(
            crate = renamed,
            key(self.tenant.as_deref(), r#async),
            runtime = elsewhere(self),
            handle = entry
        )]
        pub fn decide(&self, r#async: u64) -> Option<u64> {
            (r#async > 0).then_some(r#async)
        }
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn it_works_there_too() {
    assert_eq!(plain(1, 2), "12");
    assert_eq!(plain::peek(1, 2).as_deref(), Some("12"));
    assert_eq!(plain::warm([(3, 4)]).calls, 1);
    drop(is_send(later("7")));
    let runtime = cache::Runtime::builder().build().expect("a runtime");
    let engine = inner::Engine { runtime, tenant: Some("a".to_owned()) };
    assert_eq!(engine.decide(1), Some(1));
    assert_eq!(engine.entry(1).peek(), Some(Some(1)));
    assert_eq!(engine.entry(2).peek(), None);
}

fn main() {}
