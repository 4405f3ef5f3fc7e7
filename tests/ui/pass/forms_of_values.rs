use larder::cached;

const LIMIT: usize = 128;

#[cached(tier(l1), ttl(l1 = "30s"), tags = "a, b:{id}", capacity = LIMIT)]
fn first(id: u64) -> u64 {
    id
}

#[cached(tier = ["l1"], tags = ["a", "b:{id}"], capacity = 2 * 64,)]
fn second(id: u64) -> u64 {
    id
}

#[cached(tier("l1"), tags("a", "b:{id}"), capacity = 0x80)]
fn third(id: u64) -> u64 {
    id
}

#[cached()]
fn nothing(id: u64) -> u64 {
    id
}

fn main() {
    assert_eq!([first(1), second(2), third(3), nothing(4)], [1, 2, 3, 4]);
    assert_eq!(first::stats().misses(), 1);
}
