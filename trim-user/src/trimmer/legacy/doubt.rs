//! Telling body from header where the bytes that would tell for certain were lost.
//!
//! A response whose request is unknown may have been the answer to HEAD. When the bytes behind its header block are lost
//! too, what follows the hole is either its body or belongs to later messages. These functions say "body" only where no
//! header byte can be at stake.

/// How many bytes behind a hole are looked at.
pub(super) const LOOK_BEHIND_HOLE: usize = 2048;

/// Whether bytes that follow a hole may be the rest of a header block: up to the first empty line, all lines but the
/// first, which may have begun in the hole, look like field lines. Too few bytes may be anything.
pub(super) fn may_be_header(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if first.iter().any(|byte| is_control(*byte)) {
        return false;
    }
    if matches!(first, b"\n" | b"\r\n") {
        // The empty line itself, whatever follows it.
        return true;
    }
    if !first.ends_with(b"\n") {
        return first.len() < LOOK_BEHIND_HOLE;
    }
    for line in lines {
        if matches!(line, b"\n" | b"\r\n") {
            return true;
        }
        if !may_be_field(line) {
            return false;
        }
    }
    true
}

/// Whether a line, perhaps cut off, may be a field line: a token and a colon, a folded value, or one word.
fn may_be_field(line: &[u8]) -> bool {
    let word = line.iter().take_while(|byte| is_word(**byte)).count();
    let behind = line.get(word).copied();
    let names_a_field = matches!(behind, None | Some(b':' | b'\r' | b'\n'));
    let folded = word == 0 && matches!(behind, Some(b' ' | b'\t'));
    (names_a_field || folded) && !line.iter().any(|byte| is_control(*byte))
}

/// Letters, digits and the punctuation of field names.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'+'
        )
}

const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n')
}

/// Whether something that delimits messages may stand in `bytes` or begin at their end: a status line, or a chunk-size
/// line, behind which trailers may follow.
pub(super) fn may_hold_framing(bytes: &[u8]) -> bool {
    may_hold_status_line(bytes) || bytes.split(|byte| *byte == b'\n').any(may_be_chunk_size)
}

fn may_hold_status_line(bytes: &[u8]) -> bool {
    const SIGN: &[u8] = b"HTTP/";
    memchr::memchr2_iter(b'H', b'h', bytes).any(|at| {
        let found = bytes.get(at..).unwrap_or_default();
        let length = found.len().min(SIGN.len());
        SIGN.get(..length).is_some_and(|sign| {
            found
                .get(..length)
                .is_some_and(|found| found.eq_ignore_ascii_case(sign))
        })
    })
}

/// Whether a line, perhaps cut off, may be a chunk size.
fn may_be_chunk_size(line: &[u8]) -> bool {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit() || is_blank(**byte))
        .count();
    digits > 0 && matches!(line.get(digits), None | Some(b'\r' | b';'))
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_rest_of_a_header_block_is_told_from_bodies() {
        for bytes in [
            &b""[..],
            b"yyyyyyyy",
            b"ngth: 5\r\nServer: x\r\n\r\nbody <html>",
            b"x\r\n folded, with \"anything\"\r\nWeird\r\nX-Y:\r\nSer",
            b"\r\n\0\0\0",
            b"tail\nA: b\n\n",
        ] {
            assert!(may_be_header(bytes), "{:?}", bytes.escape_ascii().to_string());
        }
        let long = [b'y'; LOOK_BEHIND_HOLE];
        for bytes in [
            &b"a\0b"[..],
            b"</p>\n<div class=\"x\">\n",
            b"lorem\nipsum dolor\n",
            b"a: b\r\nx{y: z}\r\n",
            &long,
        ] {
            assert!(!may_be_header(bytes), "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn status_lines_are_suspected_wherever_they_may_begin() {
        for bytes in [
            &b"HTTP/1.1 200"[..],
            b"xxHTTP/1",
            b"xxHTTP/",
            b"xxHT",
            b"h",
            b"HxHHTTP/",
        ] {
            assert!(may_hold_status_line(bytes), "{:?}", bytes.escape_ascii().to_string());
        }
        for bytes in [&b""[..], b"HTML", b"HTTPS:", b"xHTTPx", b"x\n0x1\n", b"\n\n"] {
            assert!(!may_hold_framing(bytes), "{:?}", bytes.escape_ascii().to_string());
        }
    }
}
