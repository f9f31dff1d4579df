//! Is it HTTP? Judged by the first bytes of what an endpoint sends.

use crate::frame::{Bytes as _, Frame};

/// Blank-line bytes that a recipient skips in front of a message (RFC 9112 section 2.2) and that are skipped here.
const BLANKS_MAX: u32 = 4;

/// The first bytes of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Up to eight bytes, the first one highest, filled up with zeros.
    word: u64,
    /// How many bytes there are, `0..=8`.
    length: u32,
}

/// What the first bytes of a payload look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A request line with a well-known method, or a status line.
    Http,
    /// Too short to tell, or a method nobody has registered.
    Undecided,
    /// Nothing that an HTTP message can begin with.
    Foreign,
}

/// Who sent the bytes, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The end that opened the connection, or not known which end.
    ClientOrUnknown,
    /// The end that accepted the connection.
    Server,
}

impl Lead {
    /// The first bytes of a payload of `length` bytes at `offset`, without blank lines in front.
    #[inline(always)]
    pub fn read<F: Frame + ?Sized>(frame: &F, offset: u32, length: u32) -> Self {
        let mut skipped = 0;
        let most = frame.rounds(BLANKS_MAX);
        while skipped < most && skipped < length {
            match frame.bytes::<1>(offset + skipped) {
                Some(byte) if matches!(byte.u8::<0>(), b'\r' | b'\n') => skipped += 1,
                _ => break,
            }
        }
        Self::read_at(frame, frame.any(offset + skipped), length - skipped)
    }

    #[inline(always)]
    fn read_at<F: Frame + ?Sized>(frame: &F, offset: u32, length: u32) -> Self {
        if length >= 8
            && let Some(bytes) = frame.bytes::<8>(offset)
        {
            return Self {
                word: bytes.u64::<0>(),
                length: frame.any(8),
            };
        }
        let mut lead = Self { word: 0, length: 0 };
        for index in 0..frame.rounds(7) {
            if index >= length {
                break;
            }
            let Some(byte) = frame.bytes::<1>(offset + index) else {
                break;
            };
            lead.word |= (byte.u8::<0>() as u64) << (56 - 8 * index);
            lead.length = index + 1;
        }
        lead.length = frame.any(lead.length);
        lead
    }

    /// What these bytes look like.
    #[inline(always)]
    pub fn look(self, sender: Sender) -> Look {
        if self.begins_with_method() || self.begins_with(STATUS_LINE) {
            return Look::Http;
        }
        let first = (self.word >> 56) as u8;
        let plausible = match sender {
            // More blank lines than are skipped: what comes behind them is not known.
            _ if matches!(first, b'\r' | b'\n') => true,
            Sender::Server => self.may_become(STATUS_LINE),
            Sender::ClientOrUnknown => self.may_become_request(),
        };
        if plausible { Look::Undecided } else { Look::Foreign }
    }

    /// The methods of RFC 9110 section 9 and RFC 5789, each with the space behind it.
    #[inline(always)]
    fn begins_with_method(self) -> bool {
        self.begins_with(Prefix::new(b"GET "))
            || self.begins_with(Prefix::new(b"POST "))
            || self.begins_with(Prefix::new(b"HEAD "))
            || self.begins_with(Prefix::new(b"PUT "))
            || self.begins_with(Prefix::new(b"DELETE "))
            || self.begins_with(Prefix::new(b"OPTIONS "))
            || self.begins_with(Prefix::new(b"PATCH "))
            || self.begins_with(Prefix::new(b"CONNECT "))
            || self.begins_with(Prefix::new(b"TRACE "))
    }

    #[inline(always)]
    const fn begins_with(self, prefix: Prefix) -> bool {
        self.length >= prefix.length && self.word & prefix.mask(prefix.length) == prefix.word
    }

    /// Whether more bytes could make this begin with `prefix`.
    #[inline(always)]
    const fn may_become(self, prefix: Prefix) -> bool {
        let common = if self.length < prefix.length {
            self.length
        } else {
            prefix.length
        };
        (self.word ^ prefix.word) & prefix.mask(common) == 0
    }

    /// Whether more bytes could make this a request line: a token (RFC 9110 section 5.6.2) and a space.
    #[inline(always)]
    fn may_become_request(self) -> bool {
        for index in 0..8 {
            if index >= self.length {
                return true;
            }
            let byte = (self.word >> (56 - 8 * index)) as u8;
            if byte == b' ' {
                return index > 0;
            }
            if !is_token_byte(byte) {
                return false;
            }
        }
        true
    }
}

/// Up to eight bytes to compare a [`Lead`] with.
#[derive(Clone, Copy)]
struct Prefix {
    word: u64,
    length: u32,
}

const STATUS_LINE: Prefix = Prefix::new(b"HTTP/1.");

impl Prefix {
    #[inline(always)]
    const fn new(bytes: &[u8]) -> Self {
        let mut word = 0;
        let mut index = 0;
        while index < bytes.len() {
            word |= (bytes[index] as u64) << (56 - 8 * index);
            index += 1;
        }
        Self {
            word,
            length: bytes.len() as u32,
        }
    }

    /// Ones over the first `length` bytes, `0..=8`.
    #[inline(always)]
    const fn mask(self, length: u32) -> u64 {
        if length == 0 { 0 } else { !0 << (64 - 8 * length) }
    }
}

/// `tchar` of RFC 9110 section 5.6.2. Two words rather than a table: no memory whose bounds the verifier must follow.
#[inline(always)]
const fn is_token_byte(byte: u8) -> bool {
    const TABLE: [u64; 2] = token_table();
    let word = if byte < 64 { TABLE[0] } else { TABLE[1] };
    byte < 128 && word & (1 << (byte & 63)) != 0
}

const fn token_table() -> [u64; 2] {
    let mut table = [0; 2];
    let mut byte = 0u8;
    while byte < 128 {
        let special = matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        if special || byte.is_ascii_alphanumeric() {
            table[(byte >> 6) as usize] |= 1 << (byte & 63);
        }
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(payload: &[u8], sender: Sender) -> Look {
        Lead::read(payload, 0, payload.len() as u32).look(sender)
    }

    #[test]
    fn known_methods_and_status_lines_are_http_whoever_sends_them() {
        for payload in [
            "GET / HTTP/1.1\r\n",
            "POST /",
            "HEAD /x",
            "PUT /x HTTP/1.0",
            "DELETE /",
            "OPTIONS *",
            "PATCH /a",
            "CONNECT a:1",
            "TRACE / HTTP/1.1",
            "HTTP/1.1 200 OK",
            "HTTP/1.0 404",
            "\r\n\r\nGET / ",
            "\nHTTP/1.1",
        ] {
            assert_eq!(
                look(payload.as_bytes(), Sender::ClientOrUnknown),
                Look::Http,
                "{payload:?}"
            );
            assert_eq!(look(payload.as_bytes(), Sender::Server), Look::Http, "{payload:?}");
        }
    }

    #[test]
    fn what_may_still_become_a_request_is_undecided() {
        for payload in [
            "",
            "G",
            "GE",
            "GET",
            "PROPFIND /",
            "FOO / HTTP/1.1",
            "\r\n\r\n\r\n\r\n",
            "x-y!",
        ] {
            assert_eq!(
                look(payload.as_bytes(), Sender::ClientOrUnknown),
                Look::Undecided,
                "{payload:?}"
            );
        }
    }

    #[test]
    fn what_cannot_become_a_request_is_foreign() {
        for payload in [
            &b"\x16\x03\x01\x02\x00\x01"[..],
            b" GET /",
            b"GE\0T / HTTP",
            b"\xff",
            b"a\tb",
            b"G(T /",
        ] {
            assert_eq!(look(payload, Sender::ClientOrUnknown), Look::Foreign, "{payload:?}");
        }
    }

    #[test]
    fn a_server_that_does_not_begin_with_a_status_line_is_foreign() {
        assert_eq!(look(b"SSH-2.0-OpenSSH", Sender::Server), Look::Foreign);
        assert_eq!(look(b"220 mail", Sender::Server), Look::Foreign);
        assert_eq!(look(b"HTTP/2", Sender::Server), Look::Foreign);
        assert_eq!(look(b"HTT", Sender::Server), Look::Undecided);
        assert_eq!(look(b"", Sender::Server), Look::Undecided);
    }

    #[test]
    fn padding_behind_the_payload_is_not_read() {
        assert_eq!(Lead::read(&b"GEX-junk"[..], 0, 2), Lead::read(&b"GE"[..], 0, 2));
    }
}
