//! Broken configurations, and what the program says of each: what is wrong, where, and what to do.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::process::Command;

use crate::{said, trim};

/// What `trim config validate` says, with the folder cut off. It has to refuse, on standard output, with exit code 2.
#[track_caller]
fn refused(command: &mut Command, folder: &Path) -> String {
    let (code, out, err) = said(&command.output().unwrap());
    assert_eq!((code, err.as_str()), (Some(2), ""), "{out}");
    out.replace(&format!("{}/", folder.display()), "")
}

fn validate(folder: &Path) -> Command {
    let mut command = trim();
    command.args(["config", "validate"]).arg(folder.join("trim.yaml"));
    command
}

#[track_caller]
fn bytes(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trim.yaml"), bytes).unwrap();
    refused(&mut validate(folder.path()), folder.path())
}

/// A test that compares the message for a text with its snapshot.
macro_rules! broken {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(bytes($text.as_ref()));
        }
    )*};
}

broken! {
    wrong_type_number: "capture:\n  frame_size: banana\n";
    wrong_type_number_in_quotes: "capture:\n  frame_size: \"2048\"\n";
    wrong_type_switch: "capture:\n  promiscuous: yes\n";
    wrong_type_list_for_value: "output:\n  prefix: [a, b]\n";
    wrong_type_value_for_list: "capture:\n  interfaces: eth0\n";
    wrong_type_value_for_section: "capture: eth0\n";
    wrong_type_section_for_value: "strategy:\n  mode:\n    name: auto\n";
    wrong_type_list_at_the_top: "- capture\n- output\n";
    text_instead_of_a_configuration: "hello\n";
    misspelt_key: "capture:\n  ring_sise: 2048\n";
    misspelt_section: "captrue:\n  ring_size: 2048\n";
    key_of_another_section: "capture:\n  mode: auto\n";
    duplicate_key: "capture:\n  pin: true\n  lease: 2s\n  pin: false\n";
    tabs: "capture:\n\tring_size: 2048\n";
    unclosed_list: "capture:\n  interfaces: [eth0, eth1\noutput:\n  prefix: a\n";
    unclosed_quote: "output:\n  prefix: \"trim\n";
    bad_indentation: "capture:\n  pin: true\n lease: 2s\n";
    two_documents: "capture: {}\n---\noutput: {}\n";
    out_of_range: "strategy:\n  split_percent: 110\n";
    negative: "pipeline:\n  batch: -1\n";
    no_power_of_two: "capture:\n  ring_size: 3000\n";
    bad_unit_of_size: "output:\n  rotate_bytes: 10 gigs\n";
    missing_unit_of_duration: "capture:\n  lease: 5\n";
    duration_out_of_range: "capture:\n  lease: 1ms\n";
    unknown_word: "strategy:\n  mode: legasy\n";
    impossible_interface_name: "capture:\n  interfaces: [\"eth0/1\", averylongnameofaninterface]\n";
    duplicate_interface: "capture:\n  interfaces: [eth0, eth1, eth0]\n";
    shares_that_do_not_rise: "rollout:\n  gradual:\n    percents: [25, 75, 50, 120]\n";
    impossible_port: "http:\n  ports: [80, 70000]\n";
    bad_freeze_window: "rollout:\n  freeze: [weekends]\n";
    ring_larger_than_pool: "capture:\n  ring_size: 8192\n  frames_per_queue: 4096\n";
    certificate_without_key: "web:\n  listen: 127.0.0.1:9620\n  certificate: /etc/trim/web.crt\n";
    open_listener_without_token: "web:\n  listen: 0.0.0.0:9620\n";
    level_and_thresholds_mixed: "alerts:\n  rules:\n    memory:\n      level: critical\n";
    thresholds_in_the_wrong_order: "alerts:\n  rules:\n    memory: { warning: 97, critical: 90 }\n";
    unknown_rule: "alerts:\n  rules:\n    memroy: { warning: 70 }\n";
    secret_in_the_file: "web:\n  token: hunter2-hunter2-hunter2\n";
    channel_without_address: "alerts:\n  channels:\n    webhook:\n      - name: pager\n";
    two_channels_of_one_name: "alerts:\n  channels:\n    log_file:\n      - { name: a, path: /a }\n      - { name: a, path: /b }\n";
    bad_regular_expression: "logging:\n  redact: ['[0-9']\n";
    merge_key: "base: &base\n  pin: true\ncapture:\n  <<: *base\n";
    unknown_alias: "capture:\n  lease: *nowhere\n";
    alias_inside_of_itself: "capture: &a\n  interfaces: [*a]\n";
    nested_too_deeply: format!("capture: {}{}\n", "[".repeat(40), "]".repeat(40));
    not_utf8: b"capture:\n  interfaces: [eth\xff0]\n";
    binary: b"\x7fELF\x02\x01\x01\0\0\0";
    many_problems_at_once: "captrue: {}\ncapture:\n  frame_size: 1\n  lease: soon\nstrategy:\n  mode: fast\n  split_percent: -3\n";
}

/// Aliases of aliases are counted before they take memory.
#[test]
fn aliases_that_explode() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..8 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    insta::assert_snapshot!(bytes(text.as_bytes()));
}

#[test]
fn missing_file() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(refused(&mut validate(folder.path()), folder.path()));
}

#[test]
fn directory_instead_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("trim.yaml")).unwrap();
    insta::assert_snapshot!(refused(&mut validate(folder.path()), folder.path()));
}

#[test]
fn broken_fragment() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trim.yaml"), "").unwrap();
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    std::fs::write(folder.path().join("conf.d/10-site.yaml"), "output:\n  formt: pcap\n").unwrap();
    insta::assert_snapshot!(refused(&mut validate(folder.path()), folder.path()));
}

/// With a good file, so that only the words around it are wrong.
fn with_good_file(change: impl FnOnce(&mut Command)) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trim.yaml"), "").unwrap();
    let mut command = validate(folder.path());
    change(&mut command);
    refused(&mut command, folder.path())
}

#[test]
fn bad_variable() {
    insta::assert_snapshot!(with_good_file(|command| {
        command.env("TRIM_CAPTURE__RING_SIZE", "many");
    }));
}

#[test]
fn variable_of_an_unknown_key() {
    insta::assert_snapshot!(with_good_file(|command| {
        command.env("TRIM_CAPTURE__INTERFACE", "eth0");
    }));
}

#[test]
fn variable_that_is_no_utf8() {
    insta::assert_snapshot!(with_good_file(|command| {
        command.env("TRIM_OUTPUT__PREFIX", OsString::from_vec(vec![b'a', 0xff]));
    }));
}

#[test]
fn bad_flag() {
    insta::assert_snapshot!(with_good_file(|command| {
        command.args(["--set", "strategy.mode=fast", "--set", "stratgy.seed=1"]);
    }));
}

/// An empty file is no mistake: it means the defaults.
#[test]
fn an_empty_file_is_good() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["", "# nothing\n", "capture:\noutput:\n"] {
        std::fs::write(folder.path().join("trim.yaml"), text).unwrap();
        let (code, out, err) = said(&validate(folder.path()).output().unwrap());
        assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    }
}

#[test]
fn a_flag_without_a_value_is_refused_by_the_command_line() {
    let (code, _, err) = said(
        &trim()
            .args(["config", "validate", "--set", "capture.pin"])
            .output()
            .unwrap(),
    );
    assert_eq!(code, Some(2));
    assert!(err.contains("KEY=VALUE"), "{err}");
}
