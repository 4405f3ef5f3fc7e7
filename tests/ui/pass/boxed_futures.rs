use larder::cached;
use std::future::Future;
use std::pin::Pin;

#[cached]
fn boxed(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    let twice = 2 * id;
    Box::pin(async move { twice + id })
}

#[cached]
fn borrowing<'a>(name: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { name.len() })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(boxed(1).await, 3);
    assert_eq!(boxed::peek(1).await, Some(3));
    assert_eq!(borrowing("abc").await, 3);
    assert_eq!(borrowing::refresh("abc").await, 3);
}
