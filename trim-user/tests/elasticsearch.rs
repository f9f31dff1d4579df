//! Documents reach a server that answers as the bulk API does, and that also refuses, stalls, breaks off and comes back.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its server has failed")]

#[path = "alerts/tls.rs"]
mod tls;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_rustls::rustls::ServerConfig;
use trim_user::config::Config;
use trim_user::control::alert::secret::SecretRef;
use trim_user::ops::doctor::check_start;
use trim_user::ops::finding::Finding;
use trim_user::telemetry::elasticsearch::{Credentials, ElasticsearchSettings, Record, Shipper, Tally};
use xtask::lab::wait_until;

const STREAM: &str = "metrics-trim.capture-default";
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does with a request.
#[derive(Clone, Debug)]
enum Answer {
    /// Takes it, but gives these statuses to documents, the first to the first.
    Items(Vec<u16>),
    /// Refuses the whole request.
    Whole(u16),
    /// Takes it, and never says so.
    Silence,
    /// Takes it, and closes its side before it has said so.
    HalfClose,
    /// Answers something that is no answer of a bulk API.
    Nonsense,
}

#[derive(Default)]
struct Book {
    script: VecDeque<Answer>,
    /// Documents per request.
    requests: Vec<usize>,
    heads: Vec<String>,
    /// What is in the data stream, by identity.
    stored: BTreeMap<String, Value>,
    /// Most documents of a request; more are answered with 413.
    most: Option<usize>,
}

/// The server. It takes everything when its script is at its end.
#[derive(Clone)]
struct Server {
    address: SocketAddr,
    record: Arc<Mutex<Book>>,
}

impl Server {
    fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    fn on(listener: TcpListener, script: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(listener, script, None)
    }

    /// One that speaks TLS.
    fn secure(config: Arc<ServerConfig>) -> Self {
        Self::with(TcpListener::bind("127.0.0.1:0").unwrap(), [], Some(config))
    }

    fn with(listener: TcpListener, script: impl IntoIterator<Item = Answer>, tls: Option<Arc<ServerConfig>>) -> Self {
        let server = Self {
            address: listener.local_addr().unwrap(),
            record: Arc::default(),
        };
        server.record.lock().unwrap().script = script.into_iter().collect();
        let own = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (own, tls) = (own.clone(), tls.clone());
                // A client that breaks off is what some tests are about.
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    match tls {
                        Some(tls) => own.converse(tls::secured(&tls, &stream), &stream),
                        None => own.converse(&stream, &stream),
                    }
                });
            }
        });
        server
    }

    /// `stream` is what is spoken over `connection`.
    fn converse(&self, stream: impl Read + Write, connection: &TcpStream) -> std::io::Result<()> {
        let mut peer = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if peer.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let lower = head.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).unwrap();
        let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
        peer.read_exact(&mut body)?;
        let answer = self.note(head, &String::from_utf8(body).unwrap());
        match answer {
            Ok((status, text)) => {
                let length = text.len();
                write!(
                    peer.get_mut(),
                    "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n\r\n{text}"
                )
            }
            Err(Answer::HalfClose) => connection.shutdown(Shutdown::Write),
            Err(_) => peer.read_to_end(&mut Vec::new()).map(drop),
        }
    }

    /// Stores what is taken, and makes the answer.
    fn note(&self, head: String, body: &str) -> Result<(u16, String), Answer> {
        let lines: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(body.ends_with('\n') && lines.len().is_multiple_of(2), "{body}");
        let mut record = self.record.lock().unwrap();
        let count = lines.len() / 2;
        record.requests.push(count);
        record.heads.push(head);
        if record.most.is_some_and(|most| count > most) {
            return Ok((413, String::new()));
        }
        let answer = record.script.pop_front().unwrap_or(Answer::Items(Vec::new()));
        let statuses = match &answer {
            Answer::Items(statuses) => statuses.clone(),
            Answer::Whole(status) => return Ok((*status, json!({ "error": "whole" }).to_string())),
            Answer::Nonsense => return Ok((200, "<html>proxy</html>".to_owned())),
            Answer::Silence | Answer::HalfClose => Vec::new(),
        };
        let mut items = Vec::new();
        for (at, pair) in lines.chunks(2).enumerate() {
            let create = &pair[0]["create"];
            assert_eq!(create["_index"], STREAM, "only `create` is allowed in a data stream");
            let id = create["_id"].as_str().unwrap().to_owned();
            let mut status = statuses.get(at).copied().unwrap_or(201);
            if status == 201 && record.stored.contains_key(&id) {
                status = 409;
            }
            if status == 201 {
                record.stored.insert(id, pair[1].clone());
            }
            let error = json!({ "type": "some_exception", "reason": "because" });
            items.push(json!({ "create": { "status": status, "error": (status > 299).then_some(error) } }));
        }
        match answer {
            Answer::Items(_) => Ok((200, json!({ "errors": true, "items": items }).to_string())),
            other => Err(other),
        }
    }

    /// The numbers of the documents in the data stream.
    fn stored(&self) -> Vec<u64> {
        let record = self.record.lock().unwrap();
        let mut numbers: Vec<u64> = record.stored.values().map(|it| it["n"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    }

    fn requests(&self) -> Vec<usize> {
        self.record.lock().unwrap().requests.clone()
    }
}

fn settings(folder: &Path, url: String) -> ElasticsearchSettings {
    ElasticsearchSettings {
        url,
        data_stream: STREAM.to_owned(),
        event_data_stream: "logs-trim.event-default".to_owned(),
        interval: Duration::from_secs(3600),
        credentials: None,
        ca_file: None,
        timeout: Duration::from_millis(500),
        spool_directory: folder.join("spool"),
        spool_bytes: 1 << 20,
        batch_documents: 100,
        batch_bytes: 1 << 20,
    }
}

/// A shipper with these documents, all of the first interval.
fn ship(settings: &ElasticsearchSettings, numbers: std::ops::Range<u64>) -> (Shipper, Arc<Tally>) {
    let tally = Arc::<Tally>::default();
    let make = move || {
        let record = |n| Record {
            data_stream: STREAM.to_owned(),
            document: json!({ "n": n }),
        };
        numbers.clone().map(record).collect()
    };
    let shipper = Shipper::start(settings.clone(), Arc::clone(&tally), Box::new(make)).unwrap();
    (shipper, tally)
}

#[track_caller]
fn wait(tally: &Tally, what: &str, holds: impl Fn(trim_user::telemetry::elasticsearch::Counts) -> bool) {
    wait_until(PATIENCE, || holds(tally.counts()));
    assert!(holds(tally.counts()), "{what}: {:?}", tally.counts());
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address)
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("spool")).unwrap().count()
}

#[test]
fn documents_arrive_in_one_request_of_the_bulk_api() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start([]));
    let (_shipper, tally) = ship(&settings(folder.path(), url(&server)), 0..5);
    wait(&tally, "all arrive", |it| it.delivered == 5 && it.waiting == 0);
    assert_eq!((server.stored(), server.requests()), (vec![0, 1, 2, 3, 4], vec![5]));
    let head = server.record.lock().unwrap().heads[0].clone();
    assert!(head.starts_with("POST /_bulk?"), "{head}");
    assert!(head.contains("content-type: application/x-ndjson\r\n"), "{head}");
    assert_eq!((files(folder.path()), tally.counts().spool_bytes), (0, 0));
}

#[test]
fn each_document_has_its_own_fate() {
    let statuses = vec![201, 429, 400, 409, 503, 201];
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start([Answer::Items(statuses)]));
    let (_shipper, tally) = ship(&settings(folder.path(), url(&server)), 0..6);
    wait(&tally, "all are settled", |it| it.delivered + it.refused == 6);
    // 2 was refused for good, 3 was there already.
    assert_eq!(server.stored(), [0, 1, 4, 5]);
    assert_eq!(server.requests(), [6, 2], "only what may pass is sent again");
    let counts = tally.counts();
    assert_eq!((counts.delivered, counts.refused, counts.failed_requests), (5, 1, 1));
    assert_eq!((counts.waiting, files(folder.path())), (0, 0));
}

#[test]
fn whole_requests_that_fail_lose_and_double_nothing() {
    for answer in [
        Answer::Whole(503),
        Answer::Whole(429),
        Answer::Whole(401),
        Answer::Silence,
        Answer::HalfClose,
        Answer::Nonsense,
    ] {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start([answer.clone()]));
        let (_shipper, tally) = ship(&settings(folder.path(), url(&server)), 0..3);
        wait(&tally, "they come later", |it| it.delivered == 3);
        assert_eq!(
            (server.stored(), server.requests()),
            (vec![0, 1, 2], vec![3, 3]),
            "{answer:?}"
        );
        let counts = tally.counts();
        assert_eq!(
            (counts.refused, counts.dropped, counts.failed_requests),
            (0, 0, 1),
            "{answer:?}"
        );
    }
}

#[test]
fn a_request_that_is_too_large_is_halved() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start([]));
    server.record.lock().unwrap().most = Some(2);
    let (_shipper, tally) = ship(&settings(folder.path(), url(&server)), 0..8);
    wait(&tally, "all arrive", |it| it.delivered == 8);
    assert_eq!(server.stored().len(), 8);
    assert_eq!(server.requests()[..3], [8, 4, 2]);
}

#[test]
fn one_document_that_cannot_be_read_does_not_block_the_others() {
    let script = [400, 400].map(Answer::Whole);
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(script));
    let (_shipper, tally) = ship(&settings(folder.path(), url(&server)), 0..2);
    wait(&tally, "both are settled", |it| it.delivered == 1 && it.refused == 1);
    assert_eq!((server.stored(), server.requests()), (vec![1], vec![2, 1, 1]));
}

#[test]
fn nobody_listening_is_waited_out() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let folder = tempfile::tempdir().unwrap();
    let (_shipper, tally) = ship(&settings(folder.path(), format!("http://{address}")), 0..3);
    wait(&tally, "it is tried", |it| it.failed_requests >= 1 && it.waiting == 3);
    let server = Server::on(TcpListener::bind(address).unwrap(), []);
    wait(&tally, "they arrive", |it| it.delivered == 3);
    assert_eq!(server.stored(), [0, 1, 2]);
}

#[test]
fn the_queue_is_bounded_and_the_oldest_make_room() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start([Answer::Whole(503)]));
    let mut settings = settings(folder.path(), url(&server));
    settings.spool_bytes = 1000;
    let (_shipper, tally) = ship(&settings, 0..100);
    wait(&tally, "there is a bound", |it| {
        it.dropped > 80 && it.delivered + it.dropped == 100
    });
    let stored = server.stored();
    assert_eq!(stored.len() as u64, tally.counts().delivered);
    assert_eq!(stored.last(), Some(&99));
    assert_eq!(stored, (stored[0]..100).collect::<Vec<_>>(), "the newest, without gaps");
}

#[test]
fn what_has_not_left_is_sent_after_a_restart_once() {
    let (folder, server) = (
        tempfile::tempdir().unwrap(),
        Server::start([Answer::Silence, Answer::Whole(503)]),
    );
    let settings = settings(folder.path(), url(&server));
    let (shipper, tally) = ship(&settings, 0..3);
    wait(&tally, "it is tried", |it| it.failed_requests == 1);
    drop(shipper);
    assert_eq!((files(folder.path()), tally.counts().delivered), (3, 0));
    let (_shipper, tally) = ship(&settings, 10..11);
    wait(&tally, "old and new arrive", |it| it.delivered == 4);
    assert_eq!(
        server.stored(),
        [0, 1, 2, 10],
        "the first request had arrived, unbeknown to us"
    );
}

#[test]
fn the_end_takes_what_it_can_and_does_not_wait_for_a_dead_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start((0..100).map(|_| Answer::Silence));
    let mut settings = settings(folder.path(), url(&server));
    settings.timeout = Duration::from_secs(60);
    let (shipper, tally) = ship(&settings, 0..3);
    wait_until(PATIENCE, || !server.requests().is_empty());
    let began = Instant::now();
    drop(shipper);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!((tally.counts().delivered, files(folder.path())), (0, 3));
}

#[test]
fn credentials_are_sent_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "hunter2hunter2\n").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let secret = SecretRef::File(path);
    let basic = Credentials::Basic {
        username: "trim".to_owned(),
        password: secret.clone(),
    };
    for (credentials, header) in [
        (Credentials::ApiKey(secret), "authorization: ApiKey hunter2hunter2\r\n"),
        (basic, "authorization: Basic dHJpbTpodW50ZXIyaHVudGVyMg==\r\n"),
    ] {
        let server = Server::start([]);
        let mut settings = settings(folder.path(), url(&server));
        settings.credentials = Some(credentials);
        let (shipper, tally) = ship(&settings, 0..1);
        wait(&tally, "it arrives", |it| it.delivered == 1);
        let head = server.record.lock().unwrap().heads[0].clone();
        assert!(head.contains(header), "{head}");
        assert!(!format!("{settings:?} {shipper:?} {tally:?}").contains("hunter2"));
    }
}

/// What is said of the server before a start.
fn judged(url: &str, more: &str) -> Finding {
    let config = Config::parse(&format!("elasticsearch: {{ url: '{url}', {more} }}")).unwrap();
    let findings = check_start(&config).findings.into_iter();
    let mut about = findings.filter(|it| it.subject == "elasticsearch" && it.check == "server");
    about.next().unwrap()
}

#[test]
fn a_server_with_a_private_authority_is_trusted_when_its_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let server = Server::secure(tls::tls(&ca_file));
    let url = format!("https://localhost:{}", server.address.port());
    let mut settings = settings(folder.path(), url.clone());
    let (shipper, tally) = ship(&settings, 0..3);
    wait(&tally, "it is tried", |it| it.failed_requests >= 1 && it.waiting == 3);
    drop(shipper);
    assert_eq!(
        server.requests(),
        Vec::<usize>::new(),
        "nothing was said to a server that is not trusted"
    );
    let found = judged(&url, "");
    assert!(
        found.found.contains("no TLS") && found.fix.contains("elasticsearch.ca_file"),
        "{found:?}"
    );

    settings.ca_file = Some(ca_file.clone());
    let (_shipper, tally) = ship(&settings, 3..4);
    wait(&tally, "all arrive", |it| it.delivered == 4);
    assert_eq!(server.stored(), [0, 1, 2, 3]);
    let found = judged(&url, &format!("ca_file: {}", ca_file.display()));
    assert_eq!(found.found, format!("{url} takes connections"));
}

#[test]
fn the_section_is_off_without_an_address_and_takes_no_secret() {
    assert!(
        Config::parse("elasticsearch: { interval: 20s }")
            .unwrap()
            .elasticsearch
            .is_none()
    );
    let given = Config::parse("elasticsearch: { url: 'https://e:9200/', api_key: 'env:KEY' }").unwrap();
    let given = given.elasticsearch.unwrap();
    assert_eq!(
        (given.url.as_str(), given.data_stream.as_str()),
        ("https://e:9200", STREAM)
    );
    assert_eq!(
        given.credentials,
        Some(Credentials::ApiKey(SecretRef::Environment("KEY".to_owned())))
    );
    for text in [
        "{ url: 'https://trim:hunter2@e:9200' }",
        "{ url: e:9200 }",
        "{ url: 'http://e', api_key: hunter2 }",
        "{ url: 'http://e', username: trim }",
        "{ url: 'http://e', api_key: 'env:A', username: trim, password: 'env:B' }",
        "{ url: 'http://e', data_stream: Metrics }",
        "{ url: 'http://e', interval: 1ms }",
    ] {
        let problems = Config::parse(&format!("elasticsearch: {text}")).unwrap_err();
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:?}");
    }
}
