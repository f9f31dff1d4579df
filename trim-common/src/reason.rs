//! One counter per reason.
