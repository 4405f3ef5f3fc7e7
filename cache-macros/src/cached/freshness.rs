//! How fresh values have to be: what is served of those whose time to live is over, and how that is
//! spread.

use super::parse::Options;
use super::tier::Tier;
use crate::diagnostics::Errors;
use crate::duration;
use crate::options::Written;
use proc_macro2::Ident;
use std::time::Duration;

/// What is said of it.
#[derive(Default)]
pub(crate) struct Freshness {
    pub(crate) stale: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    /// In thousandths of the time to live.
    pub(crate) jitter: Option<u32>,
}

/// When a value is computed anew before its time is over.
#[derive(Clone, Copy)]
pub(crate) enum Refresh {
    Before(Duration),
    /// By chance.
    Auto,
}

/// Reads `refresh = ..`.
pub(crate) fn refresh(option: &Written) -> syn::Result<Refresh> {
    let literal = option.string("`refresh = \"5m\"` or `refresh = \"auto\"`")?;
    if literal.value() == "auto" {
        return Ok(Refresh::Auto);
    }
    duration::read(literal).map(Refresh::Before)
}

/// Reads `timeout = ..` and `deadline = ..`.
pub(crate) fn limit(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string(&format!("`{} = \"50ms\"`", option.name))?)
}

/// Reads `stale = ..`.
pub(crate) fn stale(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`stale = \"10m\"`")?)
}

/// Reads `grace = ..`.
pub(crate) fn grace(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`grace = \"1h\"`")?)
}

/// Reads `jitter = ..`.
pub(crate) fn jitter(option: &Written) -> syn::Result<u32> {
    let example = "`jitter = \"10%\"`, with a share of the time to live from 0.1% to 100%";
    let literal = option.string(example)?;
    thousandths(&literal.value()).ok_or_else(|| option.fault_at(literal, example))
}

/// The thousandths in a number of per cent, which has one decimal place at the most.
fn thousandths(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !are_digits(whole) || !are_digits(tenth) || tenth.len() > 1 {
        return None;
    }
    let thousandths = whole.parse::<u32>().ok()?.checked_mul(10)? + tenth.parse::<u32>().ok()?;
    (1..=1_000).contains(&thousandths).then_some(thousandths)
}

/// Finds what is said of freshness, and reports what makes no sense without an expiry.
pub(crate) fn freshness(options: &Options, tiers: &[Tier], errors: &mut Errors) -> Freshness {
    let names = [
        options.stale.as_ref().map(|given| &given.name),
        options.grace.as_ref().map(|given| &given.name),
        options.refresh.as_ref().map(|given| &given.name),
        options.jitter.as_ref().map(|given| &given.name),
    ];
    limits(options, errors);
    too_early(options, tiers, errors);
    if !expires(options, tiers) {
        names.iter().copied().flatten().for_each(|name| needs_ttl(name, errors));
    }
    if let ([Tier::L2, Tier::L3], Some(refresh)) = (tiers, &options.refresh) {
        needs_memory(&refresh.name, errors);
    }
    Freshness {
        stale: options.stale.as_ref().map(|given| given.value),
        grace: options.grace.as_ref().map(|given| given.value),
        refresh: options.refresh.as_ref().map(|given| given.value),
        timeout: options.timeout.as_ref().map(|given| given.value),
        deadline: options.deadline.as_ref().map(|given| given.value),
        jitter: options.jitter.as_ref().map(|given| given.value),
    }
}

/// Reports limits that lead nowhere.
fn limits(options: &Options, errors: &mut Errors) {
    let is_lenient = options.stale.is_some() || options.grace.is_some();
    if let Some(timeout) = &options.timeout
        && !is_lenient
        && !["stale", "grace"].into_iter().any(|name| options.is_faulty(name))
    {
        let message = "`timeout` needs `stale` or `grace`; without them there is no former value to \
                       serve, and `deadline` is the limit of every wait";
        errors.add(&timeout.name, message);
    }
    match (&options.deadline, &options.fallback) {
        (Some(deadline), None) if !options.is_faulty("fallback") => errors.add(
            &deadline.name,
            "`deadline` needs `fallback`; say what is returned then, by `fallback = path` of a \
             function with the same arguments",
        ),
        (None, Some(fallback)) if !options.is_faulty("deadline") => errors.add(
            &fallback.name,
            "`fallback` needs `deadline`; say when it is called, as in `deadline = \"2s\"`",
        ),
        _ => {}
    }
}

/// Reports a `refresh` that would begin before there is anything to refresh.
fn too_early(options: &Options, tiers: &[Tier], errors: &mut Errors) {
    let (Some(refresh), Some(ttl)) = (&options.refresh, &options.ttl) else { return };
    let Refresh::Before(distance) = refresh.value else { return };
    let longest = tiers.iter().filter_map(|tier| ttl.value.of(*tier)).max();
    if options.ttl_for.is_none() && longest.is_some_and(|ttl| distance >= ttl) {
        let message = "`refresh` has to be shorter than `ttl`: it is how long before the end of a \
                       value's time another one is computed";
        errors.add(&refresh.name, message);
    }
}

/// Whether values ever expire by themselves. Those that leave memory do, whatever is said.
fn expires(options: &Options, tiers: &[Tier]) -> bool {
    let is_said = options.ttl.is_some() || options.ttl_for.is_some();
    let is_meant = ["ttl", "ttl_for", "tier"].into_iter().any(|name| options.is_faulty(name));
    is_said || is_meant || tiers.iter().any(|tier| *tier > Tier::L1)
}

fn needs_ttl(name: &Ident, errors: &mut Errors) {
    let message = format!("`{name}` needs `ttl`; without an expiry nothing ever becomes stale");
    errors.add(name, message);
}

/// Who serves from a copy on disk that another tier has to confirm does not look at its end.
fn needs_memory(name: &Ident, errors: &mut Errors) {
    let message = format!(
        "`{name}` with `l2` and `l3` needs `l1` beside them: a value near the end of its time is found \
         there; add `l1` to `tier`, or leave one of the others out"
    );
    errors.add(name, message);
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[test]
    fn a_share_is_a_number_of_per_cent() {
        let read = ["10%", "0.5%", "100%", "12.5 %"].map(thousandths);
        assert_eq!(read, [Some(100), Some(5), Some(1_000), Some(125)]);
        for text in ["", "%", "10", "0%", "0.0%", "100.1%", "1.25%", "-1%", "+1%", ".5%", "1.%"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
