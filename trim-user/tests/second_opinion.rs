//! `httparse` as a second opinion on the header blocks of generated connections.

#[path = "../fuzz/src/second_opinion.rs"]
#[allow(unreachable_pub, reason = "a module of the fuzz targets")]
mod opinion;
mod support;

use std::collections::BTreeMap;

use support::recipe::Recipe;
use support::wire::Case;

/// Seeds of the connections whose header blocks are compared.
const SEEDS: std::ops::Range<u64> = 0..1500;

/// One block with what follows on it, and where it ends by construction.
struct Block<'b> {
    bytes: &'b [u8],
    end: usize,
    is_request: bool,
}

fn blocks(case: &Case) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for dialogue in &case.dialogues {
        for (side, stream) in dialogue.streams.iter().enumerate() {
            blocks.extend(stream.messages.iter().map(|message| Block {
                bytes: &stream.bytes[message.lead..],
                end: message.header_end - message.lead,
                is_request: side == 0,
            }));
        }
    }
    blocks
}

/// Why `httparse` refuses a block that RFC 9112 lets a recipient accept. `None` when there is no reason.
fn refusal(block: &Block<'_>) -> Option<&'static str> {
    let text = &block.bytes[..block.end];
    let lines: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let mut lines = lines.into_iter().skip_while(|line| line.is_empty());
    let start = lines.next()?;
    let words: Vec<&[u8]> = start.split(|byte| *byte == b' ').collect();
    let version = if block.is_request { *words.last()? } else { words[0] };
    if version != b"HTTP/1.0" && version != b"HTTP/1.1" {
        return Some("a version in other letters, or no version at all");
    }
    if block.is_request && (words.len() != 3 || start.contains(&b'\t')) {
        return Some("other white space in a request line than two single blanks");
    }
    if start.iter().any(|byte| *byte < b' ' || *byte == 0x7f)
        || words.iter().skip(1).take(1).any(|word| word.is_empty())
    {
        return Some("control characters or several blanks in a start line");
    }
    for line in lines.filter(|line| !line.is_empty()) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Some("a folded field line");
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Some("a line without a colon");
        };
        if line[..colon].iter().any(|byte| byte.is_ascii_whitespace()) {
            return Some("white space in front of a colon");
        }
        if line[colon..]
            .iter()
            .any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f)
        {
            return Some("a control character in a value");
        }
    }
    None
}

#[test]
fn httparse_ends_generated_header_blocks_at_the_same_byte_with_the_same_fields() {
    let (mut accepted, mut refused) = (0_u32, BTreeMap::<&str, u32>::new());
    for seed in SEEDS {
        let case = Case::of(Recipe::of_seed(seed));
        for block in blocks(&case) {
            // Compares end, start line, fields and framing wherever httparse accepts.
            opinion::agrees(block.bytes);
            let said = if block.is_request {
                opinion::request(block.bytes)
            } else {
                opinion::response(block.bytes)
            };
            match said {
                Some(said) => {
                    assert_eq!(said.end, block.end, "seed {seed}: the end of the block by construction");
                    accepted += 1;
                }
                None => {
                    let reason = refusal(&block).unwrap_or_else(|| {
                        let text = String::from_utf8_lossy(&block.bytes[..block.end]);
                        panic!("seed {seed}: httparse refuses for no known reason: {text:?}")
                    });
                    *refused.entry(reason).or_default() += 1;
                }
            }
        }
    }
    println!("httparse accepts {accepted} blocks and refuses {refused:?}");
    assert!(accepted > 5000, "{accepted} blocks were compared");
    assert!(
        accepted > 4 * refused.values().sum::<u32>(),
        "{accepted} accepted, refused {refused:?}"
    );
}
