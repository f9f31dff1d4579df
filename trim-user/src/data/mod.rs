//! The data path: `capture -> dispatch -> trim -> sink`.
