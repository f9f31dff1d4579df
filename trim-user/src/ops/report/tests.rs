//! Reports on made-up weeks.

use super::*;
use crate::control::health::{Evidence, Packets, Resources};

const HOUR: u64 = 3_600_000;
const START: u64 = 1_700_000_000_000;

/// Hours in which `disk_free` falls by 1 GiB each.
fn hours(count: u64) -> Vec<Sample> {
    let sample = |hour: u64| {
        let at = Moment(START + (hour + 1) * HOUR);
        let evidence = Evidence {
            at,
            seconds: 3600.0,
            packets: Packets {
                seen: 3_600_000,
                written: 3_599_000,
                queue_full: 1_000,
                ..Packets::default()
            },
            resources: Resources {
                disk_free: Some((100 - hour) << 30),
                resident_bytes: Some(100 << 20),
                memory_available: Some(4 << 30),
                ..Resources::default()
            },
            ..Evidence::default()
        };
        Sample {
            at,
            samples: 720,
            level: if hour == 3 { Level::Warning } else { Level::Healthy },
            scores: BTreeMap::new(),
            evidence,
            spreads: BTreeMap::new(),
        }
    };
    (0..count).map(sample).collect()
}

fn material(samples: Vec<Sample>) -> Material {
    Material {
        period: Period::Daily,
        to: Moment(START + 24 * HOUR),
        samples,
        decisions: Vec::new(),
        events: Vec::new(),
        status: None,
        alerts: None,
    }
}

#[test]
fn a_day_is_added_up() {
    let report = Report::of(&material(hours(12)));
    assert_eq!(report.availability, 0.5);
    assert_eq!((report.traffic.seen, report.traffic.lost), (43_200_000, 12_000));
    assert_eq!(report.loss, BTreeMap::from([("queue_full", 12_000)]));
    assert_eq!(report.health_s["warning"], 3600.0);
    assert_eq!(report.traffic.mean_per_second, 1000.0);
}

#[test]
fn the_disk_that_fills_is_foretold_and_what_is_flat_is_not() {
    let forecasts = Report::of(&material(hours(12))).forecasts;
    let disk = &forecasts[0];
    assert!((disk.days.unwrap() - 89.0 / 24.0).abs() < 0.05, "{disk:?}");
    assert_eq!(forecasts[1].days, None, "{forecasts:?}");
    let short = Report::of(&material(hours(3))).forecasts;
    assert!(
        short.iter().all(|it| it.now.is_none()),
        "three hours foretell nothing: {short:?}"
    );
}

#[test]
fn every_form_has_everything_and_an_empty_period_says_so() {
    let material_of_a_day = material(hours(12));
    let report = Report::of(&material_of_a_day);
    let (text, html) = (markdown(&report), page(&report, &material_of_a_day));
    for part in ["Loss by place", "queue_full", "Forecast", "is reached in 3.7 days"] {
        assert!(text.contains(part), "{part} in {text}");
        assert!(html.contains(part), "{part}");
    }
    assert!(html.matches("<svg").count() >= 8);
    let nothing = material(Vec::new());
    let report = Report::of(&nothing);
    assert!(markdown(&report).contains("Nothing was measured"));
    assert!(page(&report, &nothing).contains("Nothing was measured"));
}
