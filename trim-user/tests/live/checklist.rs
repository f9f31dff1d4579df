//! `trim check` on a running capture: good while it is well, not good with a fault, and not good without a daemon.

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::lab::{Namespace, Signal};

use super::appliance::{Appliance, can_run};
use super::rollout::{PATIENCE, fault, setting};

/// Goes through a list: whether it is good, and each finding with its grade.
fn check(namespace: &Namespace, appliance: &Appliance, period: &str) -> (bool, BTreeSet<String>) {
    let folder = appliance.folder();
    let mut command = namespace.command(env!("CARGO_BIN_EXE_trim"));
    command.args(["check", period, "--json", "--config"]);
    command.arg(folder.join("trim.yaml"));
    command.arg("--backups").arg(folder.join("backups"));
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{said}"));
    let code = done.status.code();
    assert_eq!(code, Some(i32::from(answer["fit"] != true)), "{answer:#} {said}");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = answer["findings"].as_array().unwrap().iter();
    let line = |it: &Value| format!("{}/{} {}", word(&it["subject"]), word(&it["check"]), word(&it["grade"]));
    (code == Some(0), findings.map(line).collect())
}

fn back_up(namespace: &Namespace, appliance: &Appliance) {
    let mut command = namespace.command(env!("CARGO_BIN_EXE_trim"));
    command.args(["backup", "create", "--config"]);
    command.arg(appliance.folder().join("trim.yaml"));
    command.arg("--directory").arg(appliance.folder().join("backups"));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_weekly_list_names_a_rollback_and_a_daemon_that_is_gone() {
    if !can_run("the_weekly_list_names_a_rollback_and_a_daemon_that_is_gone") {
        return;
    }
    let (span, mut appliance) = fault(setting("inline"), &["--panics", "20"], "errors");
    let (_, daily) = check(&span.appliance, &appliance, "daily");
    assert!(daily.contains("backup/latest warning"), "{daily:#?}");
    assert!(!daily.contains("strategies/legacy ok"), "{daily:#?}");

    back_up(&span.appliance, &appliance);
    let (_, weekly) = check(&span.appliance, &appliance, "weekly");
    for finding in [
        "capture/daemon ok",
        "capture/balance ok",
        "capture/loss ok",
        "configuration/active ok",
        "rollout/rollback warning",
        "rollout/replay ok",
        "alerts/log ok",
        "backup/latest ok",
        "backup/sound ok",
        "strategies/legacy ok",
        "strategies/scanning ok",
    ] {
        assert!(weekly.contains(finding), "{finding}: {weekly:#?}");
    }

    appliance.process().signal(Signal::KILL);
    appliance.process().wait(PATIENCE).unwrap();
    let (good, without) = check(&span.appliance, &appliance, "daily");
    assert!(!good && without.contains("capture/daemon failure"), "{without:#?}");
    assert!(without.contains("rollout/rollback warning"), "{without:#?}");
    // Its pins stay when it is killed; the next one takes them away.
    appliance.restart(&span.appliance, setting("inline")).stop();
}
