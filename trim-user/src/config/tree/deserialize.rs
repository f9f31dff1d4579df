//! From a tree to typed sections, with every wrong node reported, not only the first.
//!
//! serde ends at the first error. So a node that has the wrong type is noted and left out, and the tree is read again,
//! until what is left can be read.

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::value::StringDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::super::error::Problem;
use super::super::place::{Place, WITH_PLACE};
use super::super::suggest;
use super::error::TypeError;
use super::scalar::Meaning;
use super::{Kind, Node, Scalar, Style};

/// Reads a tree as far as it can be read, and says what cannot.
pub(in super::super) fn typed<T: DeserializeOwned + Default>(root: &Node) -> (T, Vec<Problem>) {
    let context = Context::default();
    loop {
        let reader = Reader {
            node: root,
            path: String::new(),
            context: &context,
        };
        let error = match T::deserialize(reader) {
            Ok(value) => return (value, context.problems.into_inner()),
            Err(error) => error,
        };
        let (path, place) = error.node.clone().unwrap_or_else(|| (String::new(), root.place));
        context.note(Problem::at(place, &path, error));
        // What cannot be left out ends it: the root, and what was left out already.
        if path.is_empty() || !context.left_out.borrow_mut().insert(path) {
            return (T::default(), context.problems.into_inner());
        }
    }
}

#[derive(Default)]
struct Context {
    problems: RefCell<Vec<Problem>>,
    left_out: RefCell<HashSet<String>>,
}

impl Context {
    fn note(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    fn is_left_out(&self, path: &str) -> bool {
        self.left_out.borrow().contains(path)
    }
}

struct Reader<'a> {
    node: &'a Node,
    path: String,
    context: &'a Context,
}

type Result<T> = std::result::Result<T, TypeError>;

impl<'a> Reader<'a> {
    /// Reads, and names this node in an error that names none yet.
    fn located<T>(self, read: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        read(&self).map_err(|error| error.at(&self.path, self.node.place))
    }

    fn scalar(&self, expected: &str) -> Result<&'a Scalar> {
        match &self.node.kind {
            Kind::Scalar(scalar) => Ok(scalar),
            Kind::List(_) => Err(TypeError::new(format!("a list is not allowed: expected is {expected}"))),
            Kind::Map(_) => Err(TypeError::new(format!(
                "a section with keys is not allowed: expected is {expected}"
            ))),
        }
    }

    fn whole(&self, most: u64) -> Result<u64> {
        let expected = match most {
            // The range of the type is not that of the key.
            most if most >= u32::MAX.into() => "a whole number".to_owned(),
            most => format!("a whole number from 0 to {most}"),
        };
        let scalar = self.scalar(&expected)?;
        let value = scalar.whole().filter(|value| *value <= most);
        value.ok_or_else(|| TypeError::new(format!("{} is not allowed: {expected}", shown(scalar))))
    }

    fn items(&self) -> Result<Items<'a>> {
        let split: Vec<Item<'a>> = match &self.node.kind {
            Kind::List(items) => items.iter().map(Item::Node).collect(),
            Kind::Scalar(scalar) if scalar.is_null() => Vec::new(),
            Kind::Scalar(scalar) if scalar.style == Style::Words => {
                let words = scalar.text.split(',').map(|word| word.trim().to_owned());
                words.map(|word| Item::Word(self.node.place, word)).collect()
            }
            Kind::Scalar(_) => {
                return Err(TypeError::new(
                    "a single value is not allowed: expected is a list, such as [a, b]",
                ));
            }
            Kind::Map(_) => {
                return Err(TypeError::new(
                    "a section with keys is not allowed: expected is a list, each item after a `-`",
                ));
            }
        };
        let numbered = split.into_iter().enumerate();
        let items = numbered
            .map(|(at, item)| (format!("{}[{at}]", self.path), item))
            .filter(|(path, _)| !self.context.is_left_out(path));
        Ok(Items {
            items: items.collect::<Vec<_>>().into_iter(),
            context: self.context,
        })
    }

    fn fields(&self) -> Result<Fields<'a>> {
        let entries = match &self.node.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Scalar(scalar) if scalar.is_null() => &[],
            Kind::Scalar(_) => {
                return Err(TypeError::new(
                    "a single value is not allowed: this is a section with keys",
                ));
            }
            Kind::List(_) => return Err(TypeError::new("a list is not allowed: this is a section with keys")),
        };
        let named = entries.iter().map(|entry| (joined(&self.path, &entry.key), entry));
        let readable: Vec<_> = named.filter(|(path, _)| !self.context.is_left_out(path)).collect();
        Ok(Fields {
            entries: readable.into_iter(),
            value: None,
            context: self.context,
        })
    }

    /// The keys that a section knows; each other one is reported and left out.
    fn known_fields(&self, known: &'static [&'static str]) -> Result<Fields<'a>> {
        let fields = self.fields()?;
        let (good, unknown): (Vec<_>, Vec<_>) = fields
            .entries
            .partition(|(_, entry)| known.contains(&entry.key.as_str()));
        for (path, entry) in unknown {
            let hint = suggest::did_you_mean(&entry.key, known);
            let message = format!("there is no such key: {}{hint}", suggest::listed(known));
            self.context.note(Problem::at(entry.place, &path, message));
        }
        Ok(Fields {
            entries: good.into_iter(),
            ..fields
        })
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn shown(scalar: &Scalar) -> String {
    match scalar.style {
        Style::Quoted => format!("\"{}\" in quotes", scalar.text),
        Style::Plain | Style::Words => format!("`{}`", scalar.text),
    }
}

/// Whole numbers of every width.
macro_rules! whole {
    ($($method:ident => $visit:ident: $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.located(|it| visitor.$visit(it.whole(<$type>::MAX.into())? as $type))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = TypeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| match &it.node.kind {
            Kind::List(_) => visitor.visit_seq(it.items()?),
            Kind::Map(_) => visitor.visit_map(it.fields()?),
            Kind::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => visitor.visit_unit(),
                Meaning::Bool(value) => visitor.visit_bool(value),
                Meaning::Whole(value) => visitor.visit_u64(value),
                Meaning::Negative(value) => visitor.visit_i64(value),
                Meaning::Float(value) => visitor.visit_f64(value),
                Meaning::Text(text) => visitor.visit_str(text),
            },
        })
    }

    whole! {
        deserialize_u8 => visit_u8: u8,
        deserialize_u16 => visit_u16: u16,
        deserialize_u32 => visit_u32: u32,
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| visitor.visit_u64(it.whole(u64::MAX)?))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| {
            let scalar = it.scalar("a number")?;
            let value = scalar.float();
            visitor
                .visit_f64(value.ok_or_else(|| TypeError::new(format!("{} is not allowed: a number", shown(scalar))))?)
        })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| {
            let scalar = it.scalar("true or false")?;
            let value = scalar.bool();
            visitor.visit_bool(
                value.ok_or_else(|| TypeError::new(format!("{} is not allowed: true or false", shown(scalar))))?,
            )
        })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| visitor.visit_str(&it.scalar("text")?.text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.node.is_null() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == WITH_PLACE {
            visitor.visit_seq(WithPlace { reader: self, at: 0 })
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| visitor.visit_seq(it.items()?))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(|it| visitor.visit_map(it.fields()?))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.located(|it| visitor.visit_map(it.known_fields(fields)?))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.located(|it| {
            let word = it.scalar(&suggest::listed(variants))?.text.clone();
            let word: StringDeserializer<TypeError> = word.into_deserializer();
            visitor.visit_enum(word)
        })
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// A place, and then the value that stands there.
struct WithPlace<'a> {
    reader: Reader<'a>,
    at: usize,
}

impl<'de> de::SeqAccess<'de> for WithPlace<'_> {
    type Error = TypeError;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Place { layer, line, column } = self.reader.node.place;
        let number = [layer, line, column].get(self.at).copied();
        self.at += 1;
        match number {
            Some(number) => seed.deserialize(number.into_deserializer()).map(Some),
            None => {
                let reader = Reader {
                    node: self.reader.node,
                    path: self.reader.path.clone(),
                    context: self.reader.context,
                };
                seed.deserialize(reader).map(Some)
            }
        }
    }
}

enum Item<'a> {
    Node(&'a Node),
    Word(Place, String),
}

struct Items<'a> {
    items: std::vec::IntoIter<(String, Item<'a>)>,
    context: &'a Context,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = TypeError;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some((path, item)) = self.items.next() else {
            return Ok(None);
        };
        let word;
        let node = match item {
            Item::Node(node) => node,
            Item::Word(place, text) => {
                let style = Style::Words;
                let kind = Kind::Scalar(Scalar { text, style });
                word = Node { place, kind };
                &word
            }
        };
        let context = self.context;
        seed.deserialize(Reader { node, path, context }).map(Some)
    }
}

struct Fields<'a> {
    entries: std::vec::IntoIter<(String, &'a super::Entry)>,
    value: Option<(String, &'a Node)>,
    context: &'a Context,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = TypeError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((path, entry)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some((path, &entry.value));
        let key: StringDeserializer<TypeError> = entry.key.clone().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let (path, node) = self
            .value
            .take()
            .ok_or_else(|| TypeError::new("a value without a key"))?;
        let context = self.context;
        seed.deserialize(Reader { node, path, context })
    }
}
