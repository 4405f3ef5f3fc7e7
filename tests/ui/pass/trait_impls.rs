use larder::cached;

trait Decides {
    type Answer;

    const LIMIT: u64;

    fn decide(&self, id: u64) -> Self::Answer;

    async fn decide_soon(&self, id: u64) -> Result<Self::Answer, String>;

    fn limit() -> u64;

    #[cached(key(self.tenant(), id))]
    fn by_default(&self, id: u64) -> u64 {
        self.tenant() + id + Self::LIMIT
    }

    fn tenant(&self) -> u64;
}

struct Engine<T>(T);

impl<T> Decides for Engine<T>
where
    T: Into<u64> + Copy + std::hash::Hash + Eq + Send + Sync + 'static,
{
    type Answer = Option<T>;

    const LIMIT: u64 = 100;

    #[cached(key(self.0, id))]
    fn decide(&self, id: u64) -> Self::Answer {
        (id > 0).then_some(self.0)
    }

    #[cached(key(self.0, id), negative = "1s")]
    async fn decide_soon(&self, id: u64) -> Result<Self::Answer, String> {
        if id > 0 { Ok(Some(self.0)) } else { Err("none".to_owned()) }
    }

    #[cached(handle = none)]
    fn limit() -> u64 {
        Self::LIMIT
    }

    fn tenant(&self) -> u64 {
        self.0.into()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(Engine(1_u8).decide(1), Some(1));
    assert_eq!(Engine(1_u16).decide(1), Some(1));
    assert_eq!(Engine(1_u8).decide(0), None);
    assert_eq!(Engine(1_u8).decide_soon(1).await, Ok(Some(1)));
    assert_eq!(Engine(1_u8).decide_soon(0).await, Err("none".to_owned()));
    assert_eq!(Engine::<u8>::limit(), 100);
    assert_eq!(Engine(2_u32).by_default(3), 105);
    assert_eq!(Engine(2_u32).by_default(3), 105);
}
