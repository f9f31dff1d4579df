//! The data path between capture and sink: workers with real trimmers in every mode, chunks, and the merge by time.

use arbitrary::{Result, Unstructured};
use trim_user::data::Record;
use trim_user::data::chunk::{Chunk, ChunkPacket};
use trim_user::data::live::makers;
use trim_user::data::merge::{Merge, Timed};
use trim_user::data::worker::{HoldLimits, Worker};
use trim_user::packet::{Dissection, LinkType, TcpLayout, dissect, transport_end};
use trim_user::shared::Lane;
use trim_user::trimmer::{Action, NonHttp, Policy, Retention, Settings};

use super::frames::{frame, sum};
use super::plain::{Truth, take};
use super::traffic::Traffic;

/// A frame as it was captured, and the worker that gets it.
struct Input {
    worker: usize,
    lane: usize,
    time_ns: u64,
    original_length: u32,
    data: Vec<u8>,
    truth: Vec<Option<Truth>>,
}

/// What came out of the merge.
#[derive(Clone, Debug, PartialEq)]
struct Stored {
    interface: u32,
    time_ns: u64,
    original_length: u32,
    lane: u8,
    data: Vec<u8>,
}

struct Scene {
    settings: Settings,
    roomy: bool,
    policy: Policy,
    limits: HoldLimits,
    workers: usize,
    /// The lane of all flows; one for each flow when `None`.
    mode: Option<usize>,
    /// A chunk is sent on after so many packets.
    rhythm: usize,
    inputs: Vec<Input>,
}

/// Target: four bytes set the scene, the rest is traffic and frames of any kind between it.
pub fn run(data: &[u8]) {
    let [mode, policy, limits, shape, rest @ ..] = data else {
        return;
    };
    let traffic = Traffic::decode(rest);
    let mut scene = Scene {
        settings: traffic.settings.clone(),
        roomy: traffic.roomy,
        policy: policy_of(*policy),
        limits: HoldLimits {
            bytes: [0, 600, 5_000, 1 << 20][usize::from(limits & 3)],
            time_ns: [None, Some(0), Some(50_000), Some(1 << 31)][usize::from(limits >> 2 & 3)],
            overloaded_ns: 0,
        },
        workers: 1 + usize::from(shape & 3) % 3,
        mode: [Some(0), Some(1), Some(2), Some(3), None][usize::from(*mode) % 5],
        rhythm: [1, 2, 7, 1000][usize::from(shape >> 2 & 3)],
        inputs: Vec::new(),
    };
    scene.inputs = inputs(&scene, &traffic, rest);
    let stored = scene.play(scene.mode);
    scene.check(&stored);
    if scene.mode == Some(Lane::Comparison.index()) {
        comparison_uses_what_legacy_says(&scene, &stored);
    }
}

fn policy_of(choice: u8) -> Policy {
    let retention = |bit: u8| {
        if choice & bit == 0 {
            Retention::Keep
        } else {
            Retention::Cut
        }
    };
    Policy {
        action: if choice & 1 == 0 { Action::Cut } else { Action::Mask },
        framing: retention(2),
        opaque: retention(4),
        non_http: [NonHttp::Keep, NonHttp::Headers, NonHttp::Drop, NonHttp::Keep][usize::from(choice >> 3 & 3)],
    }
}

/// The traffic as frames, with damaged frames and such of other protocols between them.
fn inputs(scene: &Scene, traffic: &Traffic, data: &[u8]) -> Vec<Input> {
    let mut u = Unstructured::new(data);
    let mut inputs: Vec<Input> = Vec::new();
    for packet in &traffic.packets {
        // One that is in place of the end when the bytes are used up.
        let choice = u.arbitrary::<u8>().unwrap_or(0);
        let padding = if choice & 0x30 == 0x30 { 6 } else { 0 };
        let data = frame(packet, padding);
        inputs.push(Input {
            worker: packet.flow % scene.workers,
            lane: scene.mode.unwrap_or(packet.flow % Lane::COUNT),
            time_ns: packet.time,
            original_length: data.len() as u32 + packet.missing,
            data,
            truth: packet.truth.clone(),
        });
        if choice >= 0xe0
            && let Ok(extra) = stranger(scene, &mut u, packet.time + 1, &inputs)
        {
            inputs.push(extra);
        }
    }
    inputs
}

/// A frame of anything, or one that was seen before with a byte changed.
fn stranger(scene: &Scene, u: &mut Unstructured<'_>, time_ns: u64, before: &[Input]) -> Result<Input> {
    let data = match before.last() {
        Some(last) if u.arbitrary()? => {
            let mut data = last.data.clone();
            let at = u.int_in_range(0..=data.len().min(60) - 1)?;
            data[at] = u.arbitrary()?;
            data.truncate(u.int_in_range(0..=data.len())?.max(1));
            data
        }
        _ => take(u, 80).to_vec(),
    };
    Ok(Input {
        worker: usize::from(u.arbitrary::<u8>()?) % scene.workers,
        lane: scene.mode.unwrap_or(usize::from(u.arbitrary::<u8>()?) % Lane::COUNT),
        time_ns,
        original_length: data.len() as u32 + u32::from(u.arbitrary::<u8>()? & 1) * 100,
        data,
        truth: Vec::new(),
    })
}

/// A packet in the merge, with its bytes.
struct Item(ChunkPacket, Vec<u8>);

impl Timed for Item {
    fn time(&self) -> u64 {
        self.0.time_ns
    }
}

impl Scene {
    /// Shows every frame to its worker and gives what leaves the merge, in order.
    fn play(&self, mode: Option<usize>) -> Vec<Stored> {
        let worker = || Worker::new(makers(&self.settings), self.policy, self.limits);
        let mut workers: Vec<_> = (0..self.workers).map(|_| (worker(), Chunk::default())).collect();
        let mut merge = Merge::new(self.workers, 0);
        let mut stored = Vec::new();
        for (index, input) in self.inputs.iter().enumerate() {
            let (worker, chunk) = &mut workers[input.worker];
            let record = Record {
                interface: index as u32,
                time_ns: input.time_ns,
                original_length: input.original_length,
                data: &input.data,
            };
            worker.packet(mode.unwrap_or(input.lane), LinkType::ETHERNET, &record, chunk);
            self.within_limits(worker, input.time_ns);
            if index % self.rhythm == 0 {
                for (stream, (worker, chunk)) in workers.iter_mut().enumerate() {
                    send(&mut merge, stream, chunk);
                    merge.promise(stream, worker.oldest_held().unwrap_or(input.time_ns));
                }
                release(&mut merge, &mut stored);
            }
        }
        for (stream, (worker, chunk)) in workers.iter_mut().enumerate() {
            worker.finish(chunk);
            send(&mut merge, stream, chunk);
            merge.promise(stream, u64::MAX);
            assert_eq!(
                (worker.held_bytes(), worker.oldest_held()),
                (0, None),
                "a frame was left behind"
            );
        }
        release(&mut merge, &mut stored);
        assert_eq!(
            (merge.waiting(), merge.late()),
            (0, 0),
            "packets that wait, and that left too late"
        );
        self.accounts(&workers, &stored);
        stored
    }

    fn within_limits(&self, worker: &Worker, now: u64) {
        assert!(
            worker.held_bytes() <= self.limits.bytes,
            "{} bytes are held",
            worker.held_bytes()
        );
        if let (Some(limit), Some(since)) = (self.limits.time_ns, worker.oldest_held()) {
            assert!(now - since <= limit, "a frame waits for {} ns", now - since);
        }
    }

    /// Every packet was stored or left out on purpose, and what the lanes count is what happened.
    fn accounts(&self, workers: &[(Worker, Chunk)], stored: &[Stored]) {
        let lanes = workers
            .iter()
            .flat_map(|(worker, _)| (0..Lane::COUNT).map(move |lane| worker.counts(lane)));
        let (mut packets, mut omitted, mut bytes_in, mut bytes_out, mut labelled) = (0, 0, 0, 0, 0);
        for counts in lanes {
            assert_eq!((counts.panics, counts.kept_by_panic), (0, 0), "a trimmer panicked");
            packets += counts.packets;
            omitted += counts.omitted;
            bytes_in += counts.bytes_in;
            bytes_out += counts.bytes_out;
            labelled += counts.labelled.iter().sum::<u64>();
        }
        assert_eq!(packets, self.inputs.len() as u64, "packets counted");
        assert_eq!(omitted + stored.len() as u64, packets, "packets left out and stored");
        assert!(
            omitted == 0 || self.policy.non_http == NonHttp::Drop,
            "packets left out against the policy"
        );
        assert_eq!(
            bytes_in,
            self.inputs.iter().map(|input| input.data.len() as u64).sum::<u64>()
        );
        assert_eq!(
            bytes_out,
            stored.iter().map(|stored| stored.data.len() as u64).sum::<u64>()
        );
        let payload = |input: &Input| match dissect(LinkType::ETHERNET, &input.data, input.original_length) {
            Dissection::Tcp(layout) => u64::from(layout.payload_end - layout.payload_offset),
            _ => 0,
        };
        assert_eq!(
            labelled,
            self.inputs.iter().map(payload).sum::<u64>(),
            "payload bytes by label"
        );
    }

    /// What left is what came, in its order, each packet once, and only what may change has changed.
    fn check(&self, stored: &[Stored]) {
        let order = stored.is_sorted_by(|one, next| one.interface < next.interface);
        assert!(order, "packets leave in their order, each at most once");
        for stored in stored {
            let input = &self.inputs[stored.interface as usize];
            assert_eq!(
                (stored.time_ns, stored.original_length),
                (input.time_ns, input.original_length)
            );
            assert_eq!(usize::from(stored.lane), input.lane, "the lane");
            match dissect(LinkType::ETHERNET, &input.data, input.original_length) {
                Dissection::Tcp(layout) => self.segment(input, stored, &layout),
                Dissection::Fragment => assert_eq!(stored.data, input.data, "fragments stay whole"),
                Dissection::Other => {
                    let headers = transport_end(LinkType::ETHERNET, &input.data, input.original_length);
                    let kept = if self.policy.non_http == NonHttp::Headers {
                        headers
                    } else {
                        input.data.len()
                    };
                    assert_eq!(stored.data, input.data[..kept], "other protocols");
                }
            }
        }
    }

    fn segment(&self, input: &Input, stored: &Stored, layout: &TcpLayout) {
        let (before, after) = (&input.data, &stored.data);
        let (l4, payload) = (layout.l4_offset as usize, layout.payload_offset as usize);
        assert!(
            (payload..=before.len()).contains(&after.len()),
            "headers below HTTP stay"
        );
        let is_masked = self.policy.action == Action::Mask;
        assert!(
            !is_masked || after.len() == before.len(),
            "a masked packet keeps its length"
        );
        let redacts = !self.settings.redact_headers.is_empty();
        let hides = [0_u8, b'x'];
        for (at, (old, new)) in before.iter().zip(after).enumerate() {
            let is_checksum = is_masked && (l4 + 16..l4 + 18).contains(&at);
            let is_payload = (payload..layout.payload_end as usize).contains(&at);
            let is_hidden = is_payload && hides[..1 + usize::from(redacts)].contains(new);
            assert!(
                old == new || is_checksum || is_hidden,
                "byte {at} changed from {old:#x} to {new:#x}"
            );
        }
        if is_masked && layout.wire_payload == layout.payload_end - layout.payload_offset {
            let right = |frame: &[u8]| checksum_is_right(frame, layout);
            assert_eq!(
                right(after),
                right(before),
                "masking leaves a checksum as right as it was"
            );
        }
        if self.roomy && !redacts {
            for (at, truth) in input.truth.iter().enumerate() {
                let precious = matches!(truth, Some(Truth::Header | Truth::Trailer));
                let place = payload + at;
                assert!(
                    !precious || after.get(place) == before.get(place),
                    "header byte {at} is gone"
                );
            }
        }
    }
}

fn send(merge: &mut Merge<Item>, stream: usize, chunk: &mut Chunk) {
    for packet in chunk.packets() {
        merge.push(stream, Item(*packet, chunk.record(packet).data.to_vec()));
    }
    chunk.clear();
}

fn release(merge: &mut Merge<Item>, stored: &mut Vec<Stored>) {
    while let Some(run) = merge.next_run() {
        while let Some(Item(packet, data)) = merge.next_of(run) {
            stored.push(Stored {
                interface: packet.interface,
                time_ns: packet.time_ns,
                original_length: packet.original_length,
                lane: packet.lane,
                data,
            });
        }
    }
}

fn checksum_is_right(frame: &[u8], layout: &TcpLayout) -> bool {
    let l3 = layout.l3_offset as usize;
    let (at, length) = if frame[l3] >> 4 == 4 {
        (l3 + 12, 4)
    } else {
        (l3 + 8, 16)
    };
    let (source, rest) = frame[at..].split_at(length);
    let segment = &frame[layout.l4_offset as usize..layout.payload_end as usize];
    sum(source, &rest[..length], segment) == 0xffff
}

/// The same frames through the lane of `legacy` alone make the same packets.
fn comparison_uses_what_legacy_says(scene: &Scene, stored: &[Stored]) {
    let mut alone = scene.play(Some(Lane::Legacy.index()));
    for stored in &mut alone {
        stored.lane = Lane::Comparison.index() as u8;
    }
    let differs = stored.iter().zip(&alone).find(|(one, other)| one != other);
    assert!(
        stored == alone,
        "comparison stores something else than legacy: {differs:?}"
    );
}
