//! What becomes of documents for Elasticsearch. Nothing is shown where none are sent.

use super::metric::{Metric, Samples, Unit};
use crate::control::web::Picture;
use crate::telemetry::elasticsearch::Counts;

fn number(picture: &Picture, out: &mut Samples, number: fn(&Counts) -> u64) {
    if let Some(counts) = &picture.elasticsearch {
        out.count(&[], number(counts));
    }
}

pub(super) const METRICS: &[Metric] = &[
    Metric::counter(
        "trim_elasticsearch_documents",
        &["outcome"],
        "Documents by what became of them. `delivered`: Elasticsearch has them. `refused`: it will never take them. \
         `dropped`: there was no room for them on disk, or the disk lost them.",
        |it, out| {
            if let Some(counts) = &it.elasticsearch {
                out.count(&["delivered"], counts.delivered);
                out.count(&["refused"], counts.refused);
                out.count(&["dropped"], counts.dropped);
            }
        },
    ),
    Metric::counter(
        "trim_elasticsearch_requests_failed",
        &[],
        "Requests after which documents still wait, or had to be sent again in smaller batches.",
        |it, out| number(it, out, |counts| counts.failed_requests),
    ),
    Metric::gauge(
        "trim_elasticsearch_documents_waiting",
        &[],
        "Documents that wait on disk.",
        |it, out| number(it, out, |counts| counts.waiting),
    ),
    Metric::gauge("trim_elasticsearch_spool", &[], "What they take there.", |it, out| {
        number(it, out, |counts| counts.spool_bytes);
    })
    .unit(Unit::Bytes),
];
