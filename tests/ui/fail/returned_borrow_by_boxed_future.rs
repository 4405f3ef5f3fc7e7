#![allow(unused_variables)]

use larder::cached;

use async_trait::async_trait;

struct Engine;

#[async_trait]
trait Decides {
    async fn decide(&self, name: &str) -> &str;
}

#[async_trait]
impl Decides for Engine {
    #[cached(skip(self))]
    async fn decide(&self, name: &str) -> &str {
        ""
    }
}

fn main() {}
