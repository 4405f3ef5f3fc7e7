//! No bytes make an envelope's reader panic, and what parses is written as it was.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cache_runtime::__fuzz::envelope(bytes));
