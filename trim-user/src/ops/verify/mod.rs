//! Proof that a trimmed capture is faithful and clean.
//!
//! The judgement shares no code with the trimmers: it rebuilds whole streams from the original capture and frames them
//! by RFC 9112 in its own way ([`truth`]). It is slow, obvious, and needs memory in proportion to the capture.

pub mod truth;
