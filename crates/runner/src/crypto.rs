//! The one cryptography provider of the process.

/// Makes ring the provider of TLS for the whole process, unless one is there already. Cheap; may be called again.
pub fn install_crypto() {
    // An error means that somebody was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
