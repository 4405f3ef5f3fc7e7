use larder::cached;

#[cached]
fn in_a_vector(xs: Vec<f64>) -> usize {
    xs.len()
}

#[cached]
fn in_a_slice(xs: &[f32]) -> usize {
    xs.len()
}

#[cached]
fn in_an_option(x: Option<f64>) -> bool {
    x.is_some()
}

fn main() {}
