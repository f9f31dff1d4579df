//! What a trimmed capture is held to.

use crate::trimmer::Action;

/// How packets of the two captures find each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// One by one: same count, same order, same times.
    #[default]
    Order,
    /// By flow, direction and header fields, whatever the times: for captures of the same traffic at two points.
    Content,
}

/// Options of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How packets find their partners.
    pub matching: Matching,
    /// First bytes of each message body that may stay, bytes.
    pub body_keep: u32,
    /// Names of header fields (any case) whose values must be overwritten.
    pub redacted: Vec<String>,
    /// How bytes were removed; `None` accepts either way.
    pub action: Option<Action>,
    /// With [`Matching::Content`]: packets without a partner and packets out of order count as failures.
    pub strict: bool,
    /// Most findings that are reported one by one; all are counted.
    pub max_findings: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            matching: Matching::Order,
            body_keep: 0,
            redacted: Vec::new(),
            action: None,
            strict: false,
            max_findings: 20,
        }
    }
}
