//! What is made from the types and facts: schema, reference; and the files of the project.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trim_user::config::{Catalog, Config, Layers, Origin, reference};

use crate::good;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schema() -> jsonschema::Validator {
    let schema = &Catalog::get().schema;
    assert!(jsonschema::draft202012::meta::is_valid(schema));
    jsonschema::draft202012::new(schema).unwrap()
}

/// A YAML file as JSON.
fn json(text: &str) -> Value {
    // This parser takes so many comments in a row and no more.
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    serde_saphyr::from_str(&lines.join("\n")).unwrap()
}

#[test]
fn the_reference_is_fresh() {
    let path = root().join("docs/configuration.md");
    let made = reference(Catalog::get());
    if std::env::var_os("TRIM_REGENERATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/configuration.md is not what the program says: run this test with TRIM_REGENERATE=1"
    );
}

#[test]
fn every_key_has_a_meaning() {
    for info in &Catalog::get().keys {
        assert!(
            info.meaning.ends_with(['.', '?']) && info.meaning.len() > 8,
            "{}: {:?}",
            info.key,
            info.meaning
        );
    }
}

/// A key whose default and range nobody noted would be documented as one that has none.
#[test]
fn every_key_without_a_default_is_known() {
    const NONE: [&str; 16] = [
        "strategy.seed",
        "pipeline.writer_core",
        "output.rotate_bytes",
        "output.rotate_time",
        "output.rotate_packets",
        "output.quota",
        "control.group",
        "alerts.directory",
        "health.memory_limit",
        "web.token",
        "web.certificate",
        "elasticsearch.url",
        "elasticsearch.api_key",
        "elasticsearch.username",
        "elasticsearch.password",
        "elasticsearch.ca_file",
    ];
    for info in &Catalog::get().keys {
        let is_open = info.is_section() || info.key.contains("[]") || info.key.starts_with("alerts.rules.");
        if !is_open && info.key != "web.key" {
            assert_eq!(
                info.default.is_null(),
                NONE.contains(&info.key.as_str()),
                "{}",
                info.key
            );
        }
    }
}

#[test]
fn the_schema_has_defaults_ranges_and_words() {
    let catalog = Catalog::get();
    let key = |key: &str| catalog.find(key).unwrap_or_else(|| panic!("{key}"));
    assert_eq!(key("capture.ring_size").range(), "32 to 65536");
    assert_eq!(key("capture.lease").range(), "100ms to 1h");
    assert_eq!(key("health.critical.error_percent").default, 10);
    assert_eq!(key("health.warning.error_percent").default, 5);
    assert_eq!(key("alerts.channels.email[3].timeout").range(), "100ms to 1h");
    assert_eq!(key("alerts.channels.email[].security").default, "starttls");
    assert_eq!(key("alerts.rules.memory.warning").default, 80);
    assert!(catalog.find("alerts.rules.memory.level").is_none());
    assert_eq!(key("output.compression").range(), "none, gzip, zstd");
    assert_eq!(key("output.quota").range(), "1MiB or more");
    let printed: Value = serde_json::from_str(&good(&["config", "schema"])).unwrap();
    assert_eq!(printed, catalog.schema);
    assert_eq!(
        printed["properties"]["capture"]["properties"]["ring_size"]["maximum"],
        65536
    );
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let schema = schema();
    for file in ["trim.yaml", "lab.yaml", "production/dual_strategy_deployment.yaml"] {
        let text = std::fs::read_to_string(root().join("config").join(file)).unwrap();
        let errors: Vec<String> = schema
            .iter_errors(&json(&text))
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{file}: {errors:#?}");
    }
    let shown = good(&[
        "config",
        "show",
        "--config",
        root().join("config/lab.yaml").to_str().unwrap(),
    ]);
    assert!(schema.is_valid(&json(&shown)), "{shown}");
    assert!(schema.is_valid(&json(&good(&["config", "init"]))));
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = schema();
    for text in [
        "capture: { ring_sise: 2048 }",
        "capture: { ring_size: 31 }",
        "capture: { lease: 5 }",
        "strategy: { mode: fast }",
        "output: { rotate_bytes: lots }",
        "alerts: { rules: { memori: { warning: 1 } } }",
        "alerts: { channels: { webhook: [{ url: x }] } }",
    ] {
        assert!(Config::parse(text).is_err(), "{text}");
        assert!(!schema.is_valid(&json(text)), "{text}");
    }
}

#[test]
fn every_file_under_config_is_valid() {
    for file in ["trim.yaml", "lab.yaml", "production/dual_strategy_deployment.yaml"] {
        good(&["config", "validate", root().join("config").join(file).to_str().unwrap()]);
    }
}

/// The production file promises that every key is in it: what is not written there is at least a comment.
#[test]
fn the_production_file_has_every_key() {
    let path = root().join("config/production/dual_strategy_deployment.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let loaded = Layers::standard(&[path]).load().unwrap();
    let missing: Vec<String> = loaded
        .effective()
        .into_iter()
        .filter(|one| one.origin == Origin::Default)
        .filter(|one| !one.key.contains('[') && !one.key.starts_with("alerts.rules."))
        .filter(|one| !text.contains(&format!("# {}:", one.key.rsplit('.').next().unwrap())))
        .map(|one| one.key)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for info in Catalog::get()
        .keys
        .iter()
        .filter(|info| info.key.matches('.').count() == 2)
    {
        if let Some(rule) = info.key.strip_prefix("alerts.rules.") {
            assert!(text.contains(&format!("    {rule}: {{")), "the rule {rule}");
        }
    }
}
