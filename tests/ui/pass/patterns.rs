use larder::cached;

#[derive(Clone, Copy)]
struct Point {
    x: u64,
    y: u64,
}

struct Wrapped(String);

#[cached]
fn structure(Point { x, y: height }: Point) -> u64 {
    x + height
}

#[cached]
fn part_of_it(Point { x, .. }: Point) -> u64 {
    x
}

#[cached]
fn tuple((a, b): (u64, &str), [c, d]: [u64; 2]) -> u64 {
    a + b.len() as u64 + c + d
}

#[cached(skip(b))]
fn half_a_tuple((a, b): (u64, u64)) -> u64 {
    a + b
}

#[cached]
fn taken_apart(Wrapped(name): Wrapped) -> String {
    name
}

#[cached]
fn nothing(_: u64, id: u64) -> u64 {
    id
}

#[cached]
fn changed(mut id: u64, (mut a, b): (u64, u64)) -> u64 {
    id += 1;
    a += id;
    a + b
}

#[cached]
async fn changed_later(mut ids: Vec<u64>) -> usize {
    ids.push(1);
    ids.len()
}

#[cached]
fn by_ref(ref name: String) -> usize {
    name.len()
}

#[cached]
fn with_a_name(whole @ (a, b): (u64, u64)) -> u64 {
    whole.0 + a + b
}

#[cached]
fn whole_tuple(pair: (u64, (&str, Option<&[u8]>))) -> usize {
    pair.1.0.len() + pair.1.1.map_or(0, <[u8]>::len)
}

#[cached]
fn unused(_id: u64) -> u64 {
    7
}

fn main() {
    assert_eq!(structure(Point { x: 1, y: 2 }), 3);
    assert_eq!(structure::peek(Point { x: 1, y: 2 }), Some(3));
    assert_eq!(part_of_it(Point { x: 1, y: 2 }), 1);
    assert_eq!(part_of_it::peek(Point { x: 1, y: 3 }), Some(1));
    assert_eq!(tuple((1, "ab"), [3, 4]), 10);
    assert_eq!(half_a_tuple((1, 2)), 3);
    assert_eq!(half_a_tuple((1, 5)), 3);
    assert_eq!(half_a_tuple::peek((1, 9)), Some(3));
    assert_eq!(taken_apart(Wrapped("a".to_owned())), "a");
    assert_eq!(nothing(1, 2), 2);
    assert_eq!(nothing::peek(2), Some(2));
    assert_eq!(changed(1, (2, 3)), 7);
    assert_eq!(changed::peek(1, (2, 3)), Some(7));
    assert_eq!(futures_lite::future::block_on(changed_later(vec![])), 1);
    assert_eq!(by_ref("abc".to_owned()), 3);
    assert_eq!(with_a_name((1, 2)), 4);
    assert_eq!(whole_tuple((1, ("ab", Some(&[1])))), 3);
    assert_eq!(unused(1), 7);
}
