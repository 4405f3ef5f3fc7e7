use larder::cached;

use std::rc::Rc;

#[cached]
fn shared_in_this_thread(id: u64) -> Rc<u64> {
    Rc::new(id)
}

fn main() {}
