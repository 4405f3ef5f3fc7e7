#![allow(unused_variables)]

use larder::cached;

#[cached]
fn fill(id: u64, buffer: &mut Vec<u8>) -> usize {
    buffer.len()
}

#[cached]
fn fill_inside(buffer: Option<&mut Vec<u8>>) -> usize {
    0
}

fn main() {}
