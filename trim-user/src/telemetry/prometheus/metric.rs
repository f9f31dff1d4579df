//! What a metric is: its name, what it means, and where its values come from.

use crate::control::web::Picture;

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Grows, and begins at 0 with the process. Its name ends in `_total`.
    Counter,
    /// A state, which goes up and down.
    Gauge,
    /// Values by size, counted since the process began.
    Histogram,
    /// Facts as labels; the value is 1. Its name ends in `_info`.
    Info,
}

impl Kind {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// The unit of a metric, which is part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A share from 0 to 1.
    Ratio,
}

impl Unit {
    /// The end of the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Ratio => "ratio",
        }
    }
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name without unit and ending.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// Its unit; `None` for things that are counted.
    pub unit: Option<Unit>,
    /// What it means, as a sentence.
    pub help: &'static str,
    /// The names of its labels. Their values come from the program or the configuration, never from traffic.
    pub labels: &'static [&'static str],
    /// Where its values come from.
    pub(super) read: fn(&Picture, &mut Samples),
}

impl Metric {
    /// A counter.
    pub(super) const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        read: fn(&Picture, &mut Samples),
    ) -> Self {
        Self {
            name,
            kind: Kind::Counter,
            unit: None,
            help,
            labels,
            read,
        }
    }

    /// A gauge.
    pub(super) const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        read: fn(&Picture, &mut Samples),
    ) -> Self {
        Self {
            kind: Kind::Gauge,
            ..Self::counter(name, labels, help, read)
        }
    }

    /// The same of another kind.
    pub(super) const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The same in a unit.
    pub(super) const fn unit(self, unit: Unit) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }

    /// The whole name, as queries use it.
    pub fn full_name(&self) -> String {
        let unit = self.unit.map(|unit| format!("_{}", unit.name())).unwrap_or_default();
        let end = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{unit}{end}", self.name)
    }

    /// Its values in a picture.
    pub(super) fn samples(&self, picture: &Picture) -> Vec<Sample> {
        let mut samples = Samples {
            names: self.labels,
            samples: Vec::new(),
        };
        (self.read)(picture, &mut samples);
        samples.samples
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number that is counted.
    Count(u64),
    /// A number that is measured.
    Real(f64),
    /// Values by size.
    Histogram {
        /// The sum of all values.
        sum: f64,
        /// How many there are.
        count: u64,
        /// Upper bounds, and how many values are above the bound before and not above this one.
        buckets: Vec<(f64, u64)>,
    },
}

/// A value with its labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: Value,
}

/// Takes the values of one metric.
#[derive(Debug)]
pub(super) struct Samples {
    names: &'static [&'static str],
    samples: Vec<Sample>,
}

impl Samples {
    /// A value, with a value for each of the metric's labels.
    pub(super) fn put(&mut self, labels: &[&str], value: Value) {
        debug_assert_eq!(
            labels.len(),
            self.names.len(),
            "a value for each label of {:?}",
            self.names
        );
        let values = labels.iter().map(|&value| value.to_owned());
        self.samples.push(Sample {
            labels: self.names.iter().copied().zip(values).collect(),
            value,
        });
    }

    /// A number that is counted.
    pub(super) fn count(&mut self, labels: &[&str], value: u64) {
        self.put(labels, Value::Count(value));
    }

    /// A number that is measured.
    pub(super) fn real(&mut self, labels: &[&str], value: f64) {
        self.put(labels, Value::Real(value));
    }

    /// A number, if it is known.
    pub(super) fn known(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.real(&[], value);
        }
    }

    /// One of several states: 1 for the one that holds, 0 for the others. `before` are the labels in front.
    pub(super) fn choice<'a>(&mut self, before: &[&str], all: impl IntoIterator<Item = &'a str>, holds: &str) {
        for name in all {
            let labels: Vec<&str> = before.iter().copied().chain([name]).collect();
            self.count(&labels, u64::from(name == holds));
        }
    }
}
