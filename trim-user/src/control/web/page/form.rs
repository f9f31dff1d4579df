//! Forms: what they bring, and that they are ours.

use std::fs::File;
use std::io::{self, Read as _};

use axum::body::Bytes;

/// The field that shows that a form comes from a page of ours.
const TOKEN: &str = "form_token";

/// A text that nobody can guess: 128 bits in hexadecimal digits.
///
/// # Errors
/// When the system gives no randomness.
pub(super) fn random_token() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The fields of a form, as browsers send them.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request.
    pub(super) fn parse(body: &Bytes) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field, without white space around it; empty when it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Whether it comes from a page of ours.
    pub(super) fn is_ours(&self, token: &str) -> bool {
        let theirs = self.field(TOKEN).as_bytes();
        let differing = theirs.iter().zip(token.as_bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        theirs.len() == token.len() && differing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &'static str) -> Form {
        Form::parse(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn fields_are_decoded() {
        let form = form("reason=it+is+%3Cslow%3E%0A&reach=drain&form_token=abc");
        assert_eq!(form.field("reason"), "it is <slow>");
        assert_eq!(form.field("other"), "");
    }

    #[test]
    fn only_the_whole_token_makes_a_form_ours() {
        assert!(form("form_token=abc").is_ours("abc"));
        for text in [
            "",
            "form_token=",
            "form_token=ab",
            "form_token=abcd",
            "form_token=abd",
            "token=abc",
        ] {
            assert!(!form(text).is_ours("abc"), "{text}");
        }
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(random_token().unwrap(), random_token().unwrap());
    }
}
