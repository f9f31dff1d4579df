//! Bodies cut off in the kernel: the files are the same, and bodies did not come.

use super::appliance::{Setting, can_run};
use super::equality::{assert_each_flow_equals_one_of, capture, one_queue};

/// Sampled flows are never cut, and which ones are sampled depends on their ports.
const NO_SAMPLES: &str = "health: {shadowed_percent: 0}\n";

#[test]
fn files_are_the_same_with_bodies_cut_in_the_kernel() {
    if !can_run("files_are_the_same_with_bodies_cut_in_the_kernel") {
        return;
    }
    for (xdp_mode, mode, strategy, layout) in [
        ("native", "legacy", "legacy", "inline"),
        ("native", "scanning", "scanning", "threads"),
        ("generic", "auto", "auto", "inline"),
    ] {
        let setting = Setting {
            xdp_mode,
            mode,
            layout,
            more: NO_SAMPLES,
            ..Setting::default()
        };
        let captured = capture(setting, one_queue(false), |_| {});
        assert_each_flow_equals_one_of(&captured, &[strategy]);
        let cut = captured.summary["kernel"]["body_cut"].as_u64().unwrap();
        assert!(cut > 1000, "{mode}: {}", captured.summary);
    }
}
