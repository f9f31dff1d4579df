//! The two text formats in which metrics leave.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit as ClientUnit};

use super::metric::{Kind, Metric, Sample, Unit, Value};
use crate::control::web::Picture;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, for those that ask for it; Prometheus does.
    OpenMetrics,
    /// The older format of Prometheus (0.0.4), for everybody else.
    Prometheus,
}

impl Format {
    /// The format for the value of an `Accept` header.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The answer's `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// Every metric of a picture.
///
/// # Errors
/// Never in practice: writing to a `String` does not fail.
pub fn render(picture: Arc<Picture>, format: Format) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition(picture)));
    let mut out = String::new();
    match format {
        Format::OpenMetrics => text::encode(&mut out, &registry)?,
        Format::Prometheus => prometheus_text::encode(&mut out, &registry)?,
    }
    Ok(out)
}

struct Exposition(Arc<Picture>);

impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exposition")
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in super::metrics() {
            let samples = metric.samples(&self.0);
            if samples.is_empty() {
                continue;
            }
            let unit = metric.unit.map(|unit| match unit {
                Unit::Bytes => ClientUnit::Bytes,
                Unit::Seconds => ClientUnit::Seconds,
                Unit::Ratio => ClientUnit::Other(unit.name().to_owned()),
            });
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
                Kind::Info => MetricType::Info,
            };
            let mut encoder = encoder.encode_descriptor(metric.name, metric.help, unit.as_ref(), kind)?;
            for sample in &samples {
                encode(&mut encoder, metric, sample)?;
            }
        }
        Ok(())
    }
}

/// No sample of ours has an example of its own.
const NONE: Option<&Exemplar<[(&str, &str); 0], f64>> = None;

fn encode(encoder: &mut MetricEncoder<'_>, metric: &Metric, sample: &Sample) -> fmt::Result {
    if metric.kind == Kind::Info {
        return encoder.encode_info(&sample.labels);
    }
    let mut encoder = encoder.encode_family(&sample.labels)?;
    match (metric.kind, &sample.value) {
        (Kind::Counter, Value::Count(count)) => encoder.encode_counter(count, NONE),
        (Kind::Counter, Value::Real(real)) => encoder.encode_counter(real, NONE),
        (_, Value::Count(count)) => encoder.encode_gauge(count),
        (_, Value::Real(real)) => encoder.encode_gauge(real),
        (_, Value::Histogram { sum, count, buckets }) => {
            encoder.encode_histogram::<[(&str, &str); 0]>(*sum, *count, buckets, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_ask() {
        let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(Format::accepted("*/*"), Format::Prometheus);
    }
}
