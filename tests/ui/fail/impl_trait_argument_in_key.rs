#![allow(unused_variables)]

use larder::cached;

#[cached]
fn by_value(id: u64, name: impl AsRef<str>) -> usize {
    name.as_ref().len()
}

#[cached]
fn by_reference(id: u64, name: &impl AsRef<str>) -> usize {
    name.as_ref().len()
}

fn main() {}
