//! Certificates: whom to trust, and what to show.

use redis::{Client, ClientTlsConfig, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

use crate::connect::address::is_tls;

/// As PEM; nothing stands for what the system trusts, and for showing none.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    pub(crate) ca: Option<Vec<u8>>,
    /// A certificate, and its key.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    pub(crate) fn says_something(&self) -> bool {
        self.ca.is_some() || self.client.is_some()
    }

    /// As redis-rs takes them.
    pub(crate) fn certificates(&self) -> Option<TlsCertificates> {
        let client = self.client.clone();
        let client_tls = client.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
        self.says_something().then(|| TlsCertificates { client_tls, root_cert: self.ca.clone() })
    }

    pub(crate) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
        if !is_tls(&info) {
            let why = "certificates are given, but the URL is not rediss://: nothing would be encrypted";
            return if self.says_something() { Err(why.to_owned()) } else { Ok(info) };
        }
        choose_cryptography();
        let certificates = [self.ca.as_deref(), self.client.as_ref().map(|(certificate, _)| &**certificate)];
        if certificates.into_iter().flatten().any(|pem| !holds_a_certificate(pem)) {
            return Err(
                "a certificate or authority for TLS is not PEM, which begins with `-----BEGIN CERTIFICATE`"
                    .into(),
            );
        }
        let Some(certificates) = self.certificates() else { return Ok(info) };
        match Client::build_with_tls(info, certificates) {
            Ok(client) => Ok(client.get_connection_info().clone()),
            // Its own error may cite what it has read.
            Err(_) => {
                Err("the certificates or the private key for TLS cannot be read: they must be PEM".to_owned())
            }
        }
    }
}

fn holds_a_certificate(pem: &[u8]) -> bool {
    let begins = b"-----BEGIN CERTIFICATE";
    pem.windows(begins.len()).any(|window| window == begins)
}

/// rustls wants one choice for the process, and panics where it is to guess. The program's own goes before ours.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may have been faster.
        let _ = ring::default_provider().install_default();
    }
}
