//! Telling body from header where the bytes that would tell for certain were lost.
//!
//! A response whose request is unknown may have been the answer to HEAD. When the bytes behind its header block are lost
//! too, what follows the hole is either its body or belongs to later messages. These functions say "body" only where no
//! header byte can be at stake.

/// How many bytes behind a hole are looked at.
pub(super) const LOOK_BEHIND_HOLE: usize = 2048;

/// Whether bytes that follow a hole may be the rest of a header block: up to the first empty line they are text, and all
/// lines but the first, which may have begun in the hole, look like field lines. Among lines that do, others may stand:
/// recipients skip what they cannot read.
pub(super) fn may_be_header(bytes: &[u8]) -> bool {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let (mut fields, mut others) = (0, 0);
    for (number, line) in lines.enumerate() {
        if line.iter().any(|byte| is_control(*byte)) {
            return false;
        }
        match kind(line) {
            Line::Empty => break,
            _ if number == 0 => {}
            Line::Field => fields += 1,
            Line::Folded => {}
            Line::Other => others += 1,
        }
    }
    fields > 0 || others == 0
}

enum Line {
    Empty,
    /// A token and a colon, or a token that may be cut off in front of one.
    Field,
    Folded,
    Other,
}

fn kind(line: &[u8]) -> Line {
    if matches!(line, b"\n" | b"\r\n") {
        return Line::Empty;
    }
    let word = line.iter().take_while(|byte| is_word(**byte)).count();
    let behind = line.get(word..).unwrap_or_default().trim_ascii_start();
    match (word, behind.first()) {
        (0, _) if line.starts_with(b" ") || line.starts_with(b"\t") => Line::Folded,
        (1.., None | Some(b':')) => Line::Field,
        _ => Line::Other,
    }
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
            b"me reason\r\nX-A : b\r\nthis line has no colon\r\nLength: 5\r\n",
            &[b'y'; LOOK_BEHIND_HOLE],
        ] {
            assert!(may_be_header(bytes), "{:?}", bytes.escape_ascii().to_string());
        }
        for bytes in [
            &b"a\0b"[..],
            b"</p>\n<div class=\"x\">\n",
            b"lorem\nipsum dolor\n",
            b"a: b\r\nx{y: z}\r\n",
            b"tail\r\nA: b\r\nc\0d\r\n",
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
