//! A whole conversation with known labels, cut and mixed in every way.

use crate::wire::Wire;

/// Client and server streams with the label of each byte.
struct Script {
    client: Vec<u8>,
    client_labels: String,
    server: Vec<u8>,
    server_labels: String,
}

impl Script {
    fn new() -> Self {
        let mut script = Self {
            client: Vec::new(),
            client_labels: String::new(),
            server: Vec::new(),
            server_labels: String::new(),
        };
        script.ask("H", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        script.answer("H", "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n");
        script.answer("B", "HTTP/1.1 200 Fake\r\n\r\nGET /");
        script.ask("H", "\r\n\r\nPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (label, bytes) in [
            ("F", "3;e=1\r\n"),
            ("B", "\0\r\n"),
            ("F", "\r\n5\n"),
            ("B", "0\r\n\r\n"),
            ("F", "\n0\r\n"),
        ] {
            script.ask(label, bytes);
        }
        script.ask("T", "X-T: 1\r\n\r\n");
        script.answer(
            "H",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nTransfer-Encoding:\r\n gzip,\r\n\tchunked\r\n\r\n",
        );
        for (label, bytes) in [("F", "A\r\n"), ("B", "0123456789"), ("F", "\r\n0\r\n"), ("T", "\r\n")] {
            script.answer(label, bytes);
        }
        script.ask(
            "H",
            "HEAD /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\n\nGET /e HTTP/1.1\r\n\r\n",
        );
        script.answer("H", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
        script.answer("H", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n");
        script.answer("H", "HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\n");
        script.answer("B", "hello");
        script.ask("H", "PUT /f HTTP/1.1\r\nContent-Length: 007\r\n\r\n");
        script.ask("B", "GET / H");
        script.answer("H", "HTTP/1.0 200 OK\r\n\r\n");
        script.answer("B", "until the end\r\nHTTP/1.1 200 OK\r\n\r\n");
        script
    }

    fn ask(&mut self, label: &str, bytes: &str) {
        self.client.extend_from_slice(bytes.as_bytes());
        self.client_labels.push_str(&label.repeat(bytes.len()));
    }

    fn answer(&mut self, label: &str, bytes: &str) {
        self.server.extend_from_slice(bytes.as_bytes());
        self.server_labels.push_str(&label.repeat(bytes.len()));
    }

    /// Sends both streams cut at multiples of these lengths, the client's first, in the order made by `arrange`, and
    /// compares every label.
    #[track_caller]
    fn check(&self, client_cut: usize, server_cut: usize, arrange: impl Fn(&mut Vec<(bool, usize, usize)>)) {
        let mut plan = Vec::new();
        for (is_client, length, cut) in [
            (true, self.client.len(), client_cut),
            (false, self.server.len(), server_cut),
        ] {
            plan.extend(
                (0..length)
                    .step_by(cut)
                    .map(|from| (is_client, from, (from + cut).min(length))),
            );
        }
        arrange(&mut plan);
        let mut wire = Wire::open();
        wire.acknowledged[1] = self.client.len() as u32;
        let mut tickets = Vec::new();
        for &(is_client, from, to) in &plan {
            let ticket = match is_client {
                true => wire.client(from as u32, &self.client[from..to]),
                false => wire.server(from as u32, &self.server[from..to]),
            };
            tickets.push(ticket);
        }
        wire.finish();
        for (&(is_client, from, to), &ticket) in plan.iter().zip(&tickets) {
            let labels = if is_client {
                &self.client_labels
            } else {
                &self.server_labels
            };
            let context = (client_cut, server_cut, is_client, from, to);
            assert_eq!(wire.get(ticket), Some(&labels[from..to]), "{context:?}");
        }
        assert_eq!(wire.statistics().lost_to_gap + wire.statistics().lost_to_framing, 0);
    }
}

#[test]
fn labels_do_not_depend_on_segmentation() {
    let script = Script::new();
    for cut in 1..script.server.len() {
        script.check(cut, cut, |_| {});
    }
}

#[test]
fn labels_do_not_depend_on_order_within_a_direction() {
    let script = Script::new();
    for cut in 1..80 {
        script.check(cut, cut, |plan| {
            plan.sort_by_key(|&(is_client, from, _)| (!is_client, usize::MAX - from))
        });
        script.check(cut, cut, |plan| {
            let mut random = cut as u64;
            plan.sort_by_cached_key(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                random >> 33
            });
        });
    }
}

#[test]
fn answers_that_come_before_their_requests_wait_for_them() {
    let script = Script::new();
    for cut in [1, 7, 50, 1000] {
        script.check(cut, cut, |plan| {
            plan.sort_by_key(|&(is_client, from, _)| (is_client, from))
        });
    }
}

#[test]
fn every_copy_of_a_byte_has_the_label_of_the_first() {
    let script = Script::new();
    for (cut, other) in [(5, 13), (40, 9), (100, 33)] {
        script.check(cut, cut, |plan| {
            for (is_client, length) in [(true, script.client.len()), (false, script.server.len())] {
                plan.extend(
                    (0..length)
                        .step_by(other)
                        .map(|from| (is_client, from, (from + other).min(length))),
                );
            }
        });
    }
}

#[test]
fn ordinary_segments_are_decided_at_once() {
    let script = Script::new();
    let mut wire = Wire::open();
    let all = [(true, &script.client), (false, &script.server)];
    for (is_client, bytes) in all {
        for (offset, byte) in bytes.iter().enumerate() {
            match is_client {
                true => wire.client(offset as u32, &[*byte]),
                false => wire.server(offset as u32, &[*byte]),
            };
        }
    }
    assert_eq!(wire.statistics().held, 0);
}
