//! How far a warm-up is, on standard error: a bar if that is a terminal, otherwise a line for each tenth,
//! which a log takes.

use indicatif::{ProgressBar, ProgressStyle};
use larder::Progress;

pub(crate) struct Meter {
    bar: ProgressBar,
    /// What has been told of, where there is no bar.
    tenths: Option<u64>,
}

impl Meter {
    pub(crate) fn of(calls: usize) -> Self {
        let style = ProgressStyle::with_template("warming {bar:40} {pos}/{len}, {msg}, {eta} left");
        let style = style.expect("the template names keys that there are");
        let bar = ProgressBar::new(calls as u64).with_style(style);
        let mut meter = Self { bar, tenths: None };
        let mut begun = Progress::default();
        begun.of = Some(calls as u64);
        meter.show(begun);
        meter
    }

    pub(crate) fn show(&mut self, progress: Progress) {
        let Progress { done, of, skipped, failed, .. } = progress;
        self.bar.set_message(format!("{skipped} there already, {failed} failed"));
        self.bar.set_position(done);
        let tenths = (done * 10).checked_div(of.unwrap_or_default());
        if self.bar.is_hidden() && tenths > self.tenths {
            eprintln!("warming: {progress}");
            self.tenths = tenths;
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
