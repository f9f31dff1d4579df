//! For the tests of traffic: what a trimmer makes of it.

use trim_user::control::status::Http;
use trim_user::data::record::Record;
use trim_user::data::worker::{HoldLimits, MakeTrimmer, Output, Worker};
use trim_user::packet::LinkType;
use trim_user::shared::LaneTotals;
use trim_user::trimmer::{Legacy, Policy, Settings};

/// What became of packets.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Their lengths, bytes.
    pub(super) lengths: Vec<usize>,
    /// Body bytes that are gone.
    pub(super) cut: u64,
    /// Bytes about which the trimmer was not sure.
    pub(super) unsure: u64,
}

impl Output for Kept {
    fn store(&mut self, _lane: usize, record: Record<'_>) {
        self.lengths.push(record.data.len());
    }
}

/// Trims frames by `legacy`.
pub(super) fn by_legacy(frames: impl IntoIterator<Item = Vec<u8>>) -> Kept {
    let make: MakeTrimmer = Box::new(|| Box::new(Legacy::new(&Settings::default())));
    let limits = HoldLimits {
        bytes: 1 << 20,
        time_ns: None,
    };
    let mut worker = Worker::new(vec![make], Policy::default(), limits);
    let mut kept = Kept::default();
    for (time_ns, data) in (0..).zip(frames) {
        let record = Record {
            interface: 0,
            time_ns,
            original_length: data.len() as u32,
            data: &data,
        };
        worker.packet(0, LinkType::ETHERNET, &record, &mut kept);
    }
    worker.finish(&mut kept);
    let http = Http::of(&LaneTotals {
        counts: *worker.counts(0),
        statistics: worker.statistics(0),
    });
    (kept.cut, kept.unsure) = (http.body_bytes_cut, http.unsure_bytes);
    kept
}
