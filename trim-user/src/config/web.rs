//! The section `web`.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Check;
use super::place::Key;
use crate::control::alert::secret::SecretRef;
use crate::control::web::{TlsFiles, WebSettings};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Web {
    /// Address and port of the TCP listener, or `none`.
    listen: Key<String>,
    /// `file:PATH` or `env:NAME` of the token that requests have to bring. An address that is not loopback
    /// needs one.
    token: Key<String>,
    /// PEM file with the certificate for TLS; without it, no TLS.
    certificate: Key<PathBuf>,
    /// PEM file with its key.
    key: Key<PathBuf>,
}

pub(super) fn resolve(check: &mut Check, raw: &Web) -> Option<WebSettings> {
    check.note("web.listen", "none");
    for key in ["web.token", "web.certificate", "web.key"] {
        check.note(key, ());
    }
    let token = raw.token.as_ref().and_then(|given| {
        let parsed = SecretRef::parse(&given.value);
        parsed
            .map_err(|problem| check.at(given.referenced, "web.token", problem))
            .ok()
    });
    let tls = tls(check, raw);
    let listen = raw.listen.as_ref().filter(|given| given.value != "none")?;
    let Ok(address) = listen.value.parse::<SocketAddr>() else {
        let message = format!(
            "`{}` is not allowed: an address with a port, such as 127.0.0.1:9620 or [::]:9620, or none",
            listen.value
        );
        check.at(listen.referenced, "web.listen", message);
        return None;
    };
    if !address.ip().is_loopback() && raw.token.is_none() {
        let message =
            format!("{address} can be reached from other machines: it needs a `token`, or listen on 127.0.0.1");
        check.at(listen.referenced, "web.listen", message);
    }
    Some(WebSettings {
        token,
        tls,
        ..WebSettings::new(address)
    })
}

fn tls(check: &mut Check, raw: &Web) -> Option<TlsFiles> {
    match (&raw.certificate, &raw.key) {
        (Some(certificate), Some(key)) => Some(TlsFiles {
            certificate: certificate.value.clone(),
            key: key.value.clone(),
        }),
        (None, None) => None,
        (Some(given), None) | (None, Some(given)) => {
            let message = "`certificate` and `key` are given together or not at all";
            check.at(given.referenced, "web.certificate", message);
            None
        }
    }
}
