//! `docs/metrics.md`.

use std::fmt::Write as _;

use super::SECTIONS;

const INTRODUCTION: &str = "\
# Metrics

<!-- Made from the definitions in trim-user/src/telemetry/prometheus; `TRIM_REGENERATE=1 cargo test --test metrics` makes it anew. -->

With `web.listen` set, the daemon serves `/metrics` in OpenMetrics 1.0 to clients that ask for it, such as Prometheus, and
in the older text format to all others. It is read from the capture at most twice a second, however many ask. Where the
listener has a token, scrapes need it (`authorization` in the scrape configuration).

- `config/integrations/prometheus/scrape.yml`: a scrape configuration.
- `config/integrations/prometheus/trim.rules.yml`: alert rules with the appliance's own thresholds, for those who would rather
  be told by Prometheus than by `trim` itself, and for what a dead daemon cannot tell.
- `config/integrations/grafana/`: a dashboard, and the provisioning that finds it.

Labels have values from the program and its configuration only, never from traffic: the number of series does not grow.
Counters begin at 0 with the process. Histograms have classic buckets; native ones leave in Prometheus' protobuf format only,
which is not served. A metric without a value, such as a score without data, is not shown: 0 would be a lie.
";

/// The whole document.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (title, metrics) in SECTIONS {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "\n## {title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|"
        );
        for metric in metrics {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                metric.full_name(),
                metric.kind.name(),
                labels.join(", "),
                metric.help
            );
        }
    }
    text
}
