//! Lets metrics and events leave for Elasticsearch.

use anyhow::Context as _;

use crate::config::Config;
use crate::control::alert::{Time, host_name};
use crate::control::api::Service;
use crate::control::web::Picture;
use crate::telemetry::elasticsearch::{Record, Reporter, Shipper};

/// Starts the thread for that, if it is wanted.
pub(super) fn ship(config: &Config, service: &Service) -> anyhow::Result<Option<Shipper>> {
    let (Some(settings), Some(tally)) = (&config.elasticsearch, &service.elasticsearch) else {
        return Ok(None);
    };
    if settings.url.starts_with("http://") && settings.credentials.is_some() {
        tracing::warn!(
            "credentials for Elasticsearch go over the network in the open: an https:// address protects them"
        );
    }
    let mut reporter = Reporter::new(settings, host_name());
    let service = service.clone();
    let source = move || records(&mut reporter, &service);
    let shipper = Shipper::start(settings.clone(), tally.clone(), Box::new(source));
    let place = || format!("documents for Elasticsearch in {}", settings.spool_directory.display());
    shipper.map(Some).with_context(place)
}

fn records(reporter: &mut Reporter, service: &Service) -> Vec<Record> {
    match Picture::take(service) {
        Ok(picture) => reporter.records(&picture, Time::now()),
        Err(error) => {
            tracing::error!(%error, "there is nothing to tell Elasticsearch");
            Vec::new()
        }
    }
}
