//! The privileges that the recipes for containers give, without a container: they have to be enough.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use xtask::command::find;
use xtask::lab::{Client, Exchange, Folder, Link, Nginx, Process, Signal, Site, Span, SpanOptions, skip};
use xtask::workspace;

use super::appliance::{TRIM, can_run};

const PATIENCE: Duration = Duration::from_secs(30);
const NOBODY: &str = "65534";

/// The argument of `setcap` in the recipe of the image; tests/deployment.rs compares it with the other recipes.
fn file_capabilities() -> String {
    let recipe = fs::read_to_string(workspace::root().join("config/container/Containerfile")).unwrap();
    let line = recipe
        .lines()
        .find_map(|line| line.strip_prefix("RUN setcap "))
        .unwrap();
    line.split(' ').next().unwrap().to_owned()
}

/// As `setpriv` writes them: none but these.
fn only(capabilities: &str) -> String {
    let names = capabilities.strip_suffix("=ep").unwrap().replace("cap_", "+");
    format!("--bounding-set=-all,{names}")
}

/// Captures some traffic with a program that is started by these words, and gives the status of the process meanwhile.
fn capture(program: &Path, words: &[&str], folder: &Path, pin: bool) -> String {
    let span = Span::new(SpanOptions::default()).unwrap();
    let nginx = Nginx::start(&span.server, Site::default()).unwrap();
    let configuration = format!(
        "capture: {{interfaces: [{}], pin: {pin}}}\noutput: {{directory: {folder}/captures}}\n\
         control: {{socket: {folder}/trim.sock, database: {folder}/trim.db}}\n\
         security: {{drop_capabilities: require, landlock: require, seccomp: require}}\n",
        Span::INTERFACE,
        folder = folder.display(),
    );
    fs::write(folder.join("trim.yaml"), configuration).unwrap();
    let mut command = span.appliance.command("setpriv");
    command.args(words).arg(program).args(["run", "--json", "--config"]);
    command.arg(folder.join("trim.yaml"));
    let mut process = Process::start(command).unwrap();
    let socket = folder.join("trim.sock");
    let ask = |word: &str| {
        let mut command = Command::new(TRIM);
        command
            .args([word, "--json", "--socket"])
            .arg(&socket)
            .output()
            .unwrap()
    };
    process
        .wait_ready(PATIENCE, |_, _| ask("status").status.success())
        .unwrap();
    let client = Client::new(&span.client, Link::Ipv4, Nginx::PORTS[0]).unwrap();
    client.run_all(&Exchange::SMALL).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    drop(nginx);
    let ended = process.stop(Signal::TERM, PATIENCE).unwrap();
    let (said, warned) = (process.stdout(), process.stderr());
    assert!(ended.success(), "{ended}: {said}\n{warned}");
    let summary: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(summary["packets"]["written"].as_u64().unwrap() > 20, "{summary}");
    assert_eq!(warned.contains("pinned=true"), pin, "{warned}");
    assert!(!warned.contains("less confined"), "{warned}");
    status
}

#[test]
fn the_image_s_user_captures_with_the_capabilities_of_the_file() {
    let test = "the_image_s_user_captures_with_the_capabilities_of_the_file";
    if !can_run(test) {
        return;
    }
    let Some(setcap) = find("setcap") else {
        return skip(test, "setcap is not installed (package libcap2-bin)");
    };
    let folder = Folder::new("container").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let (program, data) = (folder.path().join("trim"), folder.path().join("data"));
    fs::copy(TRIM, &program).unwrap();
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(NOBODY.parse().unwrap()), None).unwrap();
    let capabilities = file_capabilities();
    let set = Command::new(setcap).arg(&capabilities).arg(&program).status().unwrap();
    assert!(set.success());
    let bound = only(&capabilities);
    let words = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", &bound];
    // The BPF file system is root's.
    let status = capture(&program, &words, &data, false);
    assert!(status.contains(&format!("Uid:\t{NOBODY}\t")), "{status}");
    assert!(status.contains("CapPrm:\t0000000000000000"), "{status}");
}

#[test]
fn a_root_with_the_capabilities_of_the_pod_captures_and_pins() {
    if !can_run("a_root_with_the_capabilities_of_the_pod_captures_and_pins") {
        return;
    }
    let folder = Folder::new("pod").unwrap();
    let bound = only(&file_capabilities());
    let status = capture(Path::new(TRIM), &["--no-new-privs", &bound], folder.path(), true);
    assert!(status.contains("CapPrm:\t0000000000000000"), "{status}");
    assert!(!status.contains("CapBnd:\t000001ffffffffff"), "{status}");
}
