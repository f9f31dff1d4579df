//! The configuration files of the project load, and broken ones say what is wrong and where.

use std::path::Path;
use std::time::Duration;

use trim_user::config::{Config, ConfigError, Problem};
use trim_user::trimmer::Ports;

fn problems(yaml: &str) -> Vec<Problem> {
    Config::parse(yaml).expect_err("this configuration must be refused")
}

#[track_caller]
fn refused(yaml: &str, line: u64, column: u64, words: &[&str]) {
    let problems = problems(yaml);
    let found = problems.iter().find(|problem| problem.line == line);
    let problem = found.unwrap_or_else(|| panic!("nothing is said about line {line}: {problems:?}"));
    assert_eq!(problem.column, column, "{problem}");
    for word in words {
        assert!(problem.to_string().contains(word), "`{word}` is missing in: {problem}");
    }
}

#[test]
fn every_file_under_config_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    for file in ["lab.yaml", "production/dual_strategy_deployment.yaml"] {
        Config::load(&folder.join(file)).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    let config = Config::parse("").expect("all keys are optional");
    assert!(config.capture.interfaces.is_empty());
    assert_eq!(config.capture.frame_size, 2048);
    assert_eq!(config.trimmer.ports, Ports::Any);
    assert_eq!(config.trimmer.max_header_block, 256 << 10);
    assert_eq!(config.database, Path::new("/var/lib/trim/trim.db"));
    assert_eq!(config.database_wait, Duration::from_millis(500));
}

#[test]
fn values_reach_the_settings_they_name() {
    let config = Config::parse(
        "http:\n  ports: [8080, 80]\nstrategy:\n  mode: ab_test\n  split_percent: 50\ncontrol:\n  database: /data/trim.db\ntrimming:\n  body_keep_bytes: 1KiB\n  redact_headers: [Cookie]\n",
    )
    .expect("valid");
    assert_eq!(config.trimmer.ports, Ports::Only(vec![80, 8080]));
    assert_eq!(config.strategy.split.threshold(), 1 << 31);
    assert_eq!(config.trimmer.body_keep_bytes, 1024);
    assert_eq!(config.database, Path::new("/data/trim.db"));
    assert_eq!(config.trimmer.redact_headers, ["cookie".into()]);
}

#[test]
fn unknown_keys_are_refused_with_the_known_ones() {
    refused("capture:\n  interface: eth0\n", 2, 3, &["interface", "interfaces"]);
}

#[test]
fn values_out_of_range_name_the_range() {
    refused(
        "capture:\n  frame_size: 1000\n",
        2,
        15,
        &["capture.frame_size", "1000", "2048", "4096"],
    );
    refused(
        "capture:\n  ring_size: 3000\n",
        2,
        14,
        &["capture.ring_size", "power of two"],
    );
    refused(
        "strategy:\n  split_percent: 101\n",
        2,
        18,
        &["strategy.split_percent", "0", "100"],
    );
    refused("http:\n  ports: [80, 70000]\n", 2, 10, &["http.ports", "65535"]);
    refused("trimming:\n  hold: 12\n", 2, 9, &["trimming.hold"]);
    refused("capture:\n  lease: 1ms\n", 2, 10, &["capture.lease", "100ms"]);
}

#[test]
fn words_that_are_not_allowed_list_the_allowed_ones() {
    refused("capture:\n  xdp_mode: fast\n", 2, 13, &["fast", "native", "generic"]);
    refused("http:\n  ports: all\n", 2, 10, &["http.ports", "any"]);
    refused("output:\n  rotate_bytes: lots\n", 2, 17, &["lots", "64MiB"]);
    refused("capture:\n  interfaces: [\"a/b\"]\n", 2, 16, &["a/b"]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems("capture:\n  frame_size: 1\n  ring_size: 7\nstrategy:\n  split_percent: -1\n");
    let lines: Vec<u64> = found.iter().map(|problem| problem.line).collect();
    assert!([2, 3, 5].iter().all(|line| lines.contains(line)), "{found:?}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Path::new("/nonexistent/trim.yaml")).expect_err("there is no such file");
    assert!(matches!(error, ConfigError::Read { .. }));
    assert!(error.to_string().contains("/nonexistent/trim.yaml"), "{error}");
}

#[test]
fn alerts_have_the_promised_thresholds_and_no_channels_by_default() {
    let alerts = Config::parse("").expect("all keys are optional").alerts;
    assert_eq!((alerts.directory, alerts.channels.len()), (None, 0));
    let rule = alerts.engine.rules.get("memory").expect("there is such a rule");
    assert_eq!((rule.warning, rule.critical), (Some(80.0), Some(95.0)));
}

#[test]
fn what_is_wrong_with_alerts_is_named_with_its_place() {
    refused(
        "alerts:\n  rules:\n    memori: { warning: 1 }\n",
        3,
        13,
        &["memori", "error_rate", "memory"],
    );
    refused(
        "alerts:\n  rules:\n    memory:\n      level: info\n",
        4,
        14,
        &["alerts.rules.memory.level", "thresholds"],
    );
    refused(
        "alerts:\n  rules:\n    rollback:\n      warning: 3\n",
        4,
        16,
        &["not measured"],
    );
    refused(
        "alerts:\n  rules:\n    memory: { warning: 97 }\n",
        3,
        13,
        &["alerts.rules.memory", "95", "97"],
    );
    refused("alerts:\n  repeat: 10\n", 2, 11, &["10", "250ms"]);
    refused(
        "alerts:\n  inhibit:\n    - source: memory\n      target: rule=cpu\n",
        3,
        15,
        &["label=value"],
    );
    refused(
        "alerts:\n  channels:\n    log_file:\n      - name: a/b\n        path: /tmp/x\n",
        4,
        15,
        &["a/b"],
    );
    refused(
        "alerts:\n  channels:\n    log_file:\n      - name: a\n",
        4,
        15,
        &["path", "given"],
    );
    let twice =
        "alerts:\n  channels:\n    log_file:\n      - name: a\n        path: /x\n      - name: a\n        path: /y\n";
    refused(twice, 6, 15, &["two channels"]);
    refused(
        "alerts:\n  channels:\n    webhook:\n      - name: a\n        uri: x\n",
        5,
        9,
        &["uri", "url"],
    );
}

#[test]
fn the_tcp_listener_is_off_by_default_and_has_a_token_where_others_reach_it() {
    let web = |yaml: &str| Config::parse(yaml).expect("valid").web;
    assert!(web("").is_none() && web("web: { listen: none }").is_none());
    let settings = web("web: { listen: '[::1]:0' }").expect("on");
    assert!(settings.listen.ip().is_loopback() && settings.token.is_none());
    assert!(web("web: { listen: '0.0.0.0:9620', token: 'env:TOKEN' }").is_some());
    refused(
        "web:\n  listen: 0.0.0.0:9620\n",
        2,
        11,
        &["web.listen", "0.0.0.0:9620", "token"],
    );
    refused(
        "web:\n  listen: localhost\n",
        2,
        11,
        &["localhost", "127.0.0.1:9620", "none"],
    );
    refused("web:\n  certificate: /a\n", 2, 16, &["certificate", "key", "together"]);
    refused("web:\n  token: hunter2-hunter2-hunter2\n", 2, 10, &["file:PATH"]);
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let email = "alerts:\n  channels:\n    email:\n      - name: a\n        host: h\n        from: a@b.c\n        to: [a@b.c]\n        username: u\n        password: ";
    let slack = "alerts:\n  channels:\n    slack:\n      - name: a\n        url: ";
    for start in [email, slack] {
        for secret in [
            "s3cr3t-hunter2",
            "https://hooks.example.org/s3cr3t-hunter2",
            "[s3cr3t-hunter2]",
            "987654321",
        ] {
            let found = problems(&format!("{start}{secret}\n"));
            let text = format!("{found:?} {}", found[0]);
            assert!(!text.contains("hunter2") && !text.contains("987654321"), "{text}");
        }
    }
}
