use larder::invalidates;

fn plain() {}

#[invalidates(on = plain)]
fn means_what_is_not_cached() {}

#[invalidates(on(nobody))]
fn means_nobody() {}

fn main() {}
