use larder::cached;

#[cached(tags("type:{type}", "raw:{r#type}"), key = "{type}:{r#match}")]
fn r#fn(r#type: u64, r#match: &str) -> u64 {
    r#type + r#match.len() as u64
}

struct Engine {
    r#ref: u64,
}

impl Engine {
    #[cached(key(self.r#ref, r#loop), handle = r#while)]
    fn r#for(&self, r#loop: u64) -> u64 {
        self.r#ref + r#loop
    }
}

#[cached(skip(r#struct))]
fn skipped(r#struct: &Engine, r#enum: u64) -> u64 {
    r#struct.r#ref + r#enum
}

#[cached(r#ttl = "1h")]
fn option(id: u64) -> u64 {
    id
}

fn main() {
    assert_eq!(r#fn(1, "a"), 2);
    assert_eq!(r#fn::peek(1, "a"), Some(2));
    let engine = Engine { r#ref: 1 };
    assert_eq!(engine.r#for(2), 3);
    assert_eq!(engine.r#while(2).peek(), Some(3));
    assert_eq!(skipped(&engine, 2), 3);
    assert_eq!(option(1), 1);
}
