//! Counters for the `metrics` facade.

use crate::stats::{FunctionStats, Stats};
use metrics::{counter, gauge};

impl Stats {
    /// Sets the `metrics` recorder in place to these numbers.
    ///
    /// To be called whenever the recorder is about to be read, or every few seconds. Every number
    /// has the label `function`; misses, bypasses, evictions and invalidations also have a `reason`.
    pub fn export(&self) {
        self.functions.iter().for_each(FunctionStats::export);
        for (reason, count) in [
            ("tag", self.invalidations_tags),
            ("pattern", self.invalidations_patterns),
            ("function", self.invalidations_functions),
            ("everything", self.invalidations_everything),
        ] {
            counter!("larder_invalidations_total", "reason" => reason).absolute(count);
        }
    }
}

impl FunctionStats {
    fn export(&self) {
        for (name, count) in [
            ("larder_hits_total", self.hits),
            ("larder_negative_hits_total", self.negative_hits),
            ("larder_stale_hits_total", self.stale_hits),
            ("larder_grace_hits_total", self.grace_hits),
            ("larder_refreshes_total", self.refreshes),
            ("larder_timeouts_total", self.timeouts),
            ("larder_fallbacks_total", self.fallbacks),
            ("larder_computations_total", self.computations),
            ("larder_failures_total", self.failures),
            ("larder_joins_total", self.joins),
            ("larder_refused_joins_total", self.refused_joins),
            ("larder_takeovers_total", self.takeovers),
            ("larder_stores_total", self.stores),
            ("larder_fenced_stores_total", self.fenced_stores),
            ("larder_l2_hits_total", self.hits_l2),
            ("larder_l2_joins_total", self.joins_l2),
            ("larder_l2_stores_total", self.stores_l2),
            ("larder_l2_fenced_stores_total", self.fenced_stores_l2),
            ("larder_rechecks_total", self.rechecks),
            ("larder_l3_hits_total", self.hits_l3),
            ("larder_l3_joins_total", self.joins_l3),
            ("larder_l3_stores_total", self.stores_l3),
            ("larder_l3_fenced_stores_total", self.fenced_stores_l3),
            ("larder_degraded_total", self.degraded),
        ] {
            counter!(name, "function" => self.name.clone()).absolute(count);
        }
        for (name, reason, count) in [
            ("larder_misses_total", "absent", self.misses_absent),
            ("larder_misses_total", "expired", self.misses_expired),
            ("larder_misses_total", "invalidated", self.misses_invalidated),
            ("larder_bypasses_total", "when", self.bypasses_when),
            ("larder_bypasses_total", "context", self.bypasses_context),
            ("larder_bypasses_total", "scope", self.bypasses_scope),
            ("larder_bypasses_total", "asked", self.bypasses_asked),
            ("larder_bypasses_total", "reentrant", self.bypasses_reentrant),
            ("larder_bypasses_total", "tenant", self.bypasses_tenant),
            ("larder_bypasses_total", "dependencies", self.bypasses_dependencies),
            ("larder_bypasses_total", "codec", self.bypasses_codec),
            ("larder_evictions_total", "capacity", self.evictions_capacity),
            ("larder_evictions_total", "oversized", self.evictions_oversized),
            ("larder_evictions_total", "scope", self.evictions_scope),
            ("larder_function_invalidations_total", "key", self.invalidations_key),
            ("larder_function_invalidations_total", "function", self.invalidations_function),
        ] {
            counter!(name, "function" => self.name.clone(), "reason" => reason).absolute(count);
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        for (name, value) in
            [("larder_entries", self.entries as f64), ("larder_weight", self.weight as f64)]
        {
            gauge!(name, "function" => self.name.clone()).set(value);
        }
        for (name, histogram) in [
            ("larder_computation_seconds", &self.computation_time),
            ("larder_age_at_serve_seconds", &self.age_at_serve),
        ] {
            for (label, quantile) in [("0.5", 0.5), ("0.99", 0.99)] {
                if let Some(span) = histogram.quantile(quantile) {
                    gauge!(name, "function" => self.name.clone(), "quantile" => label)
                        .set(span.as_secs_f64());
                }
            }
        }
    }
}
