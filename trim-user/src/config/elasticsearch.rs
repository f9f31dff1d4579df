//! The section `elasticsearch`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Check;
use super::place::Key;
use super::units::{Size, Span};
use crate::control::alert::secret::SecretRef;
use crate::telemetry::elasticsearch::{Credentials, ElasticsearchSettings};
use crate::telemetry::logging::Redactor;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const METRICS: &str = "metrics-trim.capture-default";
const EVENTS: &str = "logs-trim.event-default";
const SPOOL: &str = "/var/lib/trim/elasticsearch";

/// Where metrics and events go as documents.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Elasticsearch {
    /// The server, with http:// or https://, without `/_bulk`. Without it nothing is sent.
    url: Key<String>,
    /// Data stream of the metrics: type, dataset and namespace with `-` between them.
    data_stream: Key<String>,
    /// Data stream of the events.
    event_data_stream: Key<String>,
    /// Time between two documents of metrics.
    interval: Key<Span>,
    /// `file:PATH`, `env:NAME` or `credential:NAME` of an API key in its encoded form.
    api_key: Key<String>,
    /// A user, in the place of an API key.
    username: Key<String>,
    /// `file:PATH`, `env:NAME` or `credential:NAME` of the user's password.
    password: Key<String>,
    /// PEM file with certificates to trust besides the system's.
    ca_file: Key<PathBuf>,
    /// Longest time for one request.
    timeout: Key<Span>,
    /// Folder in which documents wait that no server has taken yet.
    spool_directory: Key<PathBuf>,
    /// Most bytes that wait; the oldest documents make room.
    spool_size: Key<Size>,
    /// Most documents of one request.
    batch: Key<u32>,
    /// Most bytes of one request.
    batch_size: Key<Size>,
}

pub(super) fn resolve(check: &mut Check, raw: &Elasticsearch) -> Option<ElasticsearchSettings> {
    let key = |word: &str| format!("elasticsearch.{word}");
    for word in ["url", "api_key", "username", "password", "ca_file"] {
        check.note(&key(word), ());
    }
    let data_stream = data_stream(check, "elasticsearch.data_stream", &raw.data_stream, METRICS);
    let event_data_stream = self::data_stream(check, "elasticsearch.event_data_stream", &raw.event_data_stream, EVENTS);
    let interval = check.span(&key("interval"), &raw.interval, 10 * SECOND, SECOND, HOUR);
    let timeout = check.span(&key("timeout"), &raw.timeout, 10 * SECOND, SECOND / 10, 60 * SECOND);
    let spool_directory = check.path(&key("spool_directory"), &raw.spool_directory, SPOOL);
    let spool_bytes = check.size(&key("spool_size"), &raw.spool_size, 64 << 20, 64 << 10, 64 << 30);
    let batch = check.number(&key("batch"), &raw.batch, 500, 1, 10_000);
    let batch_bytes = check.size(&key("batch_size"), &raw.batch_size, 5 << 20, 16 << 10, 64 << 20);
    let credentials = credentials(check, raw);
    Some(ElasticsearchSettings {
        url: url(check, raw)?,
        data_stream,
        event_data_stream,
        interval,
        credentials,
        ca_file: raw.ca_file.as_ref().map(|given| given.value.clone()),
        timeout,
        spool_directory,
        spool_bytes,
        batch_documents: batch as usize,
        batch_bytes,
    })
}

/// The address; a problem does not repeat it, because it may hold a password.
fn url(check: &mut Check, raw: &Elasticsearch) -> Option<String> {
    let given = raw.url.as_ref()?;
    let text = &given.value;
    let is_telling = Redactor::new(&[], &[]).is_ok_and(|redactor| &redactor.text(text) != text);
    if is_telling || text.contains('@') {
        let message = "this address has a secret in it: write `username` and `password`, or `api_key`";
        check.at(given.referenced, "elasticsearch.url", message);
        return None;
    }
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    if !rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' '])) {
        let message = "write a URL such as https://elastic.example.org:9200";
        check.at(given.referenced, "elasticsearch.url", message);
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// A name such as `metrics-trim.capture-default`.
fn data_stream(check: &mut Check, key: &str, given: &Key<String>, default: &str) -> String {
    let name = check.text(key, given, default);
    let is_part = |part: &str| {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '_';
        !part.is_empty() && part.len() <= 100 && !part.starts_with(['.', '_']) && part.chars().all(is_allowed)
    };
    if let Some(given) = given
        && !(name.split('-').count() == 3 && name.split('-').all(is_part))
    {
        let message = format!("`{name}` is not allowed: type-dataset-namespace in small letters, such as {default}");
        check.at(given.referenced, key, message);
    }
    name
}

fn credentials(check: &mut Check, raw: &Elasticsearch) -> Option<Credentials> {
    let mut secret = |key: &str, given: &Key<String>| {
        let given = given.as_ref()?;
        let parsed = SecretRef::parse(&given.value);
        parsed.map_err(|problem| check.at(given.referenced, key, problem)).ok()
    };
    let api_key = secret("elasticsearch.api_key", &raw.api_key);
    let password = secret("elasticsearch.password", &raw.password);
    match (&raw.api_key, &raw.username, &raw.password) {
        (Some(given), Some(_), _) | (Some(given), _, Some(_)) => {
            let message = "either `api_key`, or `username` and `password`";
            check.at(given.referenced, "elasticsearch.api_key", message);
        }
        (None, Some(given), None) | (None, None, Some(given)) => {
            let message = "`username` and `password` are given together or not at all";
            check.at(given.referenced, "elasticsearch.username", message);
        }
        _ => {}
    }
    let username = raw.username.as_ref().map(|given| given.value.clone());
    let basic = || {
        Some(Credentials::Basic {
            username: username?,
            password: password?,
        })
    };
    api_key.map(Credentials::ApiKey).or_else(basic)
}
