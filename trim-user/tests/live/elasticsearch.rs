//! A confined capture sends documents about its real traffic.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use trim_user::kernel::netns;
use xtask::lab::{Namespace, Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run};
use super::rollout::under_traffic;

/// Takes every document, as the bulk API says so. Its thread ends with the process.
fn server(namespace: &Namespace) -> Arc<Mutex<Vec<Value>>> {
    let listener = netns::run_in(&namespace.path(), || TcpListener::bind("127.0.0.1:9200"))
        .unwrap()
        .unwrap();
    let documents = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&documents);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that goes away in the middle sends again.
            let _ = answer(stream, &taken);
        }
    });
    documents
}

fn answer(mut stream: TcpStream, taken: &Mutex<Vec<Value>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let lines: Vec<Value> = body
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let items: Vec<Value> = lines.chunks(2).map(|_| json!({"create": {"status": 201}})).collect();
    taken.lock().unwrap().extend(lines.into_iter().skip(1).step_by(2));
    let answer = json!({"errors": false, "items": items}).to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
}

#[test]
fn a_confined_capture_sends_what_it_measures_and_decides() {
    if !can_run("a_confined_capture_sends_what_it_measures_and_decides") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let documents = server(&span.appliance);
    let setting = Setting {
        more: "elasticsearch:\n  url: http://127.0.0.1:9200\n  interval: 1s\n  spool_directory: FOLDER/elasticsearch\n\
               security: {drop_capabilities: require, landlock: require, seccomp: require}\n",
        ..Setting::default()
    };
    let mut appliance = Appliance::start(&span.appliance, setting);
    under_traffic(&span, || {
        thread::sleep(Duration::from_secs(2));
        appliance.command(&["switch", "--mode", "scanning", "--immediate"]);
        let of_kind = |kind: &str| {
            let documents = documents.lock().unwrap();
            let wanted = documents.iter().filter(|document| document["event"]["kind"] == kind);
            wanted.cloned().collect::<Vec<_>>()
        };
        let is_told = || of_kind("metric").len() > 2 && !of_kind("event").is_empty();
        assert!(wait_until(Duration::from_secs(30), is_told), "{:?}", documents.lock());
        let last = of_kind("metric").pop().unwrap();
        assert_eq!(last["service"]["name"], "trim", "{last:#}");
        assert!(
            last["trim"]["packets"]["seen"].as_u64().is_some_and(|seen| seen > 0),
            "{last:#}"
        );
    });
    assert_nothing_lost(&appliance.stop());
}
