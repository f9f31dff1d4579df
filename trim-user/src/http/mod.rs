//! HTTP/1.x as bytes: header blocks, framing (RFC 9112), and search. Pure.
