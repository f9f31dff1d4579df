//! Slack, webhooks, and what HTTP servers can do wrong.

use std::time::Duration;

use tempfile::TempDir;
use trim_user::control::alert::channel::{Address, ChannelKind, ChannelSettings, HttpSettings};
use trim_user::control::alert::secret::SecretRef;

use crate::things::{channel, hostile, plain, send, write_secret};
use crate::tls::tls;
use crate::web::{Answer, Web};

const TOKEN: &str = "T0KEN-hunter2";

fn server(url: String) -> HttpSettings {
    HttpSettings {
        url: Address::Open(url),
        token: None,
        ca_file: None,
    }
}

fn webhook(web: &Web) -> ChannelSettings {
    channel("hook", ChannelKind::Webhook(server(web.url("/in"))))
}

/// An address that is kept in a file.
fn secret_address(folder: &TempDir, url: &str) -> Address {
    let path = folder.path().join("url");
    write_secret(&path, format!("{url}\n"));
    Address::Secret(SecretRef::File(path))
}

#[test]
fn a_webhook_is_given_everything_as_json() {
    let web = Web::start([]);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    write_secret(&token, TOKEN);
    let mut server = server(web.url("/in?x=1"));
    server.token = Some(SecretRef::File(token));
    send(&channel("hook", ChannelKind::Webhook(server)), &plain()).unwrap();
    let request = &web.requests()[0];
    assert_eq!(request.line, "POST /in?x=1 HTTP/1.1");
    assert!(request.head.contains(&format!("Bearer {TOKEN}")), "{}", request.head);
    assert!(request.head.contains("application/json"), "{}", request.head);
    let body = &request.body;
    assert_eq!(
        (body["level"].as_str(), body["status"].as_str()),
        (Some("critical"), Some("firing"))
    );
    assert_eq!(body["host"], "probe<1>");
    let alert = &body["alerts"][0];
    assert_eq!(
        (alert["rule"].as_str(), alert["value"].as_f64()),
        (Some("memory"), Some(96.25))
    );
    assert_eq!(
        (alert["labels"]["host"].as_str(), alert["threshold"].as_f64()),
        (Some("probe"), Some(95.0))
    );
    assert_eq!(alert["since"], "2023-11-14T22:13:20.000Z");
}

#[test]
fn slack_is_given_blocks_in_which_nothing_is_markup() {
    let web = Web::start([]);
    let folder = tempfile::tempdir().unwrap();
    let url = secret_address(&folder, &web.url("/services/T1/abc"));
    let slack = channel(
        "slack",
        ChannelKind::Slack(HttpSettings {
            url,
            token: None,
            ca_file: None,
        }),
    );
    send(&slack, &hostile()).unwrap();
    let request = &web.requests()[0];
    assert_eq!(request.line, "POST /services/T1/abc HTTP/1.1");
    let text = request.body.to_string();
    assert!(!text.contains('<') && !text.contains('>'), "{text}");
    assert!(text.contains("&lt;!channel&gt;") && text.contains("&amp; "), "{text}");
    let blocks = request.body["blocks"].as_array().unwrap();
    assert!(blocks.len() >= 3 && blocks.len() <= 50);
    for block in blocks.iter().filter(|block| block["type"] == "section") {
        assert_eq!(
            block["text"]["verbatim"], true,
            "nothing becomes a link or calls people: {block}"
        );
        assert!(block["text"]["text"].as_str().unwrap().chars().count() <= 3000);
    }
}

#[test]
fn a_long_text_is_cut_to_what_slack_takes() {
    let web = Web::start([]);
    let folder = tempfile::tempdir().unwrap();
    let url = secret_address(&folder, &web.url("/"));
    let mut message = plain();
    message.items[0].notice.details = "<".repeat(100_000);
    let settings = HttpSettings {
        url,
        token: None,
        ca_file: None,
    };
    send(&channel("slack", ChannelKind::Slack(settings)), &message).unwrap();
    let blocks = web.requests()[0].body["blocks"].clone();
    for block in blocks.as_array().unwrap() {
        let length = block["text"]["text"].as_str().unwrap_or_default().chars().count();
        assert!(length <= 3000, "{length}");
    }
}

#[test]
fn what_may_pass_is_told_from_what_will_not() {
    for (status, is_final) in [
        (500, false),
        (503, false),
        (429, false),
        (408, false),
        (400, true),
        (404, true),
        (302, true),
    ] {
        let web = Web::start([Answer::status(status)]);
        let error = send(&webhook(&web), &plain()).unwrap_err();
        assert_eq!(error.is_final, is_final, "{status}: {error}");
        assert!(error.reason.contains(&status.to_string()), "{error}");
    }
}

#[test]
fn a_server_may_say_when_to_come_back() {
    let web = Web::start([Answer::Status(
        429,
        "retry-after: 17\r\n",
        "slow down\nplease".to_owned(),
    )]);
    let error = send(&webhook(&web), &plain()).unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(17)));
    assert!(error.reason.ends_with("slow down please"), "{error}");
}

#[test]
fn servers_that_stall_or_break_off_have_not_taken_it() {
    for answer in [Answer::Silence, Answer::HalfClose, Answer::HalfLine, Answer::Drip] {
        let web = Web::start([answer.clone()]);
        let error = send(&webhook(&web), &plain()).unwrap_err();
        assert!(!error.is_final, "{answer:?}: {error}");
        assert_eq!(web.requests().len(), 1, "{answer:?}");
    }
}

#[test]
fn nobody_listening_is_said_with_the_place() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let kind = ChannelKind::Webhook(server(format!("http://127.0.0.1:{port}/x")));
    let error = send(&channel("hook", kind), &plain()).unwrap_err();
    assert!(
        !error.is_final && error.reason.contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
}

#[test]
fn errors_hold_no_part_of_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let echo = Answer::Status(403, "", format!("no such service: /services/{TOKEN}"));
    let answers = [
        echo,
        Answer::status(404),
        Answer::status(500),
        Answer::Silence,
        Answer::HalfLine,
    ];
    for answer in answers {
        let web = Web::start([answer]);
        let url = secret_address(&folder, &web.url(&format!("/services/{TOKEN}")));
        let settings = HttpSettings {
            url,
            token: None,
            ca_file: None,
        };
        let slack = channel("slack", ChannelKind::Slack(settings));
        let error = send(&slack, &plain()).unwrap_err();
        assert!(!format!("{error} {error:?} {slack:?}").contains("hunter2"), "{error:?}");
    }
    for url in [
        format!("ftp://x/{TOKEN}"),
        format!("https://exa mple/{TOKEN}"),
        TOKEN.to_owned(),
    ] {
        let settings = HttpSettings {
            url: secret_address(&folder, &url),
            token: None,
            ca_file: None,
        };
        let error = send(&channel("slack", ChannelKind::Slack(settings)), &plain()).unwrap_err();
        assert!(error.is_final && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let web = Web::secure(tls(&ca_file));
    let mut settings = server(format!("https://localhost:{}/in", web.port()));
    let error = send(&channel("hook", ChannelKind::Webhook(settings.clone())), &plain()).unwrap_err();
    assert!(!error.is_final && error.reason.contains("no TLS"), "{error}");
    settings.ca_file = Some(ca_file.clone());
    send(&channel("hook", ChannelKind::Webhook(settings.clone())), &plain()).unwrap();
    assert_eq!(
        web.requests().len(),
        1,
        "nothing was said to the server that was not trusted"
    );
    settings.url = Address::Open(format!("https://127.0.0.1:{}/in", web.port()));
    let error = send(&channel("hook", ChannelKind::Webhook(settings)), &plain()).unwrap_err();
    assert!(error.reason.contains("no TLS"), "another name: {error}");
}
