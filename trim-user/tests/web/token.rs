//! Who is let in.

use trim_user::control::alert::secret::SecretRef;
use trim_user::control::web::{WebError, WebLimits, WebListener, WebSettings};

use crate::client::{get_with, say, settings, start, status};

const TOKEN: &str = "0123456789abcdef-secret";

/// Settings with a token that stands in a file of this folder.
fn with_token(folder: &tempfile::TempDir, token: &str) -> WebSettings {
    let path = folder.path().join("token");
    crate::client::write_secret(&path, format!("{token}\n"));
    WebSettings {
        token: Some(SecretRef::File(path)),
        ..settings(WebLimits::default())
    }
}

#[test]
fn with_a_token_only_its_bearers_are_let_in_and_probes_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&with_token(&folder, TOKEN));
    let address = server.address();
    let refused = get_with(address, "/", "");
    assert_eq!(status(&refused), 401);
    assert!(
        refused.contains("www-authenticate: Bearer") && !refused.contains(TOKEN),
        "{refused}"
    );
    assert_eq!(status(&get_with(address, "/", "Authorization: Bearer wrong\r\n")), 401);
    assert_eq!(
        status(&get_with(address, "/", &format!("Authorization: Bearer {TOKEN}\r\n"))),
        200
    );
    assert_eq!(
        status(&get_with(address, "/", &format!("Cookie: trim_token={TOKEN}\r\n"))),
        200
    );
    assert_eq!(status(&get_with(address, "/open", "")), 200);
}

#[test]
fn pages_of_other_sites_neither_read_nor_change_anything() {
    let server = start(&settings(WebLimits::default()));
    let address = server.address();
    let answer = get_with(address, "/", "");
    assert_eq!(status(&answer), 200);
    assert!(
        answer.contains("x-frame-options: DENY") && answer.contains("cache-control: no-store"),
        "{answer}"
    );
    let rebound = say(
        address,
        "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(status(&rebound), 403);
    let post = |origin: &str| {
        let head =
            format!("POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nOrigin: http://{origin}\r\n\r\n");
        status(&say(address, &head))
    };
    assert_eq!((post(&address.to_string()), post("evil.example")), (200, 403));
}

#[test]
fn what_others_can_reach_is_not_opened_without_a_good_token() {
    let everywhere = |token| {
        let settings = WebSettings {
            token,
            ..WebSettings::new("0.0.0.0:0".parse().unwrap())
        };
        WebListener::open(&settings).err().unwrap()
    };
    let error = everywhere(None);
    assert!(
        matches!(error, WebError::Unguarded(_)) && error.to_string().contains("web.token"),
        "{error}"
    );
    let error = everywhere(Some(SecretRef::Environment("TRIM_TEST_NO_SUCH_VARIABLE".to_owned())));
    assert!(error.to_string().contains("TRIM_TEST_NO_SUCH_VARIABLE"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = everywhere(with_token(&folder, "hunter2").token);
    assert!(
        error.to_string().contains("7 bytes") && !error.to_string().contains("hunter2"),
        "{error}"
    );
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = start(&settings(WebLimits::default()));
    let error = WebListener::open(&WebSettings::new(server.address())).err().unwrap();
    let (text, address) = (error.to_string(), server.address().to_string());
    assert!(text.contains(&address) && text.contains("web.listen"), "{text}");
}
