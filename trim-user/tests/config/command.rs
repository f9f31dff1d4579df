//! `trim config show`, `explain`, `schema`, `init` and `validate`.

use std::path::Path;

use serde_json::{Value, json};
use trim_user::config::{Catalog, Config, Layers, template, yaml};

use crate::{good, said, trim};

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn name(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

/// The production configuration: every kind of value is in it.
fn production() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/production/dual_strategy_deployment.yaml");
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_shown_can_be_read_and_means_the_same() {
    let shown = good(&["config", "show", "--config", &production()]);
    let again = file(&shown);
    assert_eq!(good(&["config", "show", "--config", name(&again)]), shown);
    let configs = [Config::load(Path::new(&production())), Config::load(again.path())];
    let [before, after] = configs.map(|config| format!("{:?}", config.unwrap()));
    assert_eq!(before, after);
}

#[test]
fn every_key_is_shown_with_its_origin() {
    let file = file("capture:\n  lease: 3s\n");
    let text = good(&[
        "config",
        "show",
        "--origin",
        "--config",
        name(&file),
        "--set",
        "strategy.mode=auto",
    ]);
    let line = |key: &str| {
        text.lines()
            .find(|line| line.trim_start().starts_with(key))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("lease:").ends_with(&format!("# {}:2:10", file.path().display())),
        "{text}"
    );
    assert!(line("mode:").ends_with("# --set"), "{text}");
    assert!(line("frame_size:").ends_with("# default"), "{text}");
    let json: Vec<Value> = serde_json::from_str(&good(&["config", "show", "--json", "--config", name(&file)])).unwrap();
    let keys: Vec<&str> = json.iter().map(|one| one["key"].as_str().unwrap()).collect();
    for info in Catalog::get()
        .keys
        .iter()
        .filter(|info| !info.is_section() && !info.key.contains("[]"))
    {
        assert!(keys.contains(&info.key.as_str()), "{} is not shown", info.key);
    }
}

#[test]
fn credentials_in_addresses_are_refused_and_not_shown() {
    let file = file(
        "alerts:\n  channels:\n    webhook:\n      - name: a\n        url: https://user:hunter2@example.org/x?token=hunter2\n",
    );
    for words in [["show", "--json"], ["explain", "alerts.channels.webhook[0].url"]] {
        let done = trim()
            .arg("config")
            .args(words)
            .arg("--config")
            .arg(file.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(text.contains("this address has a secret in it"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_key_is_explained() {
    let file = file("capture:\n  ring_size: 4096\n");
    let text = good(&["config", "explain", "capture.ring_size", "--config", name(&file)]);
    let now = format!("4096 ({}:2:14)", file.path().display());
    for word in ["RX ring", "whole number", "32 to 65536", "8192", "restart", &now] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    let text = good(&["config", "explain", "strategy.mode"]);
    assert!(
        text.contains("comparison") && text.contains("Both look at every flow"),
        "{text}"
    );
    let json: Value = serde_json::from_str(&good(&["config", "explain", "capture.lease", "--json"])).unwrap();
    assert_eq!(
        (&json["least"], &json["default"], &json["kind"]),
        (&json!("100ms"), &json!("2s"), &json!("duration"))
    );
    assert_eq!(json["now"][0]["origin"], "default");
}

#[test]
fn a_section_is_explained_by_its_keys() {
    let text = good(&["config", "explain", "output"]);
    assert!(
        text.contains("output.rotate_time") && text.contains("output.quota"),
        "{text}"
    );
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    for (asked, meant) in [
        ("capture.ring_sise", "capture.ring_size"),
        ("ring_size", "capture.ring_size"),
        ("trimming.ring_size", "capture.ring_size"),
    ] {
        let (code, _, err) = said(&trim().args(["config", "explain", asked]).output().unwrap());
        assert_eq!(code, Some(2));
        assert!(
            err.contains(asked) && err.contains(&format!("did you mean `{meant}`")),
            "{err}"
        );
    }
}

#[test]
fn a_new_file_is_valid_means_the_defaults_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trim.yaml");
    let path = path.to_str().unwrap();
    good(&["config", "init", "--output", path]);
    good(&["config", "validate", path]);
    let configs = [Config::load(Path::new(path)).unwrap(), Config::parse("").unwrap()];
    let [made, default] = configs.map(|config| format!("{config:?}"));
    assert_eq!(made, default);
    std::fs::write(path, "mine").unwrap();
    let (code, _, err) = said(&trim().args(["config", "init", "--output", path]).output().unwrap());
    assert_eq!(code, Some(2));
    assert!(err.contains("--force") && err.contains(path), "{err}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
    good(&["config", "init", "--output", path, "--force"]);
    assert_eq!(std::fs::read_to_string(path).unwrap(), good(&["config", "init"]));
}

/// Without its `#`, every key of the new file says what holds anyway.
#[test]
fn keys_of_a_new_file_stand_at_their_defaults() {
    let text: String = template(Catalog::get())
        .lines()
        .map(|line| {
            let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
            match rest.strip_prefix('#') {
                Some(key) if !key.starts_with(' ') => format!("{indent}{key}\n"),
                _ => format!("{line}\n"),
            }
        })
        .collect();
    let file = file(&text);
    let loaded = Layers::standard(&[file.path().into()])
        .load()
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let default = Layers::standard(&[self::file("").path().into()]).load().unwrap();
    assert_eq!(yaml(&loaded.effective(), false), yaml(&default.effective(), false));
    assert_eq!(format!("{:?}", loaded.config), format!("{:?}", default.config));
}

#[test]
fn validating_names_every_problem_with_its_place() {
    let file = file("capture:\n  frame_size: 1\n  lease: soon\noutput:\n  prefixx: a\n");
    let (code, out, err) = said(&trim().args(["config", "validate", name(&file)]).output().unwrap());
    assert_eq!((code, err.as_str()), (Some(2), ""));
    for place in [
        ":2:15: capture.frame_size: ",
        ":3:10: capture.lease: ",
        ":5:3: output.prefixx: ",
        "3 problems",
    ] {
        assert!(out.contains(place), "{place} is missing in\n{out}");
    }
    let output = trim()
        .args(["config", "validate", "--json", name(&file)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["valid"], false);
    let problem = &json["problems"][2];
    assert_eq!(
        (&problem["line"], &problem["column"], &problem["key"]),
        (&json!(5), &json!(3), &json!("output.prefixx"))
    );
    assert!(problem["message"].as_str().unwrap().contains("did you mean `prefix`?"));
}

#[test]
fn what_is_valid_says_from_which_layers() {
    let file = file("capture:\n  lease: 3s\n");
    let out = good(&["config", "validate", name(&file), "--set", "strategy.mode=auto"]);
    assert_eq!(out, format!("valid: {}, --set\n", file.path().display()));
    let json: Value = serde_json::from_str(&good(&["config", "validate", name(&file), "--json"])).unwrap();
    assert_eq!((&json["valid"], &json["problems"]), (&json!(true), &json!([])));
}
