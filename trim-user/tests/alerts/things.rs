//! Messages, channels and certificates for tests.

use std::time::Duration;

use trim_user::control::alert::channel::{ChannelKind, ChannelSettings, SendError};
use trim_user::control::alert::engine::{Audience, News, RateLimit, State};
use trim_user::control::alert::message::{Item, Message};
use trim_user::control::alert::notice::Labels;
use trim_user::control::alert::{Level, Notice, Time};

/// Text that would do harm wherever it is not escaped.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script> & \"x\" 'y' <!channel> <http://evil|ok>\r\nBcc: evil@example.org\r\n.\r\n";

/// A message with one alert in it.
pub(crate) fn message(notice: Notice) -> Message {
    let item = Item {
        id: notice.fingerprint(),
        news: News::Fired,
        state: State::Firing,
        since: Time(1_700_000_000_000),
        ended: None,
        count: 1,
        is_event: false,
        notice,
    };
    Message {
        at: Time(1_700_000_001_000),
        level: item.notice.level,
        group: Labels::from([("rule".to_owned(), item.notice.rule.clone())]),
        items: vec![item],
    }
}

/// A plain one.
pub(crate) fn plain() -> Message {
    let notice = Notice::new(Level::Critical, "memory", "memory is short").label("host", "probe");
    message(notice.measured(96.25, Some(95.0)).details("two lines\nof details"))
}

/// One whose every text is hostile.
pub(crate) fn hostile() -> Message {
    let notice = Notice::new(Level::Warning, "memory", HOSTILE).label("path", HOSTILE);
    message(notice.details(HOSTILE))
}

pub(crate) fn channel(name: &str, kind: ChannelKind) -> ChannelSettings {
    ChannelSettings {
        audience: Audience {
            name: name.to_owned(),
            level: Level::Info,
            resolved: true,
            limit: RateLimit::default(),
        },
        timeout: Duration::from_secs(2),
        kind,
    }
}

/// Sends as the courier does.
pub(crate) fn send(channel: &ChannelSettings, message: &Message) -> Result<(), SendError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(channel.send(message, "probe<1>"))
}

/// Writes a file that nobody else may read.
pub(crate) fn write_secret(path: &std::path::Path, text: impl AsRef<[u8]>) {
    std::fs::write(path, text).unwrap();
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, closed).unwrap();
}
