//! The recipes for containers, against the program, the unit and the documents.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use trim_user::config::{Config, Protection};
use xtask::workspace;

/// The five that opening an interface needs.
const CAPABILITIES: [&str; 5] = ["BPF", "IPC_LOCK", "NET_ADMIN", "NET_RAW", "PERFMON"];

fn read(path: &str) -> String {
    fs::read_to_string(workspace::root().join(path)).unwrap()
}

/// The objects of the Kubernetes file.
fn objects() -> Vec<Value> {
    let text = read("config/kubernetes/daemonset.yaml");
    text.split("\n---\n")
        .map(|object| serde_saphyr::from_str(object).unwrap())
        .collect()
}

fn object(kind: &str) -> Value {
    objects().into_iter().find(|object| object["kind"] == kind).unwrap()
}

fn pod() -> Value {
    object("DaemonSet")["spec"]["template"]["spec"].clone()
}

fn container() -> Value {
    let pod = pod();
    let containers = pod["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

fn configuration() -> Config {
    let map = object("ConfigMap");
    Config::parse(map["data"]["trim.yaml"].as_str().unwrap()).unwrap()
}

/// Names of capabilities in a text, without `CAP_`.
fn capabilities(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter_map(|word| word.to_uppercase().strip_prefix("CAP_").map(str::to_owned));
    names.collect()
}

fn lines_with<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

/// A section of a document, up to the next heading of its level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

#[test]
fn every_way_to_start_it_grants_the_same_capabilities() {
    let expected: BTreeSet<String> = CAPABILITIES.map(str::to_owned).into();
    let security = container()["securityContext"].clone();
    let granted: BTreeSet<String> = serde_json::from_value(security["capabilities"]["add"].clone()).unwrap();
    assert_eq!(granted, expected, "daemonset.yaml");
    assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
    assert_eq!(security["privileged"], false);

    let unit = read("config/systemd/trim.service");
    for directive in ["AmbientCapabilities=", "CapabilityBoundingSet="] {
        let lines = lines_with(&unit, directive);
        assert_eq!(capabilities(&lines.join("\n")), expected, "trim.service: {directive}");
    }
    let recipe = read("config/container/Containerfile");
    assert_eq!(
        capabilities(&lines_with(&recipe, "RUN setcap ").join("\n")),
        expected,
        "Containerfile"
    );

    let document = read("docs/installation.md");
    let rows = lines_with(section(&document, "What the running daemon may still do"), "| `CAP_").join("\n");
    let named: BTreeSet<_> = rows
        .lines()
        .flat_map(|row| capabilities(row.split('|').nth(1).unwrap()))
        .collect();
    assert_eq!(named, expected, "docs/installation.md, table of capabilities");
    let shown = lines_with(section(&document, "Containers"), "    podman run").join("\n");
    let added: BTreeSet<_> = shown
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("--cap-add="))
        .flat_map(|list| list.split(',').map(str::to_owned))
        .collect();
    assert_eq!(added, expected, "docs/installation.md, podman");
}

#[test]
fn the_configuration_of_the_pod_is_one_that_a_start_takes() {
    let config = configuration();
    assert!(!config.capture.interfaces.is_empty());
    assert_eq!(config.security.drop_capabilities, Protection::Require);
    assert_eq!(config.security.seccomp, Protection::Require);
}

#[test]
fn probes_ask_where_the_daemon_listens() {
    let address = configuration().web.unwrap().listen;
    let container = container();
    for (probe, path) in [
        ("startupProbe", "/readyz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ] {
        let get = &container[probe]["httpGet"];
        assert_eq!(get["path"], path, "{probe}");
        assert_eq!(get["host"], address.ip().to_string(), "{probe}");
        assert_eq!(get["port"], address.port(), "{probe}");
    }
    assert_eq!(pod()["hostNetwork"], true, "else the host's loopback is another one");
}

/// With a root file system that is read-only, what has no volume cannot be written.
#[test]
fn everything_the_daemon_writes_has_a_volume() {
    let (config, container, pod) = (configuration(), container(), pod());
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let mounts = container["volumeMounts"].as_array().unwrap();
    let volumes = pod["volumes"].as_array().unwrap();
    for mount in mounts {
        assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount}");
    }
    let written = [
        &config.output.directory,
        &config.database,
        &config.control_socket,
        &config.exemplars.directory,
        &config.logging.directory,
        &"/sys/fs/bpf/trim".into(),
    ];
    for path in written {
        let holds = |mount: &&Value| path.starts_with(mount["mountPath"].as_str().unwrap());
        let mount = mounts.iter().find(holds);
        let mount = mount.unwrap_or_else(|| panic!("no volume for {}", path.display()));
        assert_ne!(mount["readOnly"], true, "{}", path.display());
    }
}

#[test]
fn the_pod_starts_what_the_image_and_its_labels_promise() {
    let set = object("DaemonSet");
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&set["spec"]["selector"]["matchLabels"], labels);
    for one in objects().iter().filter(|one| one["kind"] != "Namespace") {
        assert_eq!(one["metadata"]["namespace"], object("Namespace")["metadata"]["name"]);
    }
    assert_eq!(container()["image"], format!("trim:{}", env!("CARGO_PKG_VERSION")));
    let arguments: Vec<String> = serde_json::from_value(container()["args"].clone()).unwrap();
    let recipe = read("config/container/Containerfile");
    let default = lines_with(&recipe, "CMD ")[0].strip_prefix("CMD ").unwrap();
    assert_eq!(serde_json::from_str::<Vec<String>>(default).unwrap(), arguments);
    // No tools of the first stage are left in the last.
    let last = recipe.rsplit("\nFROM ").next().unwrap();
    assert!(!last.contains("libcap2-bin") && last.contains("\nUSER trim\n") && last.contains("\nHEALTHCHECK "));
}
