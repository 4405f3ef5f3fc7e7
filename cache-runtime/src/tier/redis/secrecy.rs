//! Who encrypts, where connections are made by TLS.

use rustls::crypto::{CryptoProvider, ring};
use std::sync::Once;

/// Chooses one, unless the program has.
pub(super) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if CryptoProvider::get_default().is_none() {
            // Only somebody who was faster is a reason to fail.
            let _ = ring::default_provider().install_default();
        }
    });
}
