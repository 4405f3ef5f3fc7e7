//! Durations as attributes spell them: a whole number and a unit.

use std::time::Duration;
use syn::{Error, LitStr};

const UNITS: [(&str, u64); 6] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 24 * 3_600 * 1_000_000_000),
];

/// Reads a duration longer than none.
pub(crate) fn read(literal: &LitStr) -> syn::Result<Duration> {
    let text = literal.value();
    let fault = |message: String| Error::new(literal.span(), message);
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let nanos = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos);
    let (Ok(number), Some(nanos)) = (number.parse::<u64>(), nanos) else {
        return Err(fault(format!(
            "`{text}` is no duration; write a whole number and a unit, such as `30s`; \
             units are `us`, `ms`, `s`, `m`, `h`, `d`"
        )));
    };
    match number.checked_mul(nanos) {
        Some(0) => Err(fault(format!("`{text}` is no time at all; write a longer duration"))),
        Some(nanos) => Ok(Duration::from_nanos(nanos)),
        None => Err(fault(format!("`{text}` is longer than 584 years; leave it out for no end"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    fn read_text(text: &str) -> Result<Duration, String> {
        read(&LitStr::new(text, Span::call_site())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_and_a_unit_make_a_duration() {
        assert_eq!(read_text("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(read_text("5 us"), Ok(Duration::from_micros(5)));
        assert_eq!(read_text("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(read_text("1d"), Ok(Duration::from_secs(86_400)));
    }

    #[test]
    fn anything_else_says_what_to_write() {
        for text in ["", "h", "10", "-1s", "1.5h", "1 hour", "٣s"] {
            assert!(read_text(text).unwrap_err().contains("is no duration"), "{text}");
        }
        assert!(read_text("0s").unwrap_err().contains("no time at all"));
        assert!(read_text("999999999999d").unwrap_err().contains("584 years"));
    }
}
