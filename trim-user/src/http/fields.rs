//! The two fields that decide framing, read byte by byte: Content-Length and Transfer-Encoding.
//!
//! Values may be lists, may come in several fields and may be folded; nothing is stored but what is decided by them,
//! so that a value of any length costs a few words.

/// Everything a header block says about the length of its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FramingFields {
    /// All Content-Length fields together.
    pub content_length: ContentLength,
    /// All Transfer-Encoding fields together.
    pub transfer_encoding: TransferEncoding,
    /// An Upgrade field is present.
    pub upgrade: bool,
}

/// What the Content-Length fields of a message say (RFC 9110 section 8.6, RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentLength {
    /// There is none.
    #[default]
    Absent,
    /// One length, possibly repeated in the same digits, bytes. Lengths beyond 64 bits saturate: such a body is valid
    /// by the grammar and never ends.
    Valid(u64),
    /// Something else than one decimal number.
    Invalid,
}

/// What the Transfer-Encoding fields of a message say (RFC 9112 section 6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransferEncoding {
    /// There is none, or nothing but the obsolete `identity` (RFC 2616 section 3.6).
    #[default]
    Absent,
    /// The last coding is `chunked`.
    Chunked,
    /// The last coding is another one.
    Other,
}

/// White space around list elements.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// Reads the values of the Content-Length fields of one message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LengthReader {
    first: Option<(u64, u32)>,
    value: u64,
    digits: u32,
    behind: bool,
    invalid: bool,
}

impl LengthReader {
    pub(super) fn push(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' if !self.behind => {
                self.value = self.value.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                self.digits = self.digits.saturating_add(1);
            }
            b',' => self.end_element(),
            _ if is_space(byte) => self.behind = self.digits > 0,
            _ => self.invalid = true,
        }
    }

    /// The value of one field, or one element of a list, is complete.
    pub(super) fn end_element(&mut self) {
        let element = (self.value, self.digits);
        // Equal in value and in digits is equal as written, which is what "the same value" is taken to mean.
        self.invalid |= self.digits == 0 || self.first.is_some_and(|first| first != element);
        self.first = Some(element);
        (self.value, self.digits, self.behind) = (0, 0, false);
    }

    pub(super) fn result(&self) -> ContentLength {
        match self.first {
            _ if self.invalid => ContentLength::Invalid,
            Some((value, _)) => ContentLength::Valid(value),
            None => ContentLength::Absent,
        }
    }
}

/// Reads the values of the Transfer-Encoding fields of one message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CodingReader {
    token: [u8; 8],
    length: u8,
    behind: bool,
    garbled: bool,
    last_is_chunked: bool,
    any: bool,
    other_than_identity: bool,
}

impl CodingReader {
    pub(super) fn push(&mut self, byte: u8) {
        match byte {
            b',' => self.end_element(),
            _ if is_space(byte) => self.behind = self.length > 0,
            _ => {
                // White space inside an element, or more bytes than any coding that matters has.
                self.garbled |= self.behind;
                match self.token.get_mut(usize::from(self.length)) {
                    Some(slot) => {
                        *slot = byte.to_ascii_lowercase();
                        self.length += 1;
                    }
                    None => self.garbled = true,
                }
            }
        }
    }

    /// The value of one field, or one element of a list, is complete. Empty elements count for nothing.
    pub(super) fn end_element(&mut self) {
        if self.length > 0 {
            let token = self.token.get(..usize::from(self.length)).unwrap_or_default();
            self.any = true;
            self.last_is_chunked = !self.garbled && token == b"chunked";
            self.other_than_identity |= self.garbled || token != b"identity";
        }
        (self.length, self.behind, self.garbled) = (0, false, false);
    }

    pub(super) fn result(&self) -> TransferEncoding {
        match (self.any && self.other_than_identity, self.last_is_chunked) {
            (false, _) => TransferEncoding::Absent,
            (true, true) => TransferEncoding::Chunked,
            (true, false) => TransferEncoding::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(values: &[&str]) -> ContentLength {
        let mut reader = LengthReader::default();
        for value in values {
            value.bytes().for_each(|byte| reader.push(byte));
            reader.end_element();
        }
        reader.result()
    }

    fn coding(values: &[&str]) -> TransferEncoding {
        let mut reader = CodingReader::default();
        for value in values {
            value.bytes().for_each(|byte| reader.push(byte));
            reader.end_element();
        }
        reader.result()
    }

    #[test]
    fn one_length_may_be_repeated_but_not_contradicted() {
        assert_eq!(length(&[]), ContentLength::Absent);
        assert_eq!(length(&[" 42 "]), ContentLength::Valid(42));
        assert_eq!(length(&["0007"]), ContentLength::Valid(7));
        assert_eq!(length(&["5, 5"]), ContentLength::Valid(5));
        assert_eq!(length(&["5", "5"]), ContentLength::Valid(5));
        assert_eq!(length(&["5", "6"]), ContentLength::Invalid);
        assert_eq!(length(&["5, 05"]), ContentLength::Invalid);
        assert_eq!(length(&["5", "6", "6"]), ContentLength::Invalid);
    }

    #[test]
    fn anything_but_digits_is_no_length() {
        for value in ["", " ", "-1", "+1", "1 2", "0x10", "5,", ",5", "5;", "1.0", "1\u{b2}"] {
            assert_eq!(length(&[value]), ContentLength::Invalid, "{value:?}");
        }
    }

    #[test]
    fn lengths_beyond_64_bits_saturate() {
        assert_eq!(length(&["18446744073709551616"]), ContentLength::Valid(u64::MAX));
        assert_eq!(length(&["9223372036854775808"]), ContentLength::Valid(1 << 63));
    }

    #[test]
    fn the_last_coding_decides() {
        assert_eq!(coding(&[]), TransferEncoding::Absent);
        assert_eq!(coding(&["identity"]), TransferEncoding::Absent);
        assert_eq!(coding(&[" , "]), TransferEncoding::Absent);
        assert_eq!(coding(&["Chunked"]), TransferEncoding::Chunked);
        assert_eq!(coding(&["gzip, chunked ,"]), TransferEncoding::Chunked);
        assert_eq!(coding(&["gzip", "chunked"]), TransferEncoding::Chunked);
        assert_eq!(coding(&["chunked, gzip"]), TransferEncoding::Other);
        assert_eq!(coding(&["chunked", "identity"]), TransferEncoding::Other);
        assert_eq!(coding(&["identity, chunked"]), TransferEncoding::Chunked);
        assert_eq!(coding(&["xchunked"]), TransferEncoding::Other);
        assert_eq!(coding(&["chunkedx"]), TransferEncoding::Other);
        assert_eq!(coding(&["chun ked"]), TransferEncoding::Other);
        assert_eq!(coding(&["identityx"]), TransferEncoding::Other);
    }
}
