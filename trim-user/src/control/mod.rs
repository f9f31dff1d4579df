//! The control wing: switching strategies and the daemon's local API.
