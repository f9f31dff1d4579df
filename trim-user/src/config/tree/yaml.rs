//! From YAML text to a tree.
//!
//! The parser's events are read directly, because every key has to keep its line and column through layers of files.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::super::error::Problem;
use super::super::place::Place;
use super::{Entry, Kind, Node, Scalar, Style};

/// Most nodes of a file, aliases written out: nobody's configuration has more, and aliases of aliases could.
const MOST_NODES: usize = 50_000;

/// Deepest nesting. The deepest key there is has five levels.
const DEEPEST: usize = 16;

/// Reads one document; `layer` becomes part of each place.
///
/// # Errors
/// All keys that stand twice; or the first thing that is no YAML.
pub(in super::super) fn parse(text: &str, layer: u32) -> Result<Node, Vec<Problem>> {
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(text, granit_parser::options! { emit_comments: false }),
        layer,
        anchors: HashMap::new(),
        nodes: 0,
        depth: 0,
        problems: Vec::new(),
    };
    match builder.document() {
        Ok(node) if builder.problems.is_empty() => Ok(node),
        Ok(_) => Err(builder.problems),
        Err(problem) => {
            builder.problems.push(problem);
            Err(builder.problems)
        }
    }
}

/// What to do about the mistakes that are made most.
fn remedy(info: &str) -> &'static str {
    const REMEDIES: [(&str, &str); 6] = [
        ("tab", "; indent with spaces"),
        ("expected key", "; keys of one section begin in the same column"),
        (
            "illegal placement",
            "; is a bracket or quote before it not closed, or a text with `: ` not in quotes?",
        ),
        ("unclosed quote", "; the text that begins here needs its closing quote"),
        ("unknown anchor", "; a text that begins with `*` has to be in quotes"),
        ("unexpected character", "; is this a text file?"),
    ];
    let known = REMEDIES.iter().find(|(part, _)| info.contains(part));
    known.map_or("", |(_, remedy)| remedy)
}

struct Builder<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    layer: u32,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    depth: usize,
    problems: Vec<Problem>,
}

type Read<T> = Result<T, Problem>;

impl<'a> Builder<'a> {
    fn place(&self, span: Span) -> Place {
        self.mark(span.start.line(), span.start.col())
    }

    fn mark(&self, line: usize, column: usize) -> Place {
        Place {
            layer: self.layer,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let mark = error.marker();
        Problem::of_text(
            self.mark(mark.line(), mark.col()),
            format!("this is no YAML: {}{}", error.info(), remedy(&error.info())),
        )
    }

    fn next(&mut self) -> Read<(Event<'a>, Place)> {
        loop {
            let (event, span) = match self.parser.next_event() {
                Some(Ok(found)) => found,
                Some(Err(error)) => return Err(self.syntax(&error)),
                None => return Ok((Event::StreamEnd, self.mark(0, 0))),
            };
            let place = self.place(span);
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::Anchor(..) => {}
                event => return Ok((event, place)),
            }
        }
    }

    fn document(&mut self) -> Read<Node> {
        let (event, place) = self.next()?;
        if matches!(event, Event::StreamEnd | Event::DocumentEnd) {
            return Ok(Node::empty(self.mark(1, 0)));
        }
        let node = self.node(event, place)?;
        self.next()?;
        match self.next()? {
            (Event::StreamEnd, _) => Ok(node),
            (_, place) => Err(Problem::of_text(
                place,
                "a second document begins here: a file holds one",
            )),
        }
    }

    fn node(&mut self, event: Event<'a>, place: Place) -> Read<Node> {
        self.count(1, place)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::of_text(place, "this is nested too deeply for a configuration"));
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    _ => Style::Quoted,
                };
                let text = text.into_owned();
                (Kind::Scalar(Scalar { text, style }), anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            Event::Alias(anchor) => (self.alias(anchor, place)?, 0),
            _ => return Err(Problem::of_text(place, "a value is missing here")),
        };
        self.depth -= 1;
        let node = Node { place, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self) -> Read<Kind> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, place) => items.push(self.node(event, place)?),
            }
        }
    }

    fn map(&mut self) -> Read<Kind> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Kind::Map(entries));
            }
            let key = self.key(event, place)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at)?;
            match entries.iter().find(|known| known.key == key) {
                Some(first) => self.problems.push(Problem::of_text(
                    place,
                    format!(
                        "`{key}` stands twice: first in line {}; a key is given once",
                        first.place.line
                    ),
                )),
                None => entries.push(Entry { key, place, value }),
            }
        }
    }

    fn key(&mut self, event: Event<'a>, place: Place) -> Read<String> {
        match event {
            Event::Scalar(text, ..) if text == "<<" => Err(Problem::of_text(
                place,
                "merge keys (`<<`) are not part of YAML 1.2: write the keys here, or use an anchor for single values",
            )),
            Event::Scalar(text, ..) => Ok(text.into_owned()),
            _ => Err(Problem::of_text(place, "a key is a word")),
        }
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Read<Kind> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Problem::of_text(
                place,
                "this alias stands inside of what it refers to: it would never end",
            ));
        };
        let kind = node.kind.clone();
        let count = size(&kind);
        self.count(count, place)?;
        Ok(kind)
    }

    fn count(&mut self, nodes: usize, place: Place) -> Read<()> {
        self.nodes += nodes;
        match self.nodes > MOST_NODES {
            true => Err(Problem::of_text(
                place,
                format!("with its aliases written out this has more than {MOST_NODES} values"),
            )),
            false => Ok(()),
        }
    }
}

fn size(kind: &Kind) -> usize {
    match kind {
        Kind::Scalar(_) => 1,
        Kind::List(items) => 1 + items.iter().map(|node| size(&node.kind)).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|entry| size(&entry.value.kind)).sum::<usize>(),
    }
}
