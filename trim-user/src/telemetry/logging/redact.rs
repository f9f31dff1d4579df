//! Takes secrets out of text. What is doubtful is hidden.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::error::LoggingError;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "[hidden]";

/// Parts of names whose values are secrets.
const NAMES: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "credential",
    "api_key",
    "api-key",
    "apikey",
    "private_key",
    "private-key",
];

/// Secrets that are known by their looks: what stands in group 1 stays.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // Credentials of HTTP (RFC 9110 section 11.4).
        r"\b((?:[Bb]earer|BEARER|Basic|BASIC|Digest|Negotiate|NTLM) +)[A-Za-z0-9._~+/=-]{4,}",
        // User and password in an address (RFC 3986 section 3.2.1).
        r#"\b([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s"'<>]+@"#,
        // The path of a Slack webhook is its secret.
        r"(hooks\.slack\.com/)[A-Za-z0-9/_-]+",
        r"()AGE-SECRET-KEY-[A-Z0-9]+",
        r"(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
    ]
    .into_iter()
    .map(|pattern| Regex::new(pattern).expect("the pattern is tested"))
    .collect()
});

/// Knows what is secret.
#[derive(Clone, Debug)]
pub struct Redactor {
    names: Vec<String>,
    assigned: Regex,
    headed: Regex,
    patterns: Vec<Regex>,
}

impl Redactor {
    /// Hides what always is secret, what `patterns` match, and values whose names contain one of `names`.
    ///
    /// # Errors
    /// When a pattern is no regular expression.
    pub fn new(patterns: &[String], names: &[String]) -> Result<Self, LoggingError> {
        let known = NAMES.iter().map(|name| (*name).to_owned());
        let names: Vec<String> = known.chain(names.iter().map(|name| name.to_lowercase())).collect();
        let any = names
            .iter()
            .map(|name| regex::escape(name))
            .collect::<Vec<_>>()
            .join("|");
        let name = format!(r#"[\w.-]*(?:{any})[\w.-]*\\?["']?"#);
        let quoted = r#"\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'[^']*'"#;
        Ok(Self {
            // `password=x`, `token = Some("a b")`, `?token=x&y`.
            assigned: compiled(&format!(r"(?i)({name}\s*=\s*)(?:{quoted}|[^\s,;&])+"))?,
            // `Authorization: a b c` up to the end of the line, and `"token": "x"` up to the quote. A file's name before what
            // is wrong with it, as in `/etc/smtp-password: no such file`, is no name of a value.
            headed: compiled(&format!(r"(?i)(^|[^\w./-])({name}\s*:\s*)(?:{quoted}|[^\r\n]+)"))?,
            patterns: patterns
                .iter()
                .map(|pattern| compiled(pattern))
                .collect::<Result<_, _>>()?,
            names,
        })
    }

    /// Whether the value of this name is secret.
    pub fn is_secret(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.names.iter().any(|part| name.contains(part.as_str()))
    }

    /// The text without its secrets.
    pub fn text(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        let mut apply = |pattern: &Regex, replace: &dyn Fn(&Captures<'_>) -> String| {
            if let Cow::Owned(changed) = pattern.replace_all(&text, replace) {
                text = Cow::Owned(changed);
            }
        };
        for pattern in &self.patterns {
            apply(pattern, &|_| HIDDEN.to_owned());
        }
        for shape in SHAPES.iter() {
            apply(shape, &|found| format!("{}{HIDDEN}{}", &found[1], at_sign(&found[0])));
        }
        apply(&self.headed, &|found| format!("{}{}{HIDDEN}", &found[1], &found[2]));
        apply(&self.assigned, &|found| format!("{}{HIDDEN}", &found[1]));
        text.into_owned()
    }

    /// A value of this name without its secrets.
    pub fn value(&self, name: &str, value: &str) -> String {
        if self.is_secret(name) {
            HIDDEN.to_owned()
        } else {
            self.text(value)
        }
    }

    /// Takes the secrets out of every string, and out of everything under a secret name.
    pub fn json(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    if self.is_secret(name) {
                        hide(member);
                    } else {
                        self.json(member);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Hides a value. An object keeps its shape, and the numbers in it: it is rather named after a secret than one.
fn hide(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(members) => {
            let texts = members
                .values_mut()
                .filter(|member| !member.is_number() && !member.is_boolean());
            texts.for_each(hide);
        }
        Value::Null => {}
        Value::String(_) | Value::Number(_) | Value::Bool(_) => *value = Value::from(HIDDEN),
    }
}

/// The `@` behind user and password stays, so that an address still looks like one.
fn at_sign(found: &str) -> &'static str {
    if found.contains("://") && found.ends_with('@') {
        "@"
    } else {
        ""
    }
}

fn compiled(pattern: &str) -> Result<Regex, LoggingError> {
    Regex::new(pattern).map_err(|error| LoggingError::Pattern {
        pattern: pattern.to_owned(),
        error: Box::new(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(&[r"card \d+".to_owned()], &["X-Trace".to_owned()]).unwrap()
    }

    #[test]
    fn secrets_in_every_form_are_hidden() {
        for text in [
            "password=hunter2",
            "db_password = hunter2, user=a",
            "PASSWORD='correct hunter2'",
            "token=Some(\"a hunter2\")",
            "https://example.org/x?access_token=hunter2&y=1",
            "https://user:hunter2@example.org/",
            "smtp://u:p@hunter2@example.org",
            "Authorization: Bearer hunter2",
            "authorization: hunter2 and more hunter2",
            "Cookie: a=1; sid=hunter2; b=2",
            "Set-Cookie: sid=hunter2; Path=/",
            "sent Bearer hunter2 to it",
            "{\"password\":\"a hunter2\"}",
            "{\\\"password\\\":\\\"a hunter2\\\"}",
            "Settings { api_token: \"hunter2\", x: 1 }",
            "secret: hunter2",
            "https://hooks.slack.com/services/T0/B0/hunter2",
            "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
            "X-Trace-Id: hunter2",
            "token eyJhbGciOiJIUzI1NiJ9.hunter2.x",
        ] {
            let redacted = redactor().text(text);
            assert!(!redacted.contains("hunter2"), "{text} became {redacted}");
            assert!(redacted.contains(HIDDEN), "{text} became {redacted}");
        }
        assert_eq!(redactor().text("paid by card 4711"), "paid by [hidden]");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "cannot read the secret in /etc/trim/smtp-password: No such file or directory",
            "connected to https://example.org:8443/path?x=1",
            "the split is 25 %",
            "mail to ops@example.org",
        ] {
            assert_eq!(redactor().text(text), text);
        }
        let kept = redactor().text("user=a password=b host=c");
        assert_eq!(kept, "user=a password=[hidden] host=c");
        assert_eq!(
            redactor().text("see https://u:p@example.org/x"),
            "see https://[hidden]@example.org/x"
        );
    }

    #[test]
    fn json_is_redacted_by_name_and_by_text() {
        let mut value =
            serde_json::json!({ "smtp": { "password": ["hunter2"], "url": "http://u:hunter2@x/" }, "n": 1 });
        redactor().json(&mut value);
        let text = value.to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(value["n"], 1);
    }
}
