use larder::cached;
use std::sync::Arc;

trait Parses<'a, T>: Send + Sync {
    fn parse(&self, text: &'a str) -> Option<T>;
}

struct Length;

impl<'a> Parses<'a, usize> for Length {
    fn parse(&self, text: &'a str) -> Option<usize> {
        Some(text.len())
    }
}

#[cached]
fn function(id: u64) -> Arc<dyn Fn(&str) -> usize + Send + Sync> {
    Arc::new(move |text| text.len() + id as usize)
}

#[cached]
fn pointer(_id: u64) -> fn(&str) -> &str {
    |text| text
}

#[cached]
fn object(_id: u64) -> Arc<dyn for<'a> Parses<'a, usize>> {
    Arc::new(Length)
}

#[cached]
fn array(id: u64) -> [u64; 2 + 1] {
    [id; 3]
}

#[cached]
fn nested(id: u64) -> Result<Option<Arc<[u64]>>, Arc<std::io::Error>> {
    Ok(Some([id].into()))
}

fn main() {
    assert_eq!(function(1)("ab"), 3);
    assert_eq!(pointer(1)("ab"), "ab");
    assert_eq!(object(1).parse("ab"), Some(2));
    assert_eq!(array(1), [1, 1, 1]);
    assert_eq!(nested(1).unwrap().unwrap()[0], 1);
}
