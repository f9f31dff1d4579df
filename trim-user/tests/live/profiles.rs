//! A look into the running daemon, under traffic.

use std::process::{Command, Stdio};

use super::appliance::{Appliance, Setting, can_run};
use super::equality::{capture, one_queue};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

fn bytes(memory: &serde_json::Value, name: &str) -> u64 {
    memory["values"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {memory:#}"))
}

/// Takes both profiles at once, switching meanwhile.
fn look_inside(appliance: &Appliance) {
    let (socket, graph) = (appliance.folder().join("trim.sock"), appliance.folder().join("cpu.svg"));
    let cpu = Command::new(TRIM)
        .args(["debug", "cpu-profile", "--seconds", "2", "--output"])
        .arg(&graph)
        .arg("--socket")
        .arg(&socket)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let heap = appliance.folder().join("heap.pb.gz");
    for mode in ["legacy", "scanning"] {
        let done = appliance.command(&["switch", "--mode", mode, "--immediate"]);
        assert!(done["switch"]["microseconds"].as_f64().unwrap() > 0.0, "{done}");
    }
    let answer = appliance.command(&[
        "debug",
        "heap-profile",
        "--seconds",
        "1",
        "--output",
        heap.to_str().unwrap(),
    ]);
    assert_eq!(answer["unit"], "bytes");
    assert!(
        std::fs::read(heap).unwrap().starts_with(&[0x1f, 0x8b]),
        "a pprof file is compressed"
    );
    let output = cpu.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("samples"), "{output:?}");
    let svg = std::fs::read_to_string(graph).unwrap();
    assert!(
        svg.contains("<title>capture-0: "),
        "the thread of the data path is named:\n{svg}"
    );
}

#[test]
fn profiles_disturb_neither_packets_nor_the_lease() {
    if !can_run("profiles_disturb_neither_packets_nor_the_lease") {
        return;
    }
    let setting = Setting {
        mode: "scanning",
        // A profile shows who uses a CPU, and the traffic may be over before it begins.
        capture: "  wait: spin\n",
        ..Setting::default()
    };
    let captured = capture(setting, one_queue(false), |appliance| {
        look_inside(appliance);
        let released = appliance.command(&["debug", "release-memory"]);
        let (before, after) = (&released["before"], &released["after"]);
        for memory in [before, after] {
            assert!(bytes(memory, "umem_bytes") >= 32768 * 2048, "{memory:#}");
            assert!(
                bytes(memory, "heap_allocated_bytes") > 1 << 20,
                "the allocator is the one that is asked"
            );
            assert!(
                bytes(memory, "resident_bytes") > bytes(memory, "heap_allocated_bytes"),
                "{memory:#}"
            );
        }
        let refused = appliance.try_command(&["debug", "cpu-profile", "--seconds", "0"]);
        assert!(refused.is_err_and(|error| error.contains("1..=600")));
    });
    let summary = &captured.summary;
    assert_eq!(
        (&summary["balance"], &summary["packets"]["lost"]),
        (&0.into(), &0.into()),
        "{summary}"
    );
    assert_eq!(summary["kernel"]["lease_stale"], 0, "{summary}");
    assert_eq!(summary["generation"], 2);
}

#[test]
fn memory_is_watched_and_judged() {
    if !can_run("memory_is_watched_and_judged") {
        return;
    }
    capture(Setting::default(), one_queue(false), |appliance| {
        let output = Command::new(TRIM)
            .args(["monitor", "memory", "--interval", "100ms", "--for", "1s", "--socket"])
            .arg(appliance.folder().join("trim.sock"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
        for word in ["resident", "umem", "heap allocated", "flows", "per hour"] {
            assert!(told.contains(word), "{word}: {told}");
        }
    });
}
