//! Flame graphs: stacks of calls as an SVG picture. Width is time; the first row is the threads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One stack of calls, and how often it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The thread, then functions from the outermost to the one that ran.
    pub frames: Vec<String>,
    /// How often.
    pub samples: u64,
}

/// Pixels.
const WIDTH: f64 = 1200.0;
const ROW: f64 = 17.0;
const MARGIN: f64 = 10.0;
const HEAD: f64 = 34.0;
/// Of one letter, roughly.
const LETTER: f64 = 6.6;
/// What is narrower is left out.
const NARROWEST: f64 = 0.4;

const STYLE: &str = "text{font:11px monospace;fill:#1b1b1b}.title{font-size:14px;fill:currentColor}\
                     svg{color:#1b1b1b;background:#fff}rect{stroke:#fff;stroke-width:.5}\
                     @media(prefers-color-scheme:dark){svg{color:#eee;background:#161616}rect{stroke:#161616}}";

#[derive(Default)]
struct Node {
    samples: u64,
    callees: BTreeMap<String, Node>,
}

impl Node {
    fn depth(&self) -> usize {
        self.callees
            .values()
            .map(|callee| 1 + callee.depth())
            .max()
            .unwrap_or(0)
    }
}

/// The picture of these stacks; without any, it says so.
pub fn graph(title: &str, stacks: &[Stack]) -> String {
    let mut root = Node::default();
    for stack in stacks {
        root.samples += stack.samples;
        let mut node = &mut root;
        for frame in &stack.frames {
            node = node.callees.entry(frame.clone()).or_default();
            node.samples += stack.samples;
        }
    }
    let height = HEAD + root.depth().max(1) as f64 * ROW + MARGIN;
    let full = WIDTH + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{full}\" height=\"{height}\" viewBox=\"0 0 {full} {height}\" \
         role=\"img\"><title>{0}</title><style>{STYLE}</style><text class=\"title\" x=\"{MARGIN}\" y=\"20\">{0}</text>\n",
        escaped(title)
    );
    if root.samples == 0 {
        let _ = writeln!(
            svg,
            "<text class=\"title\" x=\"{MARGIN}\" y=\"46\">no thread ran</text>"
        );
    } else {
        draw(&mut svg, &root, MARGIN, HEAD, WIDTH / root.samples as f64, root.samples);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws what `node` calls, from `x` on, in the row at `y`; `scale` is pixels per sample.
fn draw(svg: &mut String, node: &Node, mut x: f64, y: f64, scale: f64, all: u64) {
    for (name, callee) in &node.callees {
        let width = callee.samples as f64 * scale;
        if width >= NARROWEST {
            let shown = escaped(&fitting(name, width));
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                svg,
                "<g><title>{}: {} samples, {:.1} %</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                 height=\"{ROW}\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{:.1}\">{shown}</text></g>",
                escaped(name),
                callee.samples,
                callee.samples as f64 * 100.0 / all as f64,
                colour(name),
                x + 3.0,
                y + 12.5,
            );
            draw(svg, callee, x, y + ROW, scale, all);
        }
        x += width;
    }
}

/// As much of a name as fits.
fn fitting(name: &str, width: f64) -> String {
    let letters = ((width - 6.0) / LETTER).max(0.0) as usize;
    match name.chars().count() {
        count if count <= letters => name.to_owned(),
        _ if letters < 4 => String::new(),
        _ => name.chars().take(letters - 2).collect::<String>() + "..",
    }
}

/// The same for the same name in every picture: our own code warm, everything else cool.
fn colour(name: &str) -> String {
    let hash = name
        .bytes()
        .fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let shade = hash % 40;
    if name.contains("trim_user") || name.contains("trim_common") {
        format!("hsl({},85%,{}%)", 20 + shade, 62 + shade / 4)
    } else {
        format!("hsl({},45%,{}%)", 170 + shade, 68 + shade / 4)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(frames: &[&str], samples: u64) -> Stack {
        Stack {
            frames: frames.iter().map(|frame| (*frame).to_owned()).collect(),
            samples,
        }
    }

    #[test]
    fn calls_are_as_wide_as_their_samples_and_below_their_callers() {
        let svg = graph(
            "t",
            &[
                stack(&["writer", "a"], 30),
                stack(&["writer", "b"], 10),
                stack(&["capture-0"], 60),
            ],
        );
        assert!(svg.contains("<title>writer: 40 samples, 40.0 %</title><rect x=\"730.0\" y=\"34.0\" width=\"480.0\""));
        assert!(svg.contains("<title>a: 30 samples, 30.0 %</title><rect x=\"730.0\" y=\"51.0\" width=\"360.0\""));
        assert!(svg.contains("<title>b: 10 samples, 10.0 %</title><rect x=\"1090.0\" y=\"51.0\" width=\"120.0\""));
    }

    #[test]
    fn names_are_escaped_and_an_empty_profile_says_so() {
        assert!(graph("t", &[stack(&["<T as \"x\">::y & z"], 1)]).contains("&lt;T as &quot;x&quot;&gt;::y &amp; z"));
        assert!(graph("t", &[]).contains("no thread ran"));
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!(fitting("abc", 100.0), "abc");
        assert_eq!(fitting("abcdefghijklmnopqrstuvwxyz", 60.0), "abcdef..");
        assert_eq!(fitting("abcdef", 20.0), "");
    }
}
