//! The section as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::place::{Key, Spanned};
use super::super::units::{Size, Span};
use crate::control::alert::channel::Security;

/// Who is told what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Alerts {
    /// Where messages wait for their channels and the state is kept; no two daemons may share it. Without it,
    /// /var/lib/trim/alerts when there is a channel, else memory.
    pub(super) directory: Key<PathBuf>,
    /// Alerts that are equal in these labels share a message; `rule` and `level` count as labels.
    pub(super) group_by: Option<Vec<Spanned<String>>>,
    /// How long the first alert of a group waits for others. Critical alerts do not wait.
    pub(super) group_wait: Key<Span>,
    /// The least time between two messages of a group. Critical alerts do not wait.
    pub(super) group_interval: Key<Span>,
    /// How often an alert that lasts is told again.
    pub(super) repeat: Key<Span>,
    /// How long a condition has to be gone before it counts as resolved.
    pub(super) resolve_after: Key<Span>,
    /// How long an event, such as a rollback, is listed as firing.
    pub(super) event_lasts: Key<Span>,
    /// Pause before an alert is told again whose message was refused or lost.
    pub(super) retry_pause: Key<Span>,
    /// Messages that wait for their channels. The least serious are dropped first, and counted.
    pub(super) queue: Queue,
    /// The rules by which alerts are judged; docs/alerts.md says what each means and what to do.
    pub(super) rules: BTreeMap<String, Spanned<Rule>>,
    /// While an alert that matches `source` fires, alerts that match `target` and are equal in the labels are not told.
    pub(super) inhibit: Option<Vec<Inhibit>>,
    /// The ways by which people are told. Each has a name of its own.
    pub(super) channels: Channels,
}

/// Messages that wait for their channels.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Queue {
    /// Most messages that wait.
    pub(super) messages: Key<u32>,
    /// Most bytes that wait.
    pub(super) bytes: Key<Size>,
    /// How long a message waits at most.
    pub(super) age: Key<Span>,
}

/// A rule. Thresholds are percentages; a rule that is not measured has a level instead.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rule {
    /// Whether the rule is looked at.
    pub(super) enabled: Key<bool>,
    /// How bad it is, of a rule that is not measured: info, warning or critical.
    pub(super) level: Key<String>,
    /// From here on it is a warning, percent.
    pub(super) warning: Key<f64>,
    /// From here on it is critical, percent.
    pub(super) critical: Key<f64>,
    /// How long it has to hold before anybody is told.
    #[serde(rename = "for")]
    pub(super) hold: Key<Span>,
    /// How often it is told again while it lasts. Without it, as `alerts.repeat`.
    pub(super) repeat: Key<Span>,
}

/// Alerts that are not told while another one fires.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inhibit {
    /// What fires, such as `rule=unavailable`.
    pub(super) source: Spanned<String>,
    /// What is not told meanwhile.
    pub(super) target: Spanned<String>,
    /// Labels in which both have to be equal.
    #[serde(default)]
    pub(super) equal: Vec<String>,
}

/// The ways by which people are told.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Channels {
    /// Mail through a server.
    pub(super) email: Vec<Email>,
    /// Messages to Slack.
    pub(super) slack: Vec<Http>,
    /// JSON to an HTTP server.
    pub(super) webhook: Vec<Http>,
    /// Alerts to Prometheus' Alertmanager.
    pub(super) alertmanager: Vec<Alertmanager>,
    /// Lines of JSON in a file.
    pub(super) log_file: Vec<LogFile>,
}

/// What every channel has. Written out in each, because `deny_unknown_fields` cannot look into a flattened part.
macro_rules! channel {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// Its name: letters, digits, `-` and `_`.
            pub(super) name: Spanned<String>,
            /// The least serious level it is told: info, warning or critical.
            #[serde(default)]
            pub(super) level: Key<String>,
            /// Whether it is told of ends.
            #[serde(default)]
            pub(super) resolved: Key<bool>,
            /// Most messages in `limit_per`; critical ones neither count nor wait.
            #[serde(default)]
            pub(super) limit: Key<u32>,
            /// The time that `limit` is about.
            #[serde(default)]
            pub(super) limit_per: Key<Span>,
            /// Most time for one attempt.
            #[serde(default)]
            pub(super) timeout: Key<Span>,
            $($(#[$about])* #[serde(default)] pub(super) $field: $type,)*
        }

        impl $name {
            pub(super) fn common(&self) -> Common<'_> {
                Common {
                    name: &self.name,
                    level: &self.level,
                    resolved: &self.resolved,
                    limit: &self.limit,
                    limit_per: &self.limit_per,
                    timeout: &self.timeout,
                }
            }
        }
    };
}

/// What every channel has.
pub(super) struct Common<'a> {
    pub(super) name: &'a Spanned<String>,
    pub(super) level: &'a Key<String>,
    pub(super) resolved: &'a Key<bool>,
    pub(super) limit: &'a Key<u32>,
    pub(super) limit_per: &'a Key<Span>,
    pub(super) timeout: &'a Key<Span>,
}

channel!(Email {
    /// The mail server's name or address.
    host: Key<String>,
    /// Its port; without it, 465, 587 or 25, by `security`.
    port: Key<u16>,
    /// How it is spoken to.
    security: Key<Security>,
    /// Certificates to trust besides the system's.
    ca_file: Key<PathBuf>,
    /// Name at the server; together with `password`, or neither.
    username: Key<String>,
    /// Where the password is kept: file:PATH or env:NAME. Never the password itself.
    password: Key<String>,
    /// The sender.
    from: Key<String>,
    /// The recipients.
    to: Vec<Spanned<String>>,
});

channel!(Http {
    /// Where messages are posted to: a URL, or file:PATH or env:NAME of where it is kept. An address of Slack is a
    /// secret and always kept elsewhere.
    url: Key<String>,
    /// Where the bearer token is kept: file:PATH or env:NAME.
    token: Key<String>,
    /// Certificates to trust besides the system's.
    ca_file: Key<PathBuf>,
});

channel!(Alertmanager {
    /// Alertmanager's address.
    url: Key<String>,
    /// Where the bearer token is kept: file:PATH or env:NAME.
    token: Key<String>,
    /// Certificates to trust besides the system's.
    ca_file: Key<PathBuf>,
    /// How long an alert is good without being told again; longer than `alerts.repeat`.
    lasts: Key<Span>,
});

channel!(LogFile {
    /// The file.
    path: Key<PathBuf>,
    /// It is moved to PATH.1 before it grows larger than this.
    max_size: Key<Size>,
    /// How many moved files are kept.
    keep: Key<u32>,
});
