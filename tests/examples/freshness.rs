//! `freshness` draws what the documentation shows.

use crate::program::run;

#[test]
fn the_drawing_in_the_documentation_is_what_it_draws() {
    let run = run::<&str>("freshness", []);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let shown = include_str!("../../docs/freshness.svg");
    assert_eq!(run.out, shown, "draw it anew");
    for phase in ["fresh", "refresh", "stale", "grace", "expired"] {
        assert!(shown.contains(&format!(">{phase}<")), "{phase} is missing");
    }
}
