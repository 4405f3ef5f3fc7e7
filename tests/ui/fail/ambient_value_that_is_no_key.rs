use larder::ambient;
use std::rc::Rc;

struct Tenant(u64);

fn main() {
    ambient::with(Tenant(7), || ());
    ambient::with(Rc::new(7_u64), || ());
    ambient::get::<f64>();
}
