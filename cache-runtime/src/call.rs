//! The path of a call: look up, with borrowed arguments; on a miss, say what is to be computed.
//!
//! Only what is asked on a hit is compiled for each function; the rest is shared by all functions
//! with the same types of key and value.

use crate::ask::{Ran, Wish};
use crate::clock::Moment;
#[cfg(feature = "beyond")]
use crate::codec::Format;
use crate::context::{self, Surroundings};
use crate::desk::{self, Sitting, Way};
use crate::entry::{About, Marks};
use crate::errand::Errand;
use crate::error::Level;
use crate::files::Files;
use crate::frame::{Frame, Keyed};
use crate::function::{self, Function, FunctionOf, Instance, Printed};
use crate::held;
use crate::key::OwnedKey;
use crate::lookup;
use crate::mark::Mark;
use crate::miss::{Bypass, Miss};
use crate::options::{Options, Unread};
use crate::outcome::Kind;
use crate::pattern;
use crate::quest::Quest;
use crate::runtime::Runtime;
use crate::site::Site;
#[cfg(feature = "beyond")]
use crate::stored::StoredView;
use crate::stored::{self, Address, Beyond, Loaded, Stored};
use crate::tier::memory::Probe;
use crate::view::View;
#[cfg(feature = "redis")]
use crate::work::Glanced;
use crate::work::{Basis, Renews};
use std::any::{TypeId, type_name};
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::sync::Arc;

/// The longest tag whose room is kept for the next, in bytes.
const MOST_ROOM: usize = 1_024;

/// How a call is made once more, by nobody.
#[derive(Clone, Copy)]
enum Afresh<'a> {
    Never,
    /// By this, with arguments of its own.
    Once(&'a dyn Fn() -> Errand),
    /// With others, by those who make them.
    Together,
}

/// One call, as the expansion describes it.
pub struct Call<'a, 'd, I, F, Kd: Kind> {
    site: &'static Site,
    types: PhantomData<fn() -> (I, F)>,
    kind: Kd,
    runtime: Option<&'a Runtime>,
    afresh: Afresh<'a>,
    /// Where it is made with others.
    sitting: Option<&'a mut Sitting<'d>>,
    #[cfg(feature = "beyond")]
    format: Option<Format<Kd::Kept>>,
}

impl<'a, 'd, I, F, Kd: Kind> Call<'a, 'd, I, F, Kd> {
    /// Describes a call of the function that `instance` is declared in. The type of `family` tells
    /// those instantiations apart that a companion can name; `()` stands for that of `instance`.
    #[inline]
    pub fn new(site: &'static Site, _instance: &I, _family: &F, kind: Kd) -> Self {
        Self {
            site,
            types: PhantomData,
            kind,
            runtime: None,
            afresh: Afresh::Never,
            sitting: None,
            #[cfg(feature = "beyond")]
            format: None,
        }
    }

    /// The same call of a function whose values are kept beyond this process.
    #[cfg(feature = "beyond")]
    #[inline]
    #[must_use]
    pub fn stored(mut self, format: Format<Kd::Kept>) -> Self {
        self.format = Some(format);
        self
    }

    /// The same call of a function whose computations may outlive it.
    #[inline]
    #[must_use]
    pub fn outlived_by(mut self, again: &'a dyn Fn() -> Errand) -> Self {
        self.afresh = Afresh::Once(again);
        self
    }

    /// The same call as one of many.
    #[inline]
    #[must_use]
    pub fn together(mut self, sitting: &'a mut Sitting<'d>) -> Self {
        self.afresh = Afresh::Together;
        self.sitting = Some(sitting);
        self
    }

    /// The same call on another runtime.
    #[inline]
    #[must_use]
    pub fn on(mut self, runtime: &'a Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Serves a hit that needs nothing but what its thread has at hand.
    #[inline]
    fn serve<W: View>(&mut self, view: &W) -> Option<Kd::Out> {
        let (site, body) = (self.site.place(), typeid::of::<I>());
        if self.runtime.is_some() {
            return None;
        }
        let Some(sitting) = &mut self.sitting else {
            return if context::is_set() { None } else { desk::serve(site, body, self.kind, view) };
        };
        let served = sitting.serve(site, body, self.kind, view);
        if served.is_none() {
            sitting.get_up();
        }
        served
    }

    fn instance(&self) -> Instance {
        let (body, family) = (typeid::of::<I>(), typeid::of::<F>());
        let named = family != TypeId::of::<()>();
        let family = if named { family } else { body };
        let printed = Printed {
            body: type_name::<I>(),
            family: if named { type_name::<F>() } else { type_name::<I>() },
        };
        Instance { site: self.site, body, family, printed }
    }
}

/// What a look-up came to.
pub enum Found<Out, M> {
    /// The answer.
    Hit(Out),
    /// What to compute it with. Small, so that a hit is handed on in hardly more room than the value
    /// takes.
    Miss(M),
}

/// What a call says of its entry before the body runs; filled by the expansion, on a miss only.
#[derive(Default)]
pub struct Declared {
    marks: Marks,
    readable: Option<Box<str>>,
    files: Option<Files>,
}

impl Declared {
    /// One tag.
    pub fn tag(&mut self, tag: fmt::Arguments<'_>) {
        let mark = match tag.as_str() {
            Some(tag) => Mark::tag(tag),
            None => written(tag),
        };
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
    }

    /// Files that arguments name. To be looked at now: the body reads them later.
    #[cfg(feature = "files")]
    pub fn files(&mut self, paths: &(impl crate::files::Paths + ?Sized)) {
        let more = Files::of(paths);
        self.files = Some(match self.files.take() {
            Some(files) => files.inheriting([Arc::new(more)]),
            None => more,
        });
    }

    /// The readable key.
    pub fn key(&mut self, key: fmt::Arguments<'_>) {
        self.readable = Some(pattern::printed(key).into_boxed_str());
    }
}

thread_local! {
    /// Room to write tags in. Empty while one is being written: what it prints may be cached, too.
    static ROOM: Cell<String> = const { Cell::new(String::new()) };
}

/// The mark of a tag that has to be written first.
fn written(tag: fmt::Arguments<'_>) -> Mark {
    let mut text = ROOM.try_with(Cell::take).unwrap_or_default();
    // Only a faulty `Display` fails, and then the tag is what it wrote until there.
    let _ = text.write_fmt(tag);
    let mark = Mark::tag(&text);
    if text.capacity() <= MOST_ROOM {
        text.clear();
        let _ = ROOM.try_with(|room| room.set(text));
    }
    mark
}

/// Looks a call up, in this thread's desk first.
///
/// `declare` runs on a miss only.
#[inline]
pub fn look_up<I, F, W: View, Kd: Kind>(
    mut call: Call<'_, '_, I, F, Kd>,
    view: &W,
    declare: impl Fn(&mut Declared),
) -> Found<Kd::Out, Miss<W::Owned, Kd>> {
    if let Some(out) = call.serve(view) {
        return Found::Hit(out);
    }
    let (instance, probe) = (call.instance(), function::probe(view));
    let around = (call.runtime, call.afresh);
    look_up_shared(&instance, call.kind, around, probe, &declare, None)
}

/// Looks a call up whose value may be kept beyond this process.
///
/// `declare` runs only if it is found nowhere.
#[cfg(feature = "beyond")]
#[inline]
pub fn look_up_stored<I, F, W: StoredView, Kd: Kind>(
    mut call: Call<'_, '_, I, F, Kd>,
    view: &W,
    declare: impl Fn(&mut Declared),
) -> Found<Kd::Out, Miss<W::Owned, Kd>> {
    if let Some(out) = call.serve(view) {
        return Found::Hit(out);
    }
    let (instance, probe) = (call.instance(), function::probe(view));
    let key = |out: &mut Vec<u8>| view.encode(out);
    let beyond = call.format.map(|format| Beyond { format, key: &key });
    let around = (call.runtime, call.afresh);
    look_up_shared(&instance, call.kind, around, probe, &declare, beyond.as_ref())
}

/// Looks a call up with all its surroundings.
#[cold]
#[inline(never)]
fn look_up_shared<W: View, Kd: Kind>(
    instance: &Instance,
    kind: Kd,
    (runtime, afresh): (Option<&Runtime>, Afresh<'_>),
    probe: Probe<'_, W>,
    declare: &dyn Fn(&mut Declared),
    beyond: Option<&Beyond<'_, Kd::Kept>>,
) -> Found<Kd::Out, Miss<W::Owned, Kd>> {
    let found = look_around(instance, kind, runtime, probe, declare, beyond);
    let mut fresh = None;
    let (function, (wish, ran), address, missed) = match found {
        Around::Hit(out) => return Found::Hit(out),
        Around::Bypass(reason, runtime, wish) => {
            let miss = Miss::bypassed(instance.site, runtime, kind, reason, wish);
            return Found::Miss(miss);
        }
        Around::Miss(function, wanted, address, missed) => (function, wanted, address, missed),
        Around::NearEnd(out, function, address) => {
            fresh = Some(out);
            (function, (None, None), address, None)
        }
    };
    let arrival = function.home.versions.now();
    let mut declared = Declared::default();
    declare(&mut declared);
    let marks = function.marks(probe, address.as_ref(), &declared.marks);
    let Declared { readable, files, .. } = declared;
    let basis = Basis {
        hash: probe.hash,
        marks,
        readable,
        files,
        address,
        arrival,
        missed,
        hurry: None,
        renews: Renews::Nothing,
        is_charged: false,
        ran,
        options: context::options(),
        #[cfg(feature = "redis")]
        glanced: Glanced::NotTried,
    };
    let key = (probe.view.own(), function::key_mark(instance.site, instance.family, probe));
    let is_warming = basis.ran.is_some();
    let outlives = wish.is_none() && !is_warming && instance.site.options.may_outlive();
    let mut quest = Quest::new(function, kind, basis, key);
    if is_warming {
        // Nobody would rather have something else than wait for it.
        quest.outlast_all();
    }
    match (fresh, afresh) {
        (Some(out), Afresh::Once(again)) => {
            return match quest.renew(again) {
                Some(quest) => Found::Miss(Miss::wished(quest, None)),
                None => Found::Hit(out),
            };
        }
        (Some(out), Afresh::Together) => return Found::Miss(Miss::due(out, quest)),
        (None, Afresh::Once(again)) if outlives => quest.outlive(Some(again()), probe.view.own()),
        (None, Afresh::Together) if outlives => quest.outlive(None, probe.view.own()),
        _ => {}
    }
    Found::Miss(Miss::wished(quest, wish))
}

/// What is wanted other than an answer, and whom to tell that the body runs where the function is warmed.
type Wanted = (Option<Wish>, Option<Arc<Ran>>);

/// What is found where a thread's desk can't tell.
enum Around<Out, F> {
    Hit(Out),
    /// And why nothing was found, where that is not counted yet.
    Miss(Arc<F>, Wanted, Option<Address>, Option<lookup::Miss>),
    Bypass(Bypass, Runtime, Option<Wish>),
    /// What is fresh, and to be computed anew.
    NearEnd(Out, Arc<F>, Option<Address>),
}

fn look_around<W: View, Kd: Kind>(
    instance: &Instance,
    kind: Kd,
    runtime: Option<&Runtime>,
    probe: Probe<'_, W>,
    declare: &dyn Fn(&mut Declared),
    beyond: Option<&Beyond<'_, Kd::Kept>>,
) -> Around<Kd::Out, FunctionOf<W, Kd>> {
    let plain = !context::is_set() && runtime.is_none();
    if plain && let Some(Way { function, missed }) = desk::way(instance) {
        return match missed {
            Some(reason) => look_on(function, kind, probe, (None, Options::new()), beyond, reason),
            None => look_in(function, kind, probe, (None, Options::new()), beyond),
        };
    }
    let surroundings = context::current();
    let surroundings = surroundings.as_deref();
    let runtime = runtime.cloned().or_else(|| surroundings?.runtime.clone());
    let runtime = runtime.as_ref().unwrap_or_else(|| Runtime::global());
    let key = || function::key_mark(instance.site, instance.family, probe);
    let wish = context::take_ask(instance.site.place(), || Some(key())).map(|ask| ask.wish);
    let (wish, ran) = match wish {
        Some(Wish::Warm(ran)) => (None, Some(ran)),
        other => (other, None),
    };
    let options = surroundings.map(|surroundings| surroundings.options).unwrap_or_default();
    let wish = wish.or_else(|| {
        options.unread().map(|it| match it {
            Unread::Past => Wish::Refresh,
            Unread::Forgetting => Wish::Force,
        })
    });
    let frame = surroundings.and_then(|surroundings| surroundings.frame.as_deref());
    let function = Function::find(instance, runtime, surroundings, beyond);
    let function = match bypass(instance.site, surroundings, function.is_some(), wish.as_ref()) {
        None => function,
        Some(_) => None,
    };
    let Some(function) = function else {
        if let Some(caller) = frame {
            let mut declared = Declared::default();
            declare(&mut declared);
            blame(caller, runtime, instance, key(), declared);
        }
        // The body is going to run.
        if let Some(ran) = &ran {
            ran.begin();
        }
        let why = bypass(instance.site, surroundings, false, wish.as_ref());
        return Around::Bypass(why.unwrap_or(Bypass::Scope), runtime.clone(), wish);
    };
    if plain {
        desk::put::<W, _, _>(instance, &function);
    }
    if wish.is_some() {
        let address = function.stored.as_ref().zip(beyond);
        let address = address.and_then(|(stored, beyond)| stored.address(beyond));
        Around::Miss(function, (wish, ran), address, None)
    } else {
        match (look_in(function, kind, probe, (frame, options), beyond), ran) {
            // It is there: who warms waits for nothing that is begun behind it.
            (Around::NearEnd(out, ..), Some(_)) => Around::Hit(out),
            (Around::Miss(function, _, address, missed), Some(ran)) => {
                Around::Miss(function, (None, Some(ran)), address, missed)
            }
            (found, _) => found,
        }
    }
}

fn look_in<W: View, Kd: Kind>(
    function: Arc<FunctionOf<W, Kd>>,
    kind: Kd,
    probe: Probe<'_, W>,
    (frame, options): (Option<&Frame>, Options),
    beyond: Option<&Beyond<'_, Kd::Kept>>,
) -> Around<Kd::Out, FunctionOf<W, Kd>> {
    // Heard before anything is read, wherever that is.
    let is_vouched = function.stored.as_ref().is_none_or(Stored::hear);
    let served = if !options.reaches(Level::L1) {
        Err(lookup::Miss::Absent)
    } else if is_vouched {
        function.serve(kind, probe, frame)
    } else {
        Err(lookup::Miss::Unavailable)
    };
    match served {
        Ok(out) => Around::Hit(out),
        Err(reason) => look_on(function, kind, probe, (frame, options), beyond, reason),
    }
}

/// Goes on where memory has nothing, or nothing that need not be seen to.
fn look_on<W: View, Kd: Kind>(
    function: Arc<FunctionOf<W, Kd>>,
    kind: Kd,
    probe: Probe<'_, W>,
    (frame, options): (Option<&Frame>, Options),
    beyond: Option<&Beyond<'_, Kd::Kept>>,
    reason: lookup::Miss,
) -> Around<Kd::Out, FunctionOf<W, Kd>> {
    if reason == lookup::Miss::Expired
        && function.site.options.renews()
        && let Some((out, is_due)) = function.serve_near_end(kind, probe, frame)
    {
        if !is_due || !options.stores() {
            return Around::Hit(out);
        }
        let address = function.stored.as_ref().zip(beyond);
        let address = address.and_then(|(stored, beyond)| stored.address(beyond));
        return Around::NearEnd(out, function, address);
    }
    look_beyond(function, kind, probe, (frame, options), beyond, reason)
}

/// Looks for what memory does not have.
fn look_beyond<W: View, Kd: Kind>(
    function: Arc<FunctionOf<W, Kd>>,
    kind: Kd,
    probe: Probe<'_, W>,
    (frame, options): (Option<&Frame>, Options),
    beyond: Option<&Beyond<'_, Kd::Kept>>,
    mut reason: lookup::Miss,
) -> Around<Kd::Out, FunctionOf<W, Kd>> {
    let mut address = None;
    if let Some((stored, beyond)) = function.stored.as_ref().zip(beyond) {
        // Before anything is read: what is invalidated from here on reaches what is found.
        let stamp = function.home.versions.now();
        address = stored.address(beyond);
        // What is shared by machines asks there first.
        let is_asked = !function.is_on_fleet() && options.reaches(Level::L2);
        let nearest = address.as_ref().filter(|_| is_asked);
        let mut is_due = false;
        let found = nearest.map(|address| {
            if function.in_memory || frame.is_some() || function.site.options.renews() {
                let keep = (frame, options.promotes(Level::L1));
                let found = stored.find(address);
                let suits = |loaded: &Loaded<_>| function.suits(&loaded.about, frame);
                let found = found.and_then(|loaded| {
                    if suits(&loaded) { Ok(loaded) } else { Err(lookup::Miss::Absent) }
                });
                found.map(|loaded| {
                    let span = (loaded.about.born, loaded.expires);
                    is_due = loaded.about.files.is_none()
                        && options.stores()
                        && function.is_due_elsewhere(address.mark(), span);
                    function.promote(kind, probe, stamp, (address, loaded), keep)
                })
            } else {
                let glanced = stored.glance(address);
                glanced.map(|it| function.pass_on(kind, (|counters| &counters.hits_l2, it)))
            }
        });
        match found {
            Some(Ok(out)) if is_due => return Around::NearEnd(out, function, address),
            Some(Ok(out)) => return Around::Hit(out),
            Some(Err(lookup::Miss::Absent | lookup::Miss::Unavailable)) | None => {}
            Some(Err(why)) => reason = why,
        }
    }
    let mut missed = Some(reason);
    let is_lenient = function.site.options.is_lenient();
    if (address.is_none() || !function.is_on_fleet()) && !is_lenient {
        // Where there is a tier still to be asked, or what is overdue is served, it may not come to a
        // miss.
        function.counters.miss(reason);
        missed = None;
    }
    Around::Miss(function, (None, None), address, missed)
}

fn bypass(
    site: &Site,
    surroundings: Option<&Surroundings>,
    scoped: bool,
    wish: Option<&Wish>,
) -> Option<Bypass> {
    let ambient = surroundings.is_some_and(|surroundings| surroundings.ambient.is_some());
    if matches!(wish, Some(Wish::Uncached)) {
        Some(Bypass::Asked)
    } else if site.options.keyed.covers(Keyed::CONTEXT) && !ambient {
        Some(Bypass::Context)
    } else if !context::can_be_set() || held::is_held() {
        // What can't have a frame can't find what it depends on, or that it would wait for itself.
        Some(Bypass::Reentrant)
    } else if !scoped {
        Some(Bypass::Scope)
    } else {
        None
    }
}

/// Describes a call for which `when` is false.
pub fn pass<I, F, K: OwnedKey, Kd: Kind>(
    call: &Call<'_, '_, I, F, Kd>,
    declare: impl Fn(&mut Declared),
) -> Found<Kd::Out, Miss<K, Kd>> {
    let runtime = call.runtime.cloned().unwrap_or_else(context::runtime);
    let mut wish = None;
    if context::is_set() {
        let instance = call.instance();
        let mut declared = Declared::default();
        declare(&mut declared);
        wish = context::take_any_ask(call.site.place()).map(|ask| ask.wish);
        if let Some(caller) = context::frame() {
            // What makes the key may not even be there where `when` is false, so the key is unknown.
            let key = Mark::any_key(call.site.place());
            blame(&caller, &runtime, &instance, key, declared);
        }
    }
    if let Some(Wish::Warm(ran)) = &wish {
        ran.begin();
    }
    Found::Miss(Miss::bypassed(call.site, runtime, call.kind, Bypass::When, wish))
}

/// Makes a computation depend on a callee that is computed as a part of it.
fn blame(caller: &Frame, runtime: &Runtime, instance: &Instance, key: Mark, declared: Declared) {
    let site = instance.site;
    let name = site.learn(instance.printed.body);
    runtime.enlist(site.place(), &name);
    let mut marks = Marks::from_slice(&[key, Mark::function(site.place(), &name)]);
    marks.extend(declared.marks);
    let stand_in = stored::stand_in(&name);
    let mut about = About::of_bypassed(marks, declared.readable, runtime.inner.time.now());
    if site.options.is_stored() {
        // Other processes invalidate it by a name that is not known here; by that of any key, too.
        about.marks.extend(stand_in.iter().flat_map(|it| it.iter().copied()));
    }
    about.stand_in = stand_in;
    about.files = Files::together(declared.files, []);
    caller.inherit(runtime.inner.id, &Arc::new(about), Moment::NEVER, site.options.keyed);
}
