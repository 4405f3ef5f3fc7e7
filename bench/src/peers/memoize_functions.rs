//! Functions cached by `memoize` as it comes: a map for each thread, without bound or time. It
//! takes neither borrowed arguments nor methods nor async functions.

use crate::truth::{self, compute};

#[memoize::memoize]
pub(crate) fn number(id: u64) -> u64 {
    compute(truth::number(id))
}
