//! What stands for versions in the shared tier in a program without it.

#[derive(Debug)]
pub(crate) enum Captured {}
