//! Each layer is laid over the ones before it, and each value knows where it came from.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use trim_user::config::{Layers, Loaded};

/// A folder with files and, in it, `conf.d` with fragments.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn layers(folder: &Path, variables: &[(&str, &str)]) -> Layers {
    let variables = variables
        .iter()
        .map(|(name, text)| (OsString::from(name), OsString::from(text)));
    Layers::standard(&[folder.join("trim.yaml")]).with_environment(variables)
}

/// The value of a key, and where it came from with the folder cut off.
fn value(loaded: &Loaded, folder: &Path, key: &str) -> (Value, String) {
    let found = loaded.effective().into_iter().find(|one| one.key == key);
    let one = found.unwrap_or_else(|| panic!("there is no {key}"));
    let origin = one.origin.to_string().replace(&format!("{}/", folder.display()), "");
    (one.value, origin)
}

#[test]
fn the_order_is_defaults_file_fragments_environment_flags() {
    let folder = folder(&[("trim.yaml", "capture:\n  batch_free: 1\n"), ("conf.d/10-a.yaml", "")]);
    // Each key is set in one layer more than the one before it.
    fs::write(
        folder.path().join("trim.yaml"),
        "pipeline: { batch: 2 }\ntrimming: { max_flows: 101 }\ncapture: { lease: 11s }\noutput: { prefix: file }\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("conf.d/10-a.yaml"),
        "trimming: { max_flows: 102 }\ncapture: { lease: 12s }\noutput: { prefix: fragment }\n",
    )
    .unwrap();
    let loaded = layers(
        folder.path(),
        &[("TRIM_CAPTURE__LEASE", "13s"), ("TRIM_OUTPUT__PREFIX", "environment")],
    )
    .with_flag("--set", "output.prefix", "flag")
    .load()
    .unwrap();
    for (key, expected, origin) in [
        ("pipeline.queue_batches", json!(64), "default"),
        ("pipeline.batch", json!(2), "trim.yaml:1:20"),
        ("trimming.max_flows", json!(102), "conf.d/10-a.yaml:1:24"),
        ("capture.lease", json!("13s"), "TRIM_CAPTURE__LEASE"),
        ("output.prefix", json!("flag"), "--set"),
    ] {
        assert_eq!(
            value(&loaded, folder.path(), key),
            (expected, origin.to_owned()),
            "{key}"
        );
    }
    assert_eq!(loaded.config.output.prefix, "flag");
    assert_eq!(loaded.config.trimmer.max_flows, 102);
}

#[test]
fn fragments_are_sorted_by_name_and_hidden_ones_left_out() {
    let folder = folder(&[
        ("trim.yaml", "output: { prefix: file }\n"),
        ("conf.d/20.yaml", "output: { prefix: twenty }\n"),
        ("conf.d/10.yaml", "output: { prefix: ten }\n"),
        ("conf.d/.99.yaml", "output: { prefix: hidden }\n"),
        ("conf.d/99.yaml.bak", "output: { prefix: backup }\n"),
    ]);
    let layers = layers(folder.path(), &[]);
    let names: Vec<PathBuf> = layers.files().unwrap();
    let names: Vec<&Path> = names
        .iter()
        .map(|file| file.strip_prefix(folder.path()).unwrap())
        .collect();
    assert_eq!(names, ["trim.yaml", "conf.d/10.yaml", "conf.d/20.yaml"].map(Path::new));
    assert_eq!(layers.load().unwrap().config.output.prefix, "twenty");
}

#[test]
fn several_files_are_laid_over_each_other_in_their_order() {
    let folder = folder(&[
        ("a.yaml", "output: { prefix: a, sync: false }\n"),
        ("b.yaml", "output: { prefix: b }\n"),
    ]);
    let files = ["a.yaml", "b.yaml"].map(|name| folder.path().join(name));
    let output = Layers::standard(&files).load().unwrap().config.output;
    assert_eq!((output.prefix.as_str(), output.sync), ("b", false));
}

#[test]
fn variables_name_nested_keys_and_lists() {
    let folder = folder(&[("trim.yaml", "")]);
    let loaded = layers(
        folder.path(),
        &[
            ("TRIM_CAPTURE__INTERFACES", "eth1, eth2"),
            ("TRIM_ALERTS__RULES__MEMORY__WARNING", "70"),
            ("TRIM_HEALTH__WARNING__ERROR_PERCENT", "3"),
            ("TRIM_ROLLOUT__GRADUAL__PERCENTS", "[10, 20]"),
            // What other commands read is no key.
            ("TRIM_SOCKET", "/somewhere"),
            ("OTHER_CAPTURE__LEASE", "nonsense"),
        ],
    )
    .load()
    .unwrap();
    assert_eq!(loaded.config.capture.interfaces, ["eth1", "eth2"]);
    let expect = |key: &str, expected: Value| assert_eq!(value(&loaded, folder.path(), key).0, expected);
    expect("capture.interfaces", json!(["eth1", "eth2"]));
    expect("alerts.rules.memory.warning", json!(70));
    expect("health.warning.error_percent", json!(3));
    expect("rollout.gradual.percents", json!([10, 20]));
}

#[test]
fn only_the_first_prefix_belongs_to_the_name() {
    let folder = folder(&[("trim.yaml", "")]);
    let error = layers(folder.path(), &[("TRIM_TRIM_OUTPUT__PREFIX", "x")])
        .load()
        .unwrap_err();
    assert!(
        error.to_string().starts_with("TRIM_TRIM_OUTPUT__PREFIX: trim_output: "),
        "{error}"
    );
}

#[test]
fn a_variable_that_is_no_utf8_is_refused_by_its_name() {
    let folder = folder(&[("trim.yaml", "")]);
    let broken = OsString::from_vec(vec![b'a', 0xff]);
    let variables = [
        (OsString::from("TRIM_OUTPUT__PREFIX"), broken.clone()),
        (OsString::from("OTHER__PREFIX"), broken),
    ];
    let layers = Layers::standard(&[folder.path().join("trim.yaml")]).with_environment(variables);
    let error = layers.load().unwrap_err().to_string();
    assert!(
        error.starts_with("TRIM_OUTPUT__PREFIX: output.prefix: its value is no UTF-8"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn lists_are_replaced_as_a_whole_and_sections_key_by_key() {
    let folder = folder(&[
        (
            "trim.yaml",
            "capture: { interfaces: [a, b, c], pin: false }\nalerts:\n  channels:\n    log_file:\n      - { name: x, path: /x }\n      - { name: y, path: /y }\n",
        ),
        (
            "conf.d/a.yaml",
            "capture: { interfaces: [d] }\nalerts:\n  channels:\n    log_file:\n      - { name: z, path: /z }\n",
        ),
    ]);
    let loaded = layers(folder.path(), &[]).load().unwrap();
    assert_eq!(loaded.config.capture.interfaces, ["d"]);
    assert!(!loaded.config.capture.pin);
    let names: Vec<&str> = loaded
        .config
        .alerts
        .channels
        .iter()
        .map(|it| it.audience.name.as_str())
        .collect();
    assert_eq!(names, ["z"]);
    let path = value(&loaded, folder.path(), "alerts.channels.log_file[0].path");
    assert_eq!(path, (json!("/z"), "conf.d/a.yaml:5:26".to_owned()));
    // What an item does not say is there, too.
    let keep = value(&loaded, folder.path(), "alerts.channels.log_file[0].keep");
    assert_eq!(keep, (json!(5), "default".to_owned()));
}

#[test]
fn problems_of_all_layers_are_reported_at_once() {
    let folder = folder(&[
        ("trim.yaml", "capture: { frame_size: 1 }\n"),
        ("conf.d/a.yaml", "output: { prefixx: a }\n"),
    ]);
    let error = layers(folder.path(), &[("TRIM_CAPTURE__LEASE", "soon")])
        .with_flag("--set", "strategy.mode", "fast")
        .load()
        .unwrap_err()
        .to_string();
    for word in [
        "trim.yaml:1:24: capture.frame_size",
        "a.yaml:1:11: output.prefixx",
        "TRIM_CAPTURE__LEASE: ",
        "--set: strategy.mode",
    ] {
        assert!(error.contains(word), "{word} is missing in\n{error}");
    }
}
