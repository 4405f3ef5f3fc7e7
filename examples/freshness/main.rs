//! Draws how a value ages: `docs/freshness.svg`, from what a cached function says of itself.
//!
//! ```text
//! cargo run --features testing --example freshness > docs/freshness.svg
//! ```
//!
//! A value is computed, a clock is moved on by hand, and at each minute the function's companion is asked
//! what a call would do.

mod drawing;
mod phase;

use drawing::Drawing;
use larder::testing::ManualClock;
use larder::{Runtime, cached};
use phase::Phase;
use std::error::Error;
use std::time::Duration;

/// What the drawing is of.
#[cached(ttl = "30m", refresh = "10m", stale = "15m", grace = "40m")]
fn rate() -> u64 {
    19
}

const STEP: Duration = Duration::from_secs(60);
const MINUTES: u32 = 80;

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new();
    let runtime = Runtime::builder().clock(clock.clone()).build()?;
    let drawing = runtime.with(|| {
        rate();
        let mut drawing = Drawing::new(MINUTES);
        for minute in 0..MINUTES {
            drawing.add(minute, Phase::of(rate::explain().state));
            clock.advance(STEP);
        }
        drawing
    });
    print!("{drawing}");
    Ok(())
}
