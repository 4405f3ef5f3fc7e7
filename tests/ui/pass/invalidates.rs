#![deny(warnings)]
#![forbid(unsafe_code)]

use larder::{cached, invalidates};
use std::future::Future;
use std::pin::Pin;

#[cached(tags("user:{id}"))]
fn user(id: u64) -> String {
    id.to_string()
}

type Alias = Result<u64, std::fmt::Error>;

#[invalidates(tags("user:{id}", "user:{name.len()}"), on = user, crate = larder)]
fn returns_early(id: u64, name: &str) -> Alias {
    if name.is_empty() {
        return Err(std::fmt::Error);
    }
    let number: u64 = name.parse().map_err(|_| std::fmt::Error)?;
    Ok(number + id)
}

#[invalidates(tags("user:{id}"))]
fn takes_arguments(mut names: Vec<String>, id: u64) -> Vec<String> {
    names.push(id.to_string());
    names
}

#[invalidates(tags = "all")]
async fn lends<'a>(names: &'a mut Vec<String>) -> &'a str {
    names.push("last".to_owned());
    names.last().expect("it was just pushed")
}

#[invalidates(tags = "all")]
fn lends_at_once<'a>(names: &'a mut Vec<String>) -> Option<&'a str> {
    if names.is_empty() {
        return None;
    }
    names.push("last".to_owned());
    Some(names.last()?)
}

struct Shop {
    sold: Vec<u64>,
}

impl Shop {
    #[invalidates(tags("item:{item}"))]
    fn sell(&mut self, item: u64) -> &[u64] {
        self.sold.push(item);
        &self.sold
    }
}

#[invalidates(on(user))]
pub(crate) fn of_any_type<T: Clone>(value: &T) -> T
where
    T: Send,
{
    value.clone()
}

trait Store {
    fn put(&mut self, id: u64) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send + '_>>;
}

struct Memory(Vec<u64>);

impl Store for Memory {
    #[invalidates(tags("user:{id}"))]
    fn put(&mut self, id: u64) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send + '_>> {
        Box::pin(async move {
            if id == 0 {
                return Err(());
            }
            self.0.push(id);
            Ok(())
        })
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    assert_eq!(returns_early(1, "2"), Ok(3));
    assert_eq!(takes_arguments(Vec::new(), 7), ["7"]);
    assert_eq!(of_any_type(&7), 7);
    assert_eq!(lends_at_once(&mut vec!["first".to_owned()]), Some("last"));
    assert_eq!(lends_at_once(&mut Vec::new()), None);
    assert_eq!(Shop { sold: vec![1] }.sell(2), [1, 2]);
    let (mut names, mut memory) = (Vec::new(), Memory(Vec::new()));
    drop(is_send(lends(&mut names)));
    drop(is_send(memory.put(7)));
    assert_eq!(user(1), "1");
}
