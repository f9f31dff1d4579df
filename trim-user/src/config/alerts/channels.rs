//! The channels of the section `alerts`.

use std::path::PathBuf;
use std::time::Duration;

use super::super::check::{Check, value};
use super::super::place::{Key, Spanned};
use super::super::raw::NONE;
use super::raw::{self, Common};
use super::resolve::HOUR;
use crate::control::alert::Level;
use crate::control::alert::channel::{
    Address, ChannelKind, ChannelSettings, EmailSettings, HttpSettings, LogFileSettings, Mailbox, Security,
};
use crate::control::alert::engine::{Audience, RateLimit};
use crate::control::alert::secret::SecretRef;
use crate::telemetry::logging::Redactor;

const SECOND: Duration = Duration::from_secs(1);

/// Every channel, each name once.
pub(super) fn channels(check: &mut Check, raw: &raw::Channels, repeat: Duration) -> Vec<ChannelSettings> {
    for kind in ["email", "slack", "webhook", "alertmanager", "log_file"] {
        check.note(&format!("alerts.channels.{kind}"), NONE);
    }
    let mut all: Vec<ChannelSettings> = Vec::new();
    let mut add = |check: &mut Check, common: &Common<'_>, kind: Option<ChannelKind>| {
        let audience = audience(check, common);
        if all.iter().any(|channel| channel.audience.name == audience.name) {
            let message = format!("`{}` is the name of two channels", audience.name);
            check.at(common.name.referenced, "alerts.channels", message);
        }
        let key = format!("alerts.channels.{}.timeout", audience.name);
        let timeout = check.span(&key, common.timeout, 10 * SECOND, SECOND / 10, HOUR);
        all.extend(kind.map(|kind| ChannelSettings {
            audience,
            timeout,
            kind,
        }));
    };
    for one in &raw.email {
        let kind = email(check, one).map(ChannelKind::Email);
        add(check, &one.common(), kind);
    }
    for one in &raw.slack {
        let kind = http(check, &one.name, &one.url, &one.token, &one.ca_file, true).map(ChannelKind::Slack);
        add(check, &one.common(), kind);
    }
    for one in &raw.webhook {
        let kind = http(check, &one.name, &one.url, &one.token, &one.ca_file, false).map(ChannelKind::Webhook);
        add(check, &one.common(), kind);
    }
    for one in &raw.alertmanager {
        let server = http(check, &one.name, &one.url, &one.token, &one.ca_file, false);
        let key = format!("alerts.channels.{}.lasts", one.name.value);
        let lasts = check.span(
            &key,
            &one.lasts,
            (24 * HOUR).max(2 * repeat),
            60 * SECOND,
            24 * 90 * HOUR,
        );
        add(
            check,
            &one.common(),
            server.map(|server| ChannelKind::Alertmanager { server, lasts }),
        );
    }
    for one in &raw.log_file {
        let kind = log_file(check, one).map(ChannelKind::LogFile);
        add(check, &one.common(), kind);
    }
    all
}

fn audience(check: &mut Check, common: &Common<'_>) -> Audience {
    let name = &common.name.value;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_name {
        let message = format!("`{name}` is no name for a channel: letters, digits, `-` and `_`");
        check.at(common.name.referenced, "alerts.channels", message);
    }
    let key = |word: &str| format!("alerts.channels.{name}.{word}");
    check.note(&key("name"), ());
    check.note(&key("level"), Level::Info.name());
    check.note(&key("resolved"), true);
    let mut level = Level::Info;
    if let Some(given) = common.level {
        match Level::parse(&given.value) {
            Ok(parsed) => level = parsed,
            Err(problem) => check.at(given.referenced, &key("level"), problem),
        }
    }
    let limit = RateLimit::default();
    Audience {
        name: name.clone(),
        level,
        resolved: value(common.resolved).unwrap_or(true),
        limit: RateLimit {
            messages: check.number(&key("limit"), common.limit, limit.messages, 1, 1_000_000),
            per: check.span(&key("limit_per"), common.limit_per, limit.per, SECOND, 24 * HOUR),
        },
    }
}

/// A key that has to be there.
fn needed<'a, T>(check: &mut Check, channel: &Spanned<String>, key: &str, given: &'a Key<T>) -> Option<&'a T> {
    if given.is_none() {
        let key = format!("alerts.channels.{}.{key}", channel.value);
        check.at(channel.referenced, &key, "has to be given");
    }
    given.as_ref().map(|given| &given.value)
}

fn secret(check: &mut Check, channel: &Spanned<String>, key: &str, given: &Key<String>) -> Option<SecretRef> {
    let given = given.as_ref()?;
    let parsed = SecretRef::parse(&given.value);
    let key = format!("alerts.channels.{}.{key}", channel.value);
    parsed.map_err(|problem| check.at(given.referenced, &key, problem)).ok()
}

fn http(
    check: &mut Check,
    name: &Spanned<String>,
    url: &Key<String>,
    token: &Key<String>,
    ca_file: &Key<PathBuf>,
    is_secret: bool,
) -> Option<HttpSettings> {
    let token = secret(check, name, "token", token);
    let text = needed(check, name, "url", url)?;
    let is_reference = SecretRef::is_reference(text);
    let address = if is_secret || is_reference {
        secret(check, name, "url", url).map(Address::Secret)
    } else if is_telling(text) {
        let key = format!("alerts.channels.{}.url", name.value);
        let place = url.as_ref().map_or(name.referenced, |url| url.referenced);
        check.at(
            place,
            &key,
            "this address has a secret in it: put it in a file, and write file:PATH",
        );
        None
    } else if text.starts_with("http://") || text.starts_with("https://") {
        Some(Address::Open(text.clone()))
    } else {
        let key = format!("alerts.channels.{}.url", name.value);
        let place = url.as_ref().map_or(name.referenced, |url| url.referenced);
        check.at(
            place,
            &key,
            "write a URL with http:// or https://, or file:PATH or env:NAME of where it is kept",
        );
        None
    };
    Some(HttpSettings {
        url: address?,
        token,
        ca_file: ca_file.as_ref().map(|path| path.value.clone()),
    })
}

/// Whether a secret stands in an address, such as a password or `?token=`.
fn is_telling(address: &str) -> bool {
    Redactor::new(&[], &[]).is_ok_and(|redactor| redactor.text(address) != address)
}

fn email(check: &mut Check, raw: &raw::Email) -> Option<EmailSettings> {
    let security = value(&raw.security).unwrap_or(Security::Starttls);
    let port = match security {
        Security::Tls => 465,
        Security::Starttls => 587,
        Security::None => 25,
    };
    let key = |word: &str| format!("alerts.channels.{}.{word}", raw.name.value);
    check.note(&key("security"), Security::Starttls);
    let given_port = check.optional_number(&key("port"), &raw.port, 1, u16::MAX);
    let password = secret(check, &raw.name, "password", &raw.password);
    if raw.username.is_some() != raw.password.is_some() {
        check.at(
            raw.name.referenced,
            &key("username"),
            "`username` and `password` are given together or not at all",
        );
    }
    let mut mailbox = |given: &Spanned<String>, word: &str| {
        let parsed = given.value.parse::<Mailbox>();
        let message = format!(
            "`{}` is no mail address, such as ops@example.org or Ops <ops@example.org>",
            given.value
        );
        parsed.map_err(|_| check.at(given.referenced, &key(word), message)).ok()
    };
    let to: Vec<Mailbox> = raw.to.iter().filter_map(|to| mailbox(to, "to")).collect();
    let from = raw.from.as_ref().map(|from| mailbox(from, "from"));
    if raw.to.is_empty() {
        check.at(
            raw.name.referenced,
            &key("to"),
            "at least one recipient has to be given",
        );
    }
    let host = needed(check, &raw.name, "host", &raw.host)?.clone();
    needed(check, &raw.name, "from", &raw.from)?;
    Some(EmailSettings {
        host,
        port: given_port.unwrap_or(port),
        security,
        ca_file: raw.ca_file.as_ref().map(|path| path.value.clone()),
        username: raw.username.as_ref().map(|name| name.value.clone()),
        password,
        from: from??,
        to,
    })
}

fn log_file(check: &mut Check, raw: &raw::LogFile) -> Option<LogFileSettings> {
    let key = |word: &str| format!("alerts.channels.{}.{word}", raw.name.value);
    let max_bytes = check.size(&key("max_size"), &raw.max_size, 10 << 20, 4 << 10, 1 << 40);
    let keep = check.number(&key("keep"), &raw.keep, 5, 0, 1000);
    Some(LogFileSettings {
        path: needed(check, &raw.name, "path", &raw.path)?.clone(),
        max_bytes,
        keep,
    })
}
