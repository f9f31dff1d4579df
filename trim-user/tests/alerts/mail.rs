//! E-mail.

use std::path::PathBuf;

use trim_user::control::alert::channel::{ChannelKind, ChannelSettings, EmailSettings, Security};
use trim_user::control::alert::secret::SecretRef;

use crate::smtp::{Habits, Smtp};
use crate::things::{channel, hostile, plain, send};
use crate::tls::tls;

const PASSWORD: &str = "hunter2-password";

fn settings(smtp: &Smtp) -> EmailSettings {
    EmailSettings {
        host: "localhost".to_owned(),
        port: smtp.port,
        security: Security::None,
        ca_file: None,
        username: None,
        password: None,
        from: "trim <trim@example.org>".parse().unwrap(),
        to: vec!["Ops <ops@example.org>".parse().unwrap()],
    }
}

fn mail(settings: EmailSettings) -> ChannelSettings {
    channel("mail", ChannelKind::Email(settings))
}

/// Undoes quoted-printable, as far as these tests need it.
fn decoded(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let bytes: Vec<u8> = {
        let mut out = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            let hex = (first == b'=').then(|| tail.get(..2)).flatten();
            match hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()) {
                Some(byte) => {
                    out.push(byte);
                    rest = &tail[2..];
                }
                None => {
                    out.push(first);
                    rest = tail;
                }
            }
        }
        out
    };
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_mail_has_text_and_html_that_say_the_same() {
    let smtp = Smtp::start(Habits::default());
    send(&mail(settings(&smtp)), &plain()).unwrap();
    let mails = smtp.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipients, ["<ops@example.org>"]);
    let text = decoded(&mails[0].text);
    for part in [
        "Subject: [CRITICAL] memory is short on probe<1>",
        "Auto-Submitted: auto-generated",
        "Message-ID: <",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(text.contains("multipart/alternative") && text.contains("text/plain") && text.contains("text/html"));
    assert_eq!(text.matches("96.25 (threshold 95)").count(), 2, "{text}");
    assert_eq!(text.matches("2023-11-14T22:13:20.000Z").count(), 2, "{text}");
}

#[test]
fn nothing_in_a_mail_is_markup_or_a_header_or_its_end() {
    let smtp = Smtp::start(Habits::default());
    send(&mail(settings(&smtp)), &hostile()).unwrap();
    let mails = smtp.mails();
    assert_eq!(mails.len(), 1, "a dot on a line of its own did not end the mail");
    let text = decoded(&mails[0].text);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let headers = head.lines().filter(|line| !line.starts_with([' ', '\t']));
    assert!(
        headers
            .clone()
            .all(|line| !line.to_ascii_lowercase().starts_with("bcc")),
        "{head}"
    );
    let html = &body[body.find("<!DOCTYPE html>").unwrap()..];
    assert!(
        !html.contains("<script") && !html.contains("<!channel") && !html.contains("<http"),
        "{html}"
    );
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot; &#39;y&#39;"),
        "{html}"
    );
}

#[test]
fn tls_is_used_in_both_ways_and_the_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    for (security, is_wrapped) in [(Security::Starttls, false), (Security::Tls, true)] {
        let ca_file = folder.path().join("ca.pem");
        let smtp = Smtp::start(Habits {
            tls: Some((tls(&ca_file), is_wrapped)),
            ..Habits::default()
        });
        let mut settings = settings(&smtp);
        settings.security = security;
        let error = send(&mail(settings.clone()), &plain()).unwrap_err();
        assert!(!error.is_final, "{error}");
        settings.ca_file = Some(ca_file);
        send(&mail(settings), &plain()).unwrap();
        let mails = smtp.mails();
        assert_eq!(
            mails.len(),
            1,
            "{security:?}: nothing went to the server that was not trusted"
        );
        assert!(mails[0].is_secure);
    }
}

#[test]
fn without_starttls_there_is_no_mail_in_the_clear() {
    let smtp = Smtp::start(Habits::default());
    let mut settings = settings(&smtp);
    settings.security = Security::Starttls;
    send(&mail(settings), &plain()).unwrap_err();
    assert_eq!(smtp.mails().len(), 0);
}

fn with_password(smtp: &Smtp, file: PathBuf) -> EmailSettings {
    crate::things::write_secret(&file, PASSWORD);
    EmailSettings {
        username: Some("trim".to_owned()),
        password: Some(SecretRef::File(file)),
        ..settings(smtp)
    }
}

#[test]
fn a_name_and_password_are_given_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let smtp = Smtp::start(Habits {
        login: Some("235 welcome"),
        ..Habits::default()
    });
    send(&mail(with_password(&smtp, file.clone())), &plain()).unwrap();
    assert_eq!(smtp.mails().len(), 1);
    for answer in [
        "535 wrong: trim/hunter2-password",
        "454 busy, hunter2-password",
        "550 hunter2-password",
    ] {
        let smtp = Smtp::start(Habits {
            login: Some(answer),
            ..Habits::default()
        });
        let channel = mail(with_password(&smtp, file.clone()));
        let error = send(&channel, &plain()).unwrap_err();
        assert!(
            !format!("{error:?} {error} {channel:?}").contains("hunter2"),
            "{error:?}"
        );
        assert_eq!(smtp.mails().len(), 0);
    }
    std::fs::remove_file(&file).unwrap();
    let mut settings = settings(&smtp);
    settings.username = Some("trim".to_owned());
    settings.password = Some(SecretRef::File(file.clone()));
    let error = send(&mail(settings), &plain()).unwrap_err();
    assert!(
        !error.is_final && error.reason.contains(&file.display().to_string()),
        "{error}"
    );
}

#[test]
fn what_may_pass_is_told_from_what_will_not() {
    for (answer, is_final) in [
        ("451 try later", false),
        ("421 closing", false),
        ("554 no thanks", true),
    ] {
        let smtp = Smtp::start(Habits {
            at_the_end: Some(answer),
            ..Habits::default()
        });
        let error = send(&mail(settings(&smtp)), &plain()).unwrap_err();
        assert_eq!(error.is_final, is_final, "{answer}: {error}");
        assert!(error.reason.contains(&answer[..3]), "{error}");
    }
}

#[test]
fn servers_that_stall_or_break_off_have_not_taken_it() {
    let silent = Habits {
        is_silent: true,
        ..Habits::default()
    };
    let broken = Habits {
        breaks_off: true,
        ..Habits::default()
    };
    for habits in [silent, broken] {
        let smtp = Smtp::start(habits);
        let error = send(&mail(settings(&smtp)), &plain()).unwrap_err();
        assert!(!error.is_final, "{error}");
    }
}

#[test]
fn one_recipient_that_is_refused_does_not_keep_it_from_the_others() {
    let smtp = Smtp::start(Habits {
        refuses: Some("gone.example"),
        ..Habits::default()
    });
    let mut settings = settings(&smtp);
    settings.to.insert(0, "old@gone.example".parse().unwrap());
    send(&mail(settings.clone()), &plain()).unwrap();
    assert_eq!(smtp.mails().len(), 1);
    settings.to.truncate(1);
    assert!(send(&mail(settings), &plain()).unwrap_err().is_final);
}
