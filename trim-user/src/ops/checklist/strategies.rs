//! Do both trimmers still do what they promise?

use crate::data::live::makers;
use crate::ops::finding::Report;
use crate::ops::selftest::{Promise, validate};
use crate::shared::Lane;

pub(super) fn examine(report: &mut Report) {
    let mut about = report.about("strategies");
    for (lane, promise) in [(Lane::Legacy, Promise::Exact), (Lane::Scanning, Promise::Streaming)] {
        let make = |settings: &_| makers(settings).swap_remove(lane.index());
        let report = validate(&make, promise, None, &|_, _| ());
        let failed = report.cases.iter().filter(|case| !case.passed).count();
        match failed {
            0 => about.ok(lane.name(), format!("{} cases passed", report.cases.len())),
            failed => about.fail(
                lane.name(),
                format!("{failed} of {} cases failed", report.cases.len()),
                "this program cannot be trusted on this machine",
                format!("`trim strategy validate --strategy {}`; install it anew", lane.name()),
            ),
        }
    }
}
