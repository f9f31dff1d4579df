//! The section as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::super::raw::Key;
use super::super::units::{Size, Span};
use crate::control::alert::channel::Security;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Alerts {
    pub(super) directory: Key<PathBuf>,
    pub(super) group_by: Option<Vec<Spanned<String>>>,
    pub(super) group_wait: Key<Span>,
    pub(super) group_interval: Key<Span>,
    pub(super) repeat: Key<Span>,
    pub(super) resolve_after: Key<Span>,
    pub(super) event_lasts: Key<Span>,
    pub(super) retry_pause: Key<Span>,
    pub(super) queue: Queue,
    pub(super) rules: BTreeMap<String, Spanned<Rule>>,
    pub(super) inhibit: Option<Vec<Inhibit>>,
    pub(super) channels: Channels,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Queue {
    pub(super) messages: Key<u32>,
    pub(super) bytes: Key<Size>,
    pub(super) age: Key<Span>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rule {
    pub(super) enabled: Key<bool>,
    pub(super) level: Key<String>,
    pub(super) warning: Key<f64>,
    pub(super) critical: Key<f64>,
    #[serde(rename = "for")]
    pub(super) hold: Key<Span>,
    pub(super) repeat: Key<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inhibit {
    pub(super) source: Spanned<String>,
    pub(super) target: Spanned<String>,
    #[serde(default)]
    pub(super) equal: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Channels {
    pub(super) email: Vec<Email>,
    pub(super) slack: Vec<Http>,
    pub(super) webhook: Vec<Http>,
    pub(super) alertmanager: Vec<Alertmanager>,
    pub(super) log_file: Vec<LogFile>,
}

/// What every channel has. Written out in each, because `deny_unknown_fields` cannot look into a flattened part.
macro_rules! channel {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            pub(super) name: Spanned<String>,
            #[serde(default)]
            pub(super) level: Key<String>,
            #[serde(default)]
            pub(super) resolved: Key<bool>,
            #[serde(default)]
            pub(super) limit: Key<u32>,
            #[serde(default)]
            pub(super) limit_per: Key<Span>,
            #[serde(default)]
            pub(super) timeout: Key<Span>,
            $(#[serde(default)] pub(super) $field: $type,)*
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
    host: Key<String>,
    port: Key<u16>,
    security: Key<Security>,
    ca_file: Key<PathBuf>,
    username: Key<String>,
    password: Key<String>,
    from: Key<String>,
    to: Vec<Spanned<String>>,
});

channel!(Http {
    url: Key<String>,
    token: Key<String>,
    ca_file: Key<PathBuf>,
});

channel!(Alertmanager {
    url: Key<String>,
    token: Key<String>,
    ca_file: Key<PathBuf>,
    lasts: Key<Span>,
});

channel!(LogFile {
    path: Key<PathBuf>,
    max_size: Key<Size>,
    keep: Key<u32>,
});
