//! Alert channels: whether their servers take connections, and whether their secrets can be had. Nothing is sent.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::control::alert::channel::{ChannelKind, ChannelSettings, HttpSettings};
use crate::control::alert::secret::SecretRef;
use crate::ops::finding::{About, Report};

/// Longest wait for one connection, whatever a channel allows for a message.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn examine(config: &Config, report: &mut Report) {
    let mut about = report.about("alert channels");
    if config.alerts.channels.is_empty() {
        about.note("channels", "none configured", "nobody is told when something is wrong");
    }
    for channel in &config.alerts.channels {
        let name = channel.audience.name.as_str();
        for secret in secrets(&channel.kind) {
            judge_secret(name, secret, &mut about);
        }
        match target(&channel.kind) {
            None => {}
            Some(Ok((host, port))) => judge_server(channel, (&host, port), &mut about),
            Some(Err(problem)) => about.fail(name, problem, "its messages cannot be sent", "correct its address"),
        }
    }
}

fn judge_server(channel: &ChannelSettings, (host, port): (&str, u16), about: &mut About<'_>) {
    let name = channel.audience.name.as_str();
    match connect(host, port, channel.timeout.min(PATIENCE)) {
        Ok(()) => about.ok(name, format!("{host} takes connections on port {port}")),
        Err(error) => about.fail(
            name,
            format!("cannot connect to {host} port {port}: {error}"),
            "its messages wait, and nobody reads them meanwhile",
            "start the server, open the firewall, or correct its address; then `trim alert test`",
        ),
    }
}

fn judge_secret(name: &str, secret: &SecretRef, about: &mut About<'_>) {
    if let Err(error) = secret.read() {
        about.fail(
            name,
            error.to_string(),
            "its messages cannot be sent without",
            "put it there, readable by its owner alone",
        );
    }
}

fn secrets(kind: &ChannelKind) -> Vec<&SecretRef> {
    match kind {
        ChannelKind::Email(settings) => settings.password.iter().collect(),
        ChannelKind::Slack(server) | ChannelKind::Webhook(server) | ChannelKind::Alertmanager { server, .. } => {
            server.secrets()
        }
        ChannelKind::LogFile(_) => Vec::new(),
    }
}

/// Host and port; `None` for what is no server, and for an address that cannot be had, which is told of already.
fn target(kind: &ChannelKind) -> Option<Result<(String, u16), String>> {
    match kind {
        ChannelKind::Email(settings) => Some(Ok((settings.host.clone(), settings.port))),
        ChannelKind::Slack(server) | ChannelKind::Webhook(server) | ChannelKind::Alertmanager { server, .. } => {
            HttpSettings::host_and_port(server)
        }
        ChannelKind::LogFile(_) => None,
    }
}

/// Connects to one of the host's addresses, and says nothing.
fn connect(host: &str, port: u16, patience: Duration) -> io::Result<()> {
    let end = Instant::now() + patience;
    let mut last = io::Error::other("it has no address");
    for address in (host, port).to_socket_addrs()? {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::ops::finding::{Grade, Report};

    fn grades(yaml: &str) -> Vec<Grade> {
        let mut report = Report::default();
        examine(&Config::parse(yaml).unwrap(), &mut report);
        report.findings.into_iter().map(|finding| finding.grade).collect()
    }

    #[test]
    fn servers_are_reached_or_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let yaml =
            |port| format!("alerts: {{ channels: {{ webhook: [{{ name: a, url: 'http://127.0.0.1:{port}/' }}] }} }}");
        assert_eq!(grades(&yaml(port)), [Grade::Ok]);
        drop(listener);
        assert_eq!(grades(&yaml(port)), [Grade::Failure]);
        assert_eq!(grades(""), [Grade::Note]);
    }

    #[test]
    fn secrets_have_to_be_there_and_to_stay_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        let yaml = format!(
            "alerts: {{ channels: {{ slack: [{{ name: a, url: 'file:{}', timeout: 100ms }}] }} }}",
            file.display()
        );
        assert_eq!(grades(&yaml), [Grade::Failure]);
        std::fs::write(&file, "http://127.0.0.1:1/hunter2").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut report = Report::default();
        examine(&Config::parse(&yaml).unwrap(), &mut report);
        assert!(report.findings[0].found.contains("chmod"), "{report:?}");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(grades(&yaml), [Grade::Failure]);
        let mut report = Report::default();
        examine(&Config::parse(&yaml).unwrap(), &mut report);
        assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
    }
}
