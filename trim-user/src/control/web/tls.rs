//! TLS with a certificate from files.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::WebError;
use super::settings::TlsFiles;
use crate::sealed::check_private;

/// Reads the files.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, WebError> {
    let unusable = |key: &'static str, path: &Path, reason: String| WebError::Tls {
        key,
        path: path.into(),
        reason,
    };
    let certificate = |reason| unusable("web.certificate", &files.certificate, reason);
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(certificate("it holds no certificate in PEM".to_owned()));
    }
    check_private(&files.key).map_err(|error| unusable("web.key", &files.key, error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable("web.key", &files.key, error.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| certificate(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
