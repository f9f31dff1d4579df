//! E-mail over SMTP.

use std::path::PathBuf;

use lettre::address::Envelope;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor};

use super::super::message::Message;
use super::super::render;
use super::super::secret::SecretRef;
use super::SendError;

/// Longest part of a server's answer that is shown.
const LONGEST_EXCERPT: usize = 200;

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after STARTTLS, or no mail (port 587).
    Starttls,
    /// In the clear (port 25).
    None,
}

/// Mail through a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Whom it knows us as.
    pub username: Option<String>,
    /// And by what.
    pub password: Option<SecretRef>,
    /// The sender.
    pub from: Mailbox,
    /// The recipients; at least one.
    pub to: Vec<Mailbox>,
}

/// Keeps holiday notices from answering (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Sends a mail to everybody. When the server takes it for some only, it counts as delivered: the others are logged.
pub(super) async fn send(settings: &EmailSettings, message: &Message, host: &str) -> Result<(), SendError> {
    let mail = mail(settings, message, host)?;
    let hidden = settings.password.as_ref().map(|password| password.read()).transpose()?;
    let mailer = mailer(settings, hidden.as_ref().map(|password| password.reveal()))?;
    let failed = |error: lettre::transport::smtp::Error| {
        failure(settings, &error, hidden.as_ref().map(|password| password.reveal()))
    };
    let sent = mailer.send(mail.clone()).await.map(drop).map_err(failed);
    match sent {
        Err(error) if error.is_final && settings.to.len() > 1 => {}
        other => return other,
    }
    // One address that is refused must not keep the mail from the others.
    let mut last = None;
    let mut is_delivered = false;
    for recipient in &settings.to {
        let envelope = Envelope::new(Some(settings.from.email.clone()), vec![recipient.email.clone()]);
        let envelope = envelope.map_err(|error| SendError::lasting(error.to_string()))?;
        match mailer.send_raw(&envelope, &mail.formatted()).await.map_err(failed) {
            Ok(_) => is_delivered = true,
            Err(error) => {
                tracing::warn!(recipient = %recipient.email, %error, "an alert's mail was refused");
                last = Some(error);
            }
        }
    }
    last.filter(|_| !is_delivered).map_or(Ok(()), Err)
}

fn mail(settings: &EmailSettings, message: &Message, host: &str) -> Result<Mail, SendError> {
    let mut builder = Mail::builder()
        .from(settings.from.clone())
        .subject(render::subject(message, host))
        .header(AutoSubmitted)
        .message_id(None);
    for recipient in &settings.to {
        builder = builder.to(recipient.clone());
    }
    let part = |kind, text| SinglePart::builder().header(kind).body(text);
    let parts = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, render::text(message, host)))
        .singlepart(part(ContentType::TEXT_HTML, render::html(message, host)));
    builder
        .multipart(parts)
        .map_err(|error| SendError::lasting(format!("cannot write the mail: {error}")))
}

fn mailer(settings: &EmailSettings, password: Option<&str>) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    let tls = match settings.security {
        Security::None => Tls::None,
        Security::Tls => Tls::Wrapper(tls(settings)?),
        Security::Starttls => Tls::Required(tls(settings)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port)
        .tls(tls);
    if let (Some(name), Some(password)) = (&settings.username, password) {
        builder = builder.credentials(Credentials::new(name.clone(), password.to_owned()));
    }
    Ok(builder.build())
}

fn tls(settings: &EmailSettings) -> Result<TlsParameters, SendError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let unusable = |error: &dyn std::fmt::Display| {
            SendError::passing(format!("cannot use the certificates in {}: {error}", path.display()))
        };
        let text = std::fs::read(path).map_err(|error| unusable(&error))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&text).map_err(|error| unusable(&error))?);
    }
    builder
        .build_rustls()
        .map_err(|error| SendError::passing(format!("cannot set up TLS: {error}")))
}

/// What the server said, unless it is about the password or repeats it.
fn failure(settings: &EmailSettings, error: &lettre::transport::smtp::Error, password: Option<&str>) -> SendError {
    use std::error::Error as _;
    let code = error.status().map(|code| code.to_string());
    let text = match (error.source(), &code) {
        (Some(source), _) => format!("{error}: {source}"),
        (None, Some(code)) if code.starts_with("53") => {
            format!("the server does not accept the name and password ({code})")
        }
        (None, _) => error.to_string(),
    };
    let text: String = text
        .chars()
        .take(LONGEST_EXCERPT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let text = match password {
        Some(password) if text.contains(password) => format!("the server answered {}", code.unwrap_or_default()),
        _ => text,
    };
    let reason = format!("{}:{}: {text}", settings.host, settings.port);
    if error.is_permanent() {
        SendError::lasting(reason)
    } else {
        SendError::passing(reason)
    }
}
