//! What the daemon tells, when it does.

use std::path::Path;
use std::time::Duration;

use super::Collecting;
use crate::control::client::{Client, ClientError};
use crate::ops::diag::manifest::Daemon;

/// How long the daemon may take for each answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks for everything; after it has failed to answer once, nothing more is asked.
pub(super) fn collect(collecting: &mut Collecting<'_>) -> Daemon {
    let client = Client::new(&collecting.sources.socket).patience(PATIENCE);
    let status = client.status();
    let daemon = match &status {
        Ok(status) => Daemon::Alive { pid: status.pid },
        Err(error @ ClientError::NotRunning { .. }) => Daemon::Dead {
            reason: error.to_string(),
        },
        Err(error) => Daemon::Hanging {
            pid: peer(&collecting.sources.socket),
            reason: error.to_string(),
        },
    };
    collecting.json("status.json", status);
    if let Daemon::Hanging { reason, .. } | Daemon::Dead { reason } = &daemon {
        for part in ["health.json", "alerts.json", "alert_statistics.json"] {
            collecting.missing(part, reason.clone());
        }
        if collecting.wanted.metrics {
            collecting.missing("histograms.json", reason.clone());
            collecting.missing("latency.hlog", reason.clone());
        }
    } else {
        collecting.json("health.json", client.health());
        collecting.json("alerts.json", client.alerts());
        collecting.json("alert_statistics.json", client.alert_statistics());
        if collecting.wanted.metrics {
            histograms(collecting, &client);
        }
    }
    if !collecting.wanted.metrics {
        collecting.not_asked("histograms.json", "--include-metrics");
        collecting.not_asked("latency.hlog", "--include-metrics");
    }
    daemon
}

fn histograms(collecting: &mut Collecting<'_>, client: &Client) {
    match client.histograms() {
        Ok(mut histograms) => {
            let log = std::mem::take(&mut histograms.log);
            collecting.json("histograms.json", Ok::<_, String>(histograms));
            // Numbers only; a pattern for secrets could hit its base64.
            collecting.bytes("latency.hlog", log.into_bytes(), None);
        }
        Err(error) => {
            collecting.missing("histograms.json", error.to_string());
            collecting.missing("latency.hlog", error.to_string());
        }
    }
}

/// The process that listens. The kernel answers for it, so it may hang.
fn peer(socket: &Path) -> Option<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let pid = runtime.block_on(async {
        let connect = tokio::net::UnixStream::connect(socket);
        let stream = tokio::time::timeout(PATIENCE, connect).await.ok()?.ok()?;
        stream.peer_cred().ok()?.pid()
    });
    u32::try_from(pid?).ok()
}
