#![allow(unused_variables)]

use larder::cached;

#[cached]
fn by_reference(id: u64, name: &dyn AsRef<str>) -> usize {
    name.as_ref().len()
}

#[cached]
fn in_a_box(id: u64, name: Box<dyn AsRef<str>>) -> usize {
    (*name).as_ref().len()
}

fn main() {}
