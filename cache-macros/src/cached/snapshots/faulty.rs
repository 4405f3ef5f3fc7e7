::core::compile_error! {
    "unknown option `tll`; did you mean `ttl`? options are `tier`, `ttl`, `capacity`, `weigh`, `tags`, `key`, `skip`, `context`, `scope`, `version`, `name`, `when`, `stale`, `grace`, `refresh`, `timeout`, `deadline`, `fallback`, `jitter`, `negative`, `ttl_for`, `cache_if`, `tags_for`, `batch`, `batch_of`, `wait`, `warm`, `files`, `codec`, `compress`, `write`, `handle`, `runtime`, `crate`"
}
::core::compile_error! {
    "a capacity of 0 keeps nothing; write at least 1, or leave the attribute out"
}
fn faulty(id: u64) -> u64 {
    id
}
