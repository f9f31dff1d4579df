//! A mail server that records what it is sent, and misbehaves on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio_rustls::rustls::ServerConfig;

use crate::tls::secured;

/// What is special about it.
#[derive(Clone, Default)]
pub(crate) struct Habits {
    /// Answers this to the end of the mail.
    pub(crate) at_the_end: Option<&'static str>,
    /// Refuses recipients at this domain.
    pub(crate) refuses: Option<&'static str>,
    /// Asks for a name and password, and gives this answer to them.
    pub(crate) login: Option<&'static str>,
    /// Says nothing at all.
    pub(crate) is_silent: bool,
    /// Closes the connection when the mail comes.
    pub(crate) breaks_off: bool,
    /// Offers STARTTLS, or speaks TLS from the start.
    pub(crate) tls: Option<(Arc<ServerConfig>, bool)>,
}

/// A mail that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) recipients: Vec<String>,
    pub(crate) text: String,
    pub(crate) is_secure: bool,
}

/// The server.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Smtp {
    pub(crate) fn start(habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&mails);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (habits, shared) = (habits.clone(), Arc::clone(&shared));
                thread::spawn(move || {
                    // A client that breaks off is what some tests are about.
                    let _ = serve(&stream.unwrap(), &habits, &shared);
                });
            }
        });
        Self { port, mails }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, habits: &Habits, mails: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    match &habits.tls {
        Some((config, true)) => converse(secured(config, stream), habits, mails, true, true).map(drop),
        Some((config, false)) => {
            if converse(stream, habits, mails, true, false)? {
                converse(secured(config, stream), habits, mails, false, true)?;
            }
            Ok(())
        }
        None => converse(stream, habits, mails, true, false).map(drop),
    }
}

/// True when the client wants TLS from here on.
fn converse<S: Read + Write>(
    peer: S,
    habits: &Habits,
    mails: &Mutex<Vec<Mail>>,
    greets: bool,
    is_secure: bool,
) -> std::io::Result<bool> {
    let mut peer = BufReader::new(peer);
    if habits.is_silent {
        peer.read_to_end(&mut Vec::new())?;
        return Ok(false);
    }
    if greets {
        peer.get_mut().write_all(b"220 probe ESMTP\r\n")?;
    }
    let mut recipients = Vec::new();
    loop {
        let mut line = String::new();
        if peer.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let verb = line.to_ascii_uppercase();
        let answer = match verb.split_whitespace().next().unwrap_or_default() {
            "EHLO" => capabilities(habits, is_secure),
            "STARTTLS" => {
                peer.get_mut().write_all(b"220 go on\r\n")?;
                return Ok(true);
            }
            "AUTH" => habits.login.unwrap_or("503 what for?").to_owned(),
            "RCPT" if habits.refuses.is_some_and(|domain| line.contains(domain)) => {
                "550 nobody of that name".to_owned()
            }
            "RCPT" => {
                recipients.push(line.trim_end()[8..].to_owned());
                "250 fine".to_owned()
            }
            "DATA" => {
                peer.get_mut().write_all(b"354 go on\r\n")?;
                let text = data(&mut peer)?;
                if habits.breaks_off {
                    return Ok(false);
                }
                if habits.at_the_end.is_none() {
                    mails.lock().unwrap().push(Mail {
                        recipients: std::mem::take(&mut recipients),
                        text,
                        is_secure,
                    });
                }
                habits.at_the_end.unwrap_or("250 taken").to_owned()
            }
            "RSET" => {
                recipients.clear();
                "250 fine".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        };
        peer.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

fn capabilities(habits: &Habits, is_secure: bool) -> String {
    let mut lines = vec!["probe"];
    if habits.tls.is_some() && !is_secure {
        lines.push("STARTTLS");
    }
    if habits.login.is_some() {
        lines.push("AUTH PLAIN LOGIN");
    }
    let last = lines.len() - 1;
    let marked = lines
        .iter()
        .enumerate()
        .map(|(index, line)| format!("250{}{line}", if index < last { "-" } else { " " }));
    marked.collect::<Vec<_>>().join("\r\n")
}

fn data(peer: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n.\r\n") {
        if peer.read_line(&mut text)? == 0 {
            break;
        }
    }
    Ok(text)
}
