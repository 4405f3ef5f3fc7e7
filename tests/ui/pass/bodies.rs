use larder::cached;

#[cached]
fn consumes(name: String, list: Vec<u64>) -> (String, Vec<u64>) {
    (name, list)
}

#[cached]
async fn consumes_later(name: String, list: Vec<u64>) -> (String, Vec<u64>) {
    (name, list)
}

#[cached]
fn returns_early(id: u64) -> Result<u64, std::num::ParseIntError> {
    if id == 0 {
        return Ok(0);
    }
    let parsed: u64 = id.to_string().parse()?;
    Ok(parsed)
}

#[cached]
async fn returns_early_later(id: u64) -> Option<u64> {
    if id == 0 {
        return None;
    }
    let more = id.checked_add(1)?;
    std::future::ready(()).await;
    Some(more)
}

#[cached]
fn never_comes_back(id: u64) -> u64 {
    panic!("no answer for {id}")
}

#[cached]
async fn is_still_to_be_written(_id: u64) -> Vec<u8> {
    todo!()
}

#[cached]
fn loops(id: u64) -> u64 {
    let mut left = id;
    loop {
        if left == 0 {
            break id;
        }
        left -= 1;
    }
}

#[cached]
fn with_attributes_inside(id: u64) -> u64 {
    #![allow(unused_variables)]
    let nothing = 0;
    id
}

#[cached]
async fn with_attributes_inside_later(id: u64) -> u64 {
    #![allow(unused_variables)]
    //! And a line of documentation.
    let nothing = 0;
    id
}

#[cached]
fn infers_its_type(id: u64) -> Vec<u64> {
    let ids = (0..id).collect();
    ids
}

#[cached]
fn recursive(id: u64) -> u64 {
    if id < 2 { id } else { recursive(id - 1) + recursive(id - 2) }
}

#[cached]
async fn recursive_later(id: u64) -> u64 {
    if id < 2 { id } else { recursive_later(id - 1).await + recursive_later(id - 2).await }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    let block_on = futures_lite::future::block_on::<(String, Vec<u64>)>;
    assert_eq!(consumes("a".to_owned(), vec![1]), ("a".to_owned(), vec![1]));
    assert_eq!(block_on(consumes_later("a".to_owned(), vec![1])), ("a".to_owned(), vec![1]));
    assert_eq!(returns_early(7), Ok(7));
    assert_eq!(futures_lite::future::block_on(returns_early_later(7)), Some(8));
    assert!(std::panic::catch_unwind(|| never_comes_back(1)).is_err());
    drop(is_still_to_be_written(1));
    assert_eq!(loops(3), 3);
    assert_eq!(with_attributes_inside(1), 1);
    drop(with_attributes_inside_later(1));
    assert_eq!(infers_its_type(2), [0, 1]);
    assert_eq!(recursive(50), 12_586_269_025);
    assert_eq!(futures_lite::future::block_on(is_send(recursive_later(50))), 12_586_269_025);
}
