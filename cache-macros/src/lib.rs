//! The attribute behind the `larder` facade; use that.

mod cached;
mod diagnostics;
mod duration;
mod fingerprint;
mod flow;
mod function;
mod invalidates;
mod options;
mod paths;
mod placeholder;
mod spans;
mod template;
mod text;

use proc_macro::TokenStream;

/// Turns a function into a cached one.
///
/// ```text
/// #[cached(ttl = "1h", tags("user:{id}"), skip(db))]
/// async fn user(id: u64, db: &Db) -> Result<User, DbError> { .. }
///
/// user(7, &db).await?;                            // computed, then found
/// user::invalidate(7).await?;                     // forgets this call
/// larder::invalidate_tag("user:7").await?;        // forgets all that carries the tag
/// ```
///
/// The signature stays as it is, and so does the type of the call: an `async fn` stays one, and its
/// future is `Send` when its parts are. Works on free functions, methods, associated functions,
/// methods in trait impls and default methods of traits, also under `#[async_trait]`; generic or
/// not; with patterns, `impl Trait` and bodies that consume their arguments.
///
/// # What a call is told apart by
///
/// Every argument, by `Eq`, unless the attribute says otherwise. A hit borrows the arguments; what is
/// kept of them is the owned form: `T::Owned` of `&T` and `Cow<'_, T>`, the same of `Option<&T>` and
/// of tuples of those, a clone of anything else. So arguments are `Clone + Hash + Eq + Send + Sync +
/// 'static`, or references to something that has such an owned form. A floating-point argument is
/// told apart by its bits. Floats inside other types, borrows inside other types, `impl Trait` and
/// `dyn` need `key(..)` or `skip(..)`. An argument `_` is not part of the key: the body can't see it.
///
/// A method has to say what `self` means: `key(self.tenant, ..)`, `key(self, ..)`, or `skip(self)` if
/// all instances give the same answers.
///
/// Two functions never share an entry, nor do two instantiations of a generic one.
///
/// Beyond `l1`, what is told apart and what is kept is `Serialize`, and values are `DeserializeOwned`
/// too. Nothing of a session or request is kept there.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `tier = "l1,l2"` | the tiers, from the nearest to the farthest; also `tier(l1, l2)`. `l1` is this process and the default, `l2` this machine's disk, with the feature `disk`, `l3` a Redis server or cluster that machines share, with the feature `redis` |
/// | `ttl = "1h"` | how long a value is fresh: a whole number and one of `us`, `ms`, `s`, `m`, `h`, `d`. Without it, in `l1` until evicted or invalidated, beyond for one hour. Per tier: `ttl(l1 = "30s", l3 = "5m")` |
/// | `capacity = 10_000` | how many entries are kept; 10,000 unless said. Any constant expression |
/// | `weigh = path` | what one value weighs: a function of `&Out` that returns `usize`, `u64` or `u32`. `capacity` is in weight then |
/// | `tags("user:{id}", "policy")` | what the entry can be invalidated by, beside its key. Also `tags = "a, b"` and `tags = ["a", "b"]` |
/// | `key(id, self.tenant)` | expressions over the arguments that make the key, evaluated once for each call |
/// | `key = "user:{id}:{name}"` | the same as a template: what it names is the key, and its text is what patterns match |
/// | `skip(db)` | arguments that are not part of the key |
/// | `context` | makes the ambient context part of the key. Without one, the call is computed and not cached |
/// | `scope = "session"` | who shares the entries: `"global"`, `"session"` or `"request"`; they end with the scope |
/// | `version = 2` | another number is another function: nothing cached before is found. `version = auto` makes every change of the function or of its attribute such a change, but for layout, comments and documentation |
/// | `name = "decide"` | the function's name in patterns and statistics, instead of its path |
/// | `when = id > 0` | computes without the cache where this is false |
/// | `stale = "10m"` | for so long after its time to live, a value is served while one caller computes it anew. Never what was invalidated, or depends on files |
/// | `grace = "1h"` | for so long after its time to live, a value is served if computing it anew fails, by an `Err` or a panic. The next attempt comes after a wait that grows, see `Builder::backoff`, and which each process counts for itself. Never what was invalidated, or depends on files |
/// | `refresh = "5m"` | a hit that comes so long before the end of a value's time, or later, but not in the first half of it, has another one computed in the background. `"auto"` leaves it to chance: the likelier the nearer the end is and the longer computing takes. Every argument has to outlive the call: owned, `&T`, `Option<&T>` or `Cow<'_, T>` with an owned form, `self: Arc<Self>`. An `async fn` needs an executor, see `Builder::executor`. Between `l2` and `l3` it needs `l1`, too |
/// | `timeout = "50ms"` | for so long a caller waits for a computation if there is a former value within `stale` or `grace`; then it is served that, and the computation goes on. Where that can't be, a future is dropped, and a plain function waited for. Arguments as for `refresh` |
/// | `deadline = "2s"` | for so long a caller waits at all; then it gets what `fallback` returns. A future is dropped then, a plain function goes on in the background, with arguments as for `refresh`, and an `Err` that is `Clone`. Calls of plain functions within other computations, or past what is cached, are not limited |
/// | `fallback = path` | a function of the same arguments, cloned, that is not async. What it returns is not kept, nor what is made of it |
/// | `batch = ids` | the argument that holds many ids: a slice, `Vec`, `HashSet` or `BTreeSet`. Each is an entry of its own, and the body sees those that are missing. Elsewhere in the attribute one of them goes by the name of all less its last `s`. The function returns a `HashMap`, `BTreeMap` or `Vec<(Id, Value)>`, a `Vec<Option<Value>>` in the order of the ids, or a `Result` of one of these |
/// | `batch_of = users` | a function of one id whose entries are those of the batch `users`; it takes what makes the key there, in that order, and returns `Option<Value>`. Only `skip` and `crate` may be said beside it |
/// | `warm = path` | a function without arguments that yields those `larder::warm_all` calls this one with |
/// | `jitter = "10%"` | shortens each time to live by a share of its own, up to this one, so that what was computed together does not expire together |
/// | `negative = "5s"` | keeps an outermost `Err` or `None` too, for this long. Without it `Err` is never kept, and `None` is a value like any other |
/// | `ttl_for = path` | a function of `&Out` that returns the `Duration` of this value, or `Option<Duration>` |
/// | `cache_if = path` | a function of `&Out` that returns whether to keep this value |
/// | `tags_for = path` | a function of `&Out` that returns further tags |
/// | `wait = "30s"` | the longest wait for another caller that computes the same; then this one computes too |
/// | `files(path)` | what names files that the answer depends on: expressions over the key's arguments, evaluated on a miss. `files` alone takes every argument whose type is a path or a list of paths, and every one called `path`, `file`, `filepath`, `directory`, `dir`, or one of their plurals. With the feature `files`, which `disk` brings along |
/// | `codec = "bincode"` | how values become bytes beyond `l1`: `"bincode"`, which is the default, or `"postcard"`, with the feature `postcard` |
/// | `compress = "auto"` | how those bytes are compressed: `"none"`, which is the default, `"lz4"`, `"zstd"`, with the feature `zstd`, or `"auto"` for what is worth it |
/// | `write = "through"` | waits until `l2` has the value; `"behind"`, the default, does not. `l3` is waited for either way, no longer than its deadline |
/// | `handle = name` | where the companion goes, see below; `handle = none` for nowhere |
/// | `runtime = self.runtime` | a `larder::Runtime` other than the global one, found anew for each call |
/// | `crate = path` | where larder is, if renamed or exported by another crate |
///
/// The outermost `Result` or `Option` is recognized by its type, whatever it is called.
///
/// # Templates
///
/// Text with `{path}` in it: an argument, with fields and methods without arguments behind it, as in
/// `{id}`, `{user.name}`, `{self.tenant}` or `{name.len()}`. `{{` and `}}` are braces. There are no
/// format specifications; what is named implements `Display`. Tags are written on a miss, before the
/// body runs, never on a hit.
///
/// # The companion
///
/// Beside a free function `f` stands a type of the same name, with operations that are `async` where
/// `f` is, but for `call_context` and `stats`. In a module that has a type or a module `f` already, `handle = Other` names the type.
///
/// | operation | what it does |
/// |---|---|
/// | `f::invalidate(key)` | forgets this call |
/// | `f::peek(key)` | what is cached, if anything; never computes |
/// | `f::explain(key)` | what a call would do now, and why. Takes what `when` mentions, too |
/// | `f::call_context(key)` | what identifies the call, for logs and metrics |
/// | `f::refresh(arguments)` | computes and stores |
/// | `f::put(arguments, value)` | stores the value as if computed now. Not of a batch |
/// | `f::uncached(arguments)` | the body alone |
/// | `f::with(options, arguments)` | calls `f` with `larder::Options` |
/// | `f::warm(iterator)` | calls `f` with each of many arguments: one by itself, several as a tuple. What is there is skipped |
/// | `f::warm_with(warming, iterator)` | the same, so many at a time as a `larder::Warming` says, which is told how far it is |
/// | `f::invalidate_all()` | forgets all calls |
/// | `f::stats()` | the function's counters |
///
/// `key` are the arguments that the key is made of, `arguments` all of them.
///
/// In an inherent impl, `handle = name` adds a method `name` that takes what makes the key and
/// returns a `larder::Entry`, or a `larder::blocking::Entry` where the method is not async; without
/// `handle` a method gets none. What an entry can do:
///
/// | operation | what it does |
/// |---|---|
/// | `invalidate()`, `peek()`, `explain()`, `call_context()` | as above, for the entry's key |
/// | `refresh(call)`, `put(value, call)`, `uncached(call)` | as above, for `call`: a call for the entry's key, as a future, or as a closure where the method is not async |
/// | `invalidate_all()`, `stats()` | as above, for all calls |
///
/// An entry has no `warm`: call the method. An associated function without receiver has to say
/// `handle`. To an impl of a trait nothing can be added: use tags there.
///
/// # What is refused
///
/// With a reason, and together with every other fault of the attribute: `&mut` arguments and
/// receivers, `#[cfg]` on arguments, returned borrows, `impl Trait` in return position, and functions
/// that are `const`, `unsafe` or `extern`.
///
/// # Not to be forgotten
///
/// - The body runs once, and then not again until the entry is gone: what it does beside returning a
///   value happens on a miss only.
/// - With `skip(self)`, all instances share their entries. An argument that is skipped must not
///   change the answer.
/// - What a function reads from elsewhere is not part of its key. Name it in `tags`, so that whoever
///   changes it can invalidate; put it into the ambient context and say `context`; or give it a `ttl`.
/// - With `context`, the ambient context is part of the key, so `f::invalidate(key)` outside of that
///   context names another key and forgets nothing that was cached inside. A tag or
///   `f::invalidate_all()` reaches into every context.
/// - `version = auto` sees the function itself, not what it calls: a change of that needs another
///   `version`, or an invalidation.
/// - A tag is text: `invalidate_tag("user:07")` does not meet `tags("user:{id}")` with 7.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    cached::expand(options.into(), &item.into()).into()
}

/// Has what a function changes forgotten, once it has succeeded.
///
/// ```text
/// #[invalidates(tags("user:{id}"), on = ranking)]
/// async fn rename(id: u64, name: &str, db: &Db) -> Result<(), DbError> { .. }
/// ```
///
/// After an `Ok`, or any value of a function that returns no `Result`, everything that carries one of the
/// tags is forgotten, and everything that the functions named by `on` have cached, in every tier. After an
/// `Err` or a panic, nothing is. The outermost `Result` is recognized by its type, whatever it is called.
///
/// | option | meaning |
/// |---|---|
/// | `tags("user:{id}", "all")` | templates as in [`macro@cached`], written before the body runs |
/// | `on = decide`, `on(decide, rank)` | paths of cached functions: of the companion, where `handle` gives it another name. What has none, as a method or a function with `batch_of`, goes by its tags |
/// | `crate = path` | where larder is, if renamed or exported by another crate |
///
/// The function stays as it is otherwise: `async` or not, with arguments of any kind, `&mut` among them.
/// Refused are `const` functions, and those that return an `impl Trait`.
///
/// # Failure
///
/// An invalidation that can't reach Redis waits and is delivered later, as with
/// `larder::invalidate_tag`: that is no failure of the function, and `larder::stats` tells.
///
/// # Cancellation
///
/// Nothing is waited for between the end of an async body and the invalidation, which takes effect as a
/// whole once begun. A call that is dropped before its body has ended invalidates nothing, whatever the
/// body had changed by then.
#[proc_macro_attribute]
pub fn invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    invalidates::expand(options.into(), &item.into()).into()
}
