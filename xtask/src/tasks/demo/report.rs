//! What the demo has to tell.

use serde::{Deserialize, Serialize};

/// The demo's result; the fields are those of `--json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    /// Packets seen by XDP less those accounted for; 0, or packets have vanished.
    pub(super) balance: i64,
    pub(super) packets: Packets,
    pub(super) bytes: Bytes,
    pub(super) http: Http,
    pub(super) strategies: Strategies,
    /// Absent offline.
    pub(super) switch: Option<Switch>,
    /// `native` or `generic`; absent offline.
    pub(super) xdp_mode: Option<String>,
    /// `zero_copy` or `copy`; absent offline.
    pub(super) xsk_mode: Option<String>,
    /// The trimmed capture.
    pub(super) output: String,
    /// The comparison with an independent witness.
    pub(super) witness: Witness,
    /// How long traffic flowed, seconds; absent offline.
    pub(super) seconds: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packets {
    /// Packets that reached XDP.
    pub(super) seen: u64,
    pub(super) written: u64,
    /// Left out because the configuration says so.
    pub(super) omitted: u64,
    pub(super) lost: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bytes {
    /// Bytes of the packets seen.
    #[serde(rename = "in")]
    pub(super) received: u64,
    /// Bytes of the packets written.
    #[serde(rename = "out")]
    pub(super) written: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Http {
    /// Requests and responses.
    pub(super) messages: u64,
    pub(super) header_bytes: u64,
    /// Header bytes of the witness's capture that are not in the output; known to the witness only.
    #[serde(default)]
    pub(super) header_bytes_lost: u64,
    pub(super) body_bytes: u64,
    pub(super) body_bytes_cut: u64,
    pub(super) unsure_bytes: u64,
    /// Kept of connections that a strategy met in their middle.
    pub(super) undecided_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Strategies {
    pub(super) legacy: Strategy,
    pub(super) scanning: Strategy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Strategy {
    pub(super) flows: u64,
    pub(super) packets: u64,
    /// From the kernel's time stamp to written; absent offline.
    pub(super) latency_ns: Option<Latency>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Switch {
    /// The rollback: from the command to the last packet tagged with the old strategy.
    pub(super) microseconds: f64,
}

/// What tcpdump, on the same mirror, and `trim verify` say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Witness {
    /// Packets in the untrimmed capture.
    pub(super) packets: u64,
    /// Packets that the witness itself lost.
    pub(super) dropped: u64,
    /// Packets of the untrimmed capture that the trimmed one does not have.
    pub(super) missing: u64,
    /// Packets that the mirror lost before XDP, because the interface's ring was full.
    pub(super) mirror_losses: u64,
    /// Body bytes left in the output, those of messages that were taken over in their middle included.
    pub(super) body_bytes_leaked: u64,
    /// The first difference that must not be; absent when there is none.
    pub(super) unfaithful: Option<String>,
}

impl Report {
    /// What must not be; a demo with one of these fails.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.balance != 0 {
            faults.push(format!("the balance is {} packets and not 0", self.balance));
        }
        if self.http.header_bytes_lost != 0 {
            faults.push(format!("{} header bytes were lost", self.http.header_bytes_lost));
        }
        if let Some(finding) = self
            .witness
            .unfaithful
            .as_ref()
            .filter(|_| self.http.header_bytes_lost == 0)
        {
            faults.push(format!("the result is not faithful: {finding}"));
        }
        if self.unexplained() > self.http.body_bytes / 100 {
            faults.push(format!("{} body bytes were kept without need", self.unexplained()));
        }
        if self.packets.written == 0 || self.http.messages == 0 {
            faults.push("nothing was captured".to_owned());
        }
        faults
    }
}

impl Report {
    /// Body bytes in the output that `trim` has not said to have kept. `scanning` may keep a hundredth.
    fn unexplained(&self) -> u64 {
        let explained = self.http.unsure_bytes + self.http.undecided_bytes;
        self.witness.body_bytes_leaked.saturating_sub(explained)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn example() -> Report {
        let latency_ns = Some(Latency {
            p50: 12_100,
            p99: 80_300,
            max: 1_200_000,
        });
        Report {
            balance: 0,
            packets: Packets {
                seen: 52_340,
                written: 52_340,
                omitted: 0,
                lost: 0,
            },
            bytes: Bytes {
                received: 70_000_000,
                written: 4_000_000,
            },
            http: Http {
                messages: 1234,
                header_bytes: 320_000,
                header_bytes_lost: 0,
                body_bytes: 66_000_000,
                body_bytes_cut: 65_999_000,
                unsure_bytes: 0,
                undecided_bytes: 2_097_152,
            },
            strategies: Strategies {
                legacy: Strategy {
                    flows: 52,
                    packets: 20_000,
                    latency_ns,
                },
                scanning: Strategy {
                    flows: 61,
                    packets: 32_340,
                    latency_ns,
                },
            },
            switch: Some(Switch { microseconds: 43.5 }),
            xdp_mode: Some("native".to_owned()),
            xsk_mode: Some("copy".to_owned()),
            output: "target/demo/demo.pcapng".to_owned(),
            witness: Witness {
                packets: 52_340,
                ..Witness::default()
            },
            seconds: Some(36.2),
        }
    }

    #[test]
    fn vanished_packets_and_lost_headers_are_faults() {
        assert_eq!(example().faults(), Vec::<String>::new());
        assert_eq!(
            Report {
                balance: -1,
                ..example()
            }
            .faults()
            .len(),
            1
        );
        let http = Http {
            header_bytes_lost: 3,
            ..example().http
        };
        assert_eq!(Report { http, ..example() }.faults(), ["3 header bytes were lost"]);
        let witness = Witness {
            body_bytes_leaked: 2_097_152 + 700_000,
            ..example().witness
        };
        assert_eq!(
            Report { witness, ..example() }.faults(),
            ["700000 body bytes were kept without need"]
        );
        assert_eq!(
            Report {
                packets: Packets::default(),
                ..example()
            }
            .faults(),
            ["nothing was captured"]
        );
    }

    #[test]
    fn the_json_has_the_documented_fields() {
        let json = serde_json::to_value(example()).unwrap();
        for pointer in [
            "/balance",
            "/packets/seen",
            "/packets/written",
            "/packets/omitted",
            "/packets/lost",
            "/bytes/in",
            "/bytes/out",
            "/http/messages",
            "/http/header_bytes",
            "/http/header_bytes_lost",
            "/http/body_bytes",
            "/http/body_bytes_cut",
            "/http/unsure_bytes",
            "/http/undecided_bytes",
            "/strategies/legacy/latency_ns/p50",
            "/strategies/scanning/flows",
            "/switch/microseconds",
            "/xdp_mode",
            "/xsk_mode",
            "/output",
        ] {
            assert!(json.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
