//! One request to the bulk API.

use std::time::Duration;

use hyper::StatusCode;

use super::bulk::{Fate, fates};
use super::settings::ElasticsearchSettings;
use crate::control::alert::channel::SendError;
use crate::control::alert::channel::http::Post;

/// Only what is looked at comes back.
const PATH: &str = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason";
const CONTENT_TYPE: &str = "application/x-ndjson";
/// Most bytes of an answer: so many, and so many for each document.
const ANSWER: usize = 64 << 10;
const ANSWER_PER_DOCUMENT: usize = 4 << 10;

/// Why no document of a request has got its fate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// All wait.
    Again {
        reason: String,
        retry_after: Option<Duration>,
    },
    /// The request is too large, or something in it cannot be read: fewer documents may go.
    TooMuch(String),
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self::Again {
            reason: error.reason,
            retry_after: error.retry_after,
        }
    }
}

/// Sends `count` documents; their fates are in the order of the lines. No text in the answer holds a secret.
pub(super) async fn send(settings: &ElasticsearchSettings, body: Vec<u8>, count: usize) -> Result<Vec<Fate>, Failure> {
    let answered = tokio::time::timeout(settings.timeout, attempt(settings, body, count)).await;
    answered.unwrap_or_else(|_| {
        Err(Failure::Again {
            reason: format!("no answer within {:?}", settings.timeout),
            retry_after: None,
        })
    })
}

async fn attempt(settings: &ElasticsearchSettings, body: Vec<u8>, count: usize) -> Result<Vec<Fate>, Failure> {
    let credentials = settings.credentials.as_ref();
    let authorization = credentials.map(|it| it.authorization()).transpose();
    let authorization = authorization.map_err(SendError::from)?;
    let post = Post {
        url: &settings.url,
        path: PATH,
        authorization: authorization.as_ref().map(|it| &it.header),
        content_type: CONTENT_TYPE,
        body,
        ca_file: settings.ca_file.as_deref(),
        longest_answer: ANSWER + count * ANSWER_PER_DOCUMENT,
    };
    let reply = post.send().await?;
    if reply.status.is_success() {
        return fates(&reply.body, count).map_err(|reason| Failure::Again {
            reason: format!("{}: {reason}", reply.shown),
            retry_after: None,
        });
    }
    let hidden = authorization.iter().flat_map(|it| &it.hidden);
    let reason = reply.describe(&hidden.map(Some).collect::<Vec<_>>());
    match reply.status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Err(Failure::TooMuch(reason)),
        _ => Err(Failure::Again {
            reason,
            retry_after: reply.retry_after,
        }),
    }
}
