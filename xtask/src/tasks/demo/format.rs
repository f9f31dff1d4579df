//! The report as a person wants to read it.

use std::fmt::Write;

use super::report::{Report, Strategy};

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let mut lines = vec![String::new(), headline(report), String::new()];
    lines.push(row("packets", &packets(report)));
    lines.push(row("bytes", &bytes(report)));
    lines.push(row("http", &headers(report)));
    lines.push(row("", &bodies(report)));
    lines.extend(taken_over(report));
    lines.push(String::new());
    lines.extend(strategies(report));
    lines.push(String::new());
    if let Some(switch) = report.switch {
        let took = nanoseconds((switch.microseconds * 1000.0) as u64);
        lines.push(row(
            "switch",
            &format!("rollback under load: {took} from the command to the last packet of the old strategy"),
        ));
    }
    if let (Some(xdp), Some(xsk)) = (&report.xdp_mode, &report.xsk_mode) {
        lines.push(row("kernel", &format!("XDP {}, AF_XDP {}", spaced(xdp), spaced(xsk))));
    }
    lines.push(row("checked", &checked(report)));
    lines.push(row("result", &report.output));
    lines.push(row(
        "look at it",
        &format!("tshark -r {} -Y http", quoted(&report.output)),
    ));
    lines.push(row("", &format!("wireshark {}", quoted(&report.output))));
    lines.join("\n") + "\n"
}

fn headline(report: &Report) -> String {
    match report.seconds {
        Some(seconds) => {
            format!("trim demo: {seconds:.1} s of HTTP between nginx and curl, captured live from a mirror port")
        }
        None => "trim demo: a generated capture file, trimmed with both strategies (no live capture without root)"
            .to_owned(),
    }
}

fn row(name: &str, value: &str) -> String {
    format!("  {name:<11} {value}").trim_end().to_owned()
}

fn packets(report: &Report) -> String {
    let packets = report.packets;
    format!(
        "seen {} = written {} + omitted {} + lost {}, balance {}",
        count(packets.seen),
        count(packets.written),
        count(packets.omitted),
        count(packets.lost),
        report.balance
    )
}

fn bytes(report: &Report) -> String {
    let (received, written) = (report.bytes.received, report.bytes.written);
    format!(
        "in {}, out {} ({} kept)",
        size(received),
        size(written),
        share(written, received)
    )
}

fn headers(report: &Report) -> String {
    let http = report.http;
    format!(
        "{} messages, {} of headers kept, {} header bytes lost",
        count(http.messages),
        size(http.header_bytes),
        count(http.header_bytes_lost)
    )
}

fn bodies(report: &Report) -> String {
    let http = report.http;
    let cut = share(http.body_bytes_cut, http.body_bytes);
    format!(
        "{} of bodies, {cut} cut, {} unsure and kept",
        size(http.body_bytes),
        size(http.unsure_bytes)
    )
}

/// What an immediate switch costs.
fn taken_over(report: &Report) -> Option<String> {
    let bytes = report.http.undecided_bytes;
    let text = format!(
        "{} kept of messages under way when their flow was taken back at once",
        size(bytes)
    );
    (bytes > 0 && report.seconds.is_some()).then(|| row("", &text))
}

fn strategies(report: &Report) -> Vec<String> {
    let title = format!(
        "  {:<11} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "strategy", "flows", "packets", "p50", "p99", "max"
    );
    let line = |name: &str, strategy: &Strategy| {
        let mut line = format!(
            "  {name:<11} {:>8} {:>10}",
            count(strategy.flows),
            count(strategy.packets)
        );
        let latency = strategy.latency_ns.filter(|_| strategy.packets > 0);
        let latency = latency.map(|latency| [latency.p50, latency.p99, latency.max].map(nanoseconds));
        for value in latency.unwrap_or_else(|| ["-"; 3].map(str::to_owned)) {
            // Writing to a string does not fail.
            let _ = write!(line, " {value:>10}");
        }
        line
    };
    let note = row("", "latency: from the kernel's time stamp to written");
    let mut lines = vec![
        title,
        line("legacy", &report.strategies.legacy),
        line("scanning", &report.strategies.scanning),
    ];
    lines.extend(report.seconds.map(|_| note));
    lines
}

fn checked(report: &Report) -> String {
    let witness = &report.witness;
    if report.seconds.is_none() {
        return format!(
            "{} packets against the original by `trim verify`",
            count(witness.packets)
        );
    }
    let mut text = format!("against tcpdump on the same mirror: {} packets", count(witness.packets));
    for (number, what) in [
        (witness.missing, "of them not in the result"),
        (witness.mirror_losses, "lost by the mirror before XDP"),
        (witness.dropped, "dropped by tcpdump"),
        (witness.body_bytes_leaked, "body bytes kept in all"),
    ] {
        if number > 0 {
            let _ = write!(text, ", {} {what}", count(number));
        }
    }
    text
}

fn spaced(word: &str) -> String {
    word.replace('_', "-")
}

fn quoted(path: &str) -> String {
    if path.contains(' ') {
        format!("'{path}'")
    } else {
        path.to_owned()
    }
}

/// A number with thin groups: 1234567 as `1 234 567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Bytes in binary units.
pub(super) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in units {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A duration in the unit that suits it.
fn nanoseconds(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} ns"),
        1_000..1_000_000 => format!("{:.1} µs", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", value as f64 / 1e6),
        _ => format!("{:.1} s", value as f64 / 1e9),
    }
}

/// A part in percent. Rounded down: 100.00% means all of it.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::example;
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(
            [0, 1023, 1536, 3 << 30].map(size),
            ["0 B", "1023 B", "1.5 KiB", "3.0 GiB"]
        );
        assert_eq!(
            [999, 1_500, 2_000_000, 3_000_000_000].map(nanoseconds),
            ["999 ns", "1.5 µs", "2.0 ms", "3.0 s"]
        );
        assert_eq!(
            [share(1, 3), share(99_999, 100_000), share(0, 0)],
            ["33.33%", "99.99%", "-"]
        );
    }

    #[test]
    fn the_report_tells_everything_that_matters() {
        let text = text(&example());
        for part in [
            "seen 52 340 = written 52 340 + omitted 0 + lost 0, balance 0",
            "1 234 messages",
            "0 header bytes lost",
            "99.99% cut",
            "2.0 MiB kept of messages under way",
            "XDP native, AF_XDP copy",
            "43.5 µs",
            "tshark -r target/demo/demo.pcapng -Y http",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    }

    #[test]
    fn a_strategy_without_packets_shows_no_latency() {
        let mut report = example();
        report.strategies.scanning = Strategy::default();
        let text = text(&report);
        let line = text.lines().find(|line| line.contains("scanning")).unwrap();
        assert!(line.ends_with("-          -          -"), "{line}");
    }
}
