//! Elasticsearch: whether its server can be reached as it will be, and whether its secret can be had. Nothing is sent.

use std::time::Duration;

use crate::config::Config;
use crate::control::alert::channel::http::{Unreachable, reach};
use crate::ops::finding::{About, Report};
use crate::telemetry::elasticsearch::ElasticsearchSettings;

/// Longest wait for a connection, whatever is allowed for a request.
const PATIENCE: Duration = Duration::from_secs(5);

const WHY: &str = "its documents wait on disk, and the oldest are given up when `elasticsearch.spool_size` is reached";

pub(super) fn examine(config: &Config, report: &mut Report) {
    let Some(settings) = &config.elasticsearch else {
        return;
    };
    let mut about = report.about("elasticsearch");
    judge_server(settings, &mut about);
    if let Some(Err(error)) = settings.credentials.as_ref().map(|it| it.secret().read()) {
        about.fail(
            "credentials",
            error.to_string(),
            WHY,
            "put it there, readable by its owner alone",
        );
    }
}

fn judge_server(settings: &ElasticsearchSettings, about: &mut About<'_>) {
    const CHECK: &str = "server";
    let patience = settings.timeout.min(PATIENCE);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return about.note(CHECK, format!("not looked at: {error}"), ""),
    };
    let reached = runtime
        .block_on(async { tokio::time::timeout(patience, reach(&settings.url, settings.ca_file.as_deref())).await });
    // A name that is still being looked up must not hold up the answer.
    runtime.shutdown_background();
    let (found, fix) = match reached {
        Ok(Ok(server)) => return about.ok(CHECK, format!("{server} takes connections")),
        Ok(Err(Unreachable::Connection(error))) => (
            error.to_string(),
            "start the server, open the firewall, or correct `elasticsearch.url`",
        ),
        Ok(Err(Unreachable::Tls(error))) => (
            error.to_string(),
            "name the certificate of its authority in `elasticsearch.ca_file`, and in `elasticsearch.url` the host as its \
             certificate does",
        ),
        Err(_) => (
            format!("{}: no connection within {patience:?}", settings.url),
            "open the firewall, or correct `elasticsearch.url`",
        ),
    };
    about.fail(CHECK, found, WHY, fix);
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::ops::finding::Finding;

    fn findings(section: &str) -> Vec<Finding> {
        let mut report = Report::default();
        let config = Config::parse(&format!("elasticsearch: {section}")).unwrap();
        examine(&config, &mut report);
        report.findings
    }

    #[test]
    fn a_server_is_reached_or_what_mends_it_is_said() {
        assert_eq!(findings("{ interval: 20s }"), [], "nothing is sent");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let section = format!("{{ url: 'http://{url}' }}");
        let found = &findings(&section)[0].found;
        assert_eq!(found, &format!("http://{url} takes connections"));
        drop(listener);
        let found = &findings(&section)[0];
        assert!(
            found.found.contains("cannot connect") && found.fix.contains("start the server"),
            "{found:?}"
        );
        let found = &findings("{ url: 'http://127.0.0.1:1', api_key: 'file:/nowhere' }")[1];
        assert!(
            found.found.contains("/nowhere") && found.fix.contains("put it there"),
            "{found:?}"
        );
    }

    /// One that says nothing, as behind a firewall that swallows what it does not like.
    #[test]
    fn a_server_that_does_not_answer_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = findings(&format!("{{ url: 'https://127.0.0.1:{port}', timeout: 200ms }}"));
        assert!(found[0].found.contains("within 200ms"), "{found:?}");
    }
}
