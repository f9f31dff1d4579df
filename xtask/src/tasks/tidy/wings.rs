//! The data path and the control path do not know each other; only `control/switch.rs` changes kernel state.

use super::Finding;
use super::source::{SourceFile, names};

/// In the files under the first place (but for the exceptions), the paths are not named.
const BARRIERS: [(&str, &[&str], &[&str], &str); 3] = [
    (
        "trim-user/src/data",
        &[],
        &["crate::control", "trim_user::control", "super::control"],
        "the data path never names the control path; what both need belongs in `shared`",
    ),
    (
        "trim-user/src/control",
        &[],
        &["crate::data", "trim_user::data", "super::data"],
        "the control path never names the data path; what both need belongs in `shared`",
    ),
    (
        "trim-user/src/control",
        &["trim-user/src/control/switch.rs"],
        &[
            "PolicyMap",
            "LeaseMap",
            "SetupMap",
            "PortsMap",
            "SocketsMap",
            "crate::kernel::program",
        ],
        "only `control/switch.rs` changes kernel state: it alone names what writes there",
    ),
];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, exceptions, paths, message) in BARRIERS {
        let inside = |file: &&SourceFile| file.is_rust() && file.is_under(place);
        for file in files
            .iter()
            .filter(inside)
            .filter(|file| !exceptions.contains(&file.path.as_str()))
        {
            for (number, line) in file.code.lines().enumerate() {
                if paths.iter().any(|path| names(line, path)) || grouped(line, paths) {
                    findings.push(file.finding(number + 1, message));
                }
            }
        }
    }
    findings
}

/// `use crate::{control, ...}` names it too.
fn grouped(line: &str, paths: &[&str]) -> bool {
    paths
        .iter()
        .filter_map(|path| path.rsplit_once("::"))
        .any(|(root, module)| {
            let list = line.split_once(&format!("use {root}::{{")).map(|(_, list)| list);
            list.is_some_and(|list| {
                list.split([',', '{', '}', ' ', ';'])
                    .any(|item| item.split("::").next() == Some(module))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> usize {
        check(&[SourceFile::new(path, text.into())]).len()
    }

    #[test]
    fn the_wings_do_not_name_each_other() {
        assert_eq!(
            breaches("trim-user/src/data/worker.rs", "use crate::control::rollout;"),
            1
        );
        assert_eq!(
            breaches("trim-user/src/data/worker.rs", "use crate::{control, shared};"),
            1
        );
        assert_eq!(breaches("trim-user/src/control/api.rs", "crate::data::run();"), 1);
        assert_eq!(
            breaches(
                "trim-user/src/data/worker.rs",
                "use crate::shared; // unlike crate::control"
            ),
            0
        );
        assert_eq!(
            breaches("trim-user/src/cli/run.rs", "use crate::control; use crate::data;"),
            0
        );
    }

    #[test]
    fn only_the_switch_reaches_the_kernel() {
        assert_eq!(
            breaches("trim-user/src/control/api.rs", "use crate::kernel::maps::PolicyMap;"),
            1
        );
        assert_eq!(
            breaches(
                "trim-user/src/control/switch.rs",
                "use crate::kernel::maps::{LeaseMap, PolicyMap};"
            ),
            0
        );
    }
}
