//! Partial responses: the `fields` parameter ("Google APIs: Performance tips, partial response").
//!
//! `a,b(c,d),e/f,*` names the parts of an answer that are wanted. A mask that leaves out `nextPageToken` hides
//! it, so that a client which forgets it stops after one page without any error: Google does the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::api_error::ApiError;
use crate::device::fields::{Field, FieldSet};

/// How deep parentheses and slashes may nest.
const MAXIMUM_DEPTH: usize = 16;

/// A selection of the parts of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Mask {
    /// Everything.
    #[default]
    All,
    /// These members.
    Only(BTreeMap<String, Mask>),
}

impl Mask {
    /// Reads `fields`; an empty text means no mask.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.trim().is_empty() {
            return Ok(Self::All);
        }
        let mut parser = Parser {
            rest: text,
            whole: text,
        };
        let mask = parser.list(0)?;
        if parser.rest.is_empty() {
            Ok(mask)
        } else {
            Err(parser.error())
        }
    }

    /// The selection inside a member, or `None` if the member is left out.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(&Self::All),
            Self::Only(members) => members.get(name).or_else(|| members.get("*")),
        }
    }

    /// The wanted part of a value; lists are looked into.
    pub(crate) fn prune(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Only(_), Value::Array(items)) => items.iter().map(|item| self.prune(item)).collect(),
            (Self::Only(_), Value::Object(object)) => {
                let wanted = object
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), self.member(name)?.prune(value))));
                Value::Object(wanted.collect::<Map<String, Value>>())
            }
            (Self::All, _) | (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                value.clone()
            }
        }
    }

    /// Refuses members that the resource does not have.
    pub(crate) fn check(&self, known: impl Fn(&str) -> bool) -> Result<(), ApiError> {
        let Self::Only(members) = self else { return Ok(()) };
        match members.keys().find(|name| *name != "*" && !known(name)) {
            None => Ok(()),
            Some(name) => Err(invalid_selection(name)),
        }
    }

    fn add(&mut self, name: &str, inside: Self) {
        let Self::Only(members) = self else { return };
        match members.get_mut(name) {
            None => {
                members.insert(name.to_owned(), inside);
            }
            Some(existing) => existing.unite(inside),
        }
    }

    fn unite(&mut self, other: Self) {
        match other {
            Self::All => *self = Self::All,
            Self::Only(members) => members
                .into_iter()
                .for_each(|(name, inside)| self.add(&name, inside)),
        }
    }
}

fn invalid_selection(name: &str) -> ApiError {
    ApiError::invalid_parameter("fields", format!("Invalid field selection {name}"))
}

struct Parser<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl<'a> Parser<'a> {
    fn list(&mut self, depth: usize) -> Result<Mask, ApiError> {
        let mut mask = Mask::Only(BTreeMap::new());
        loop {
            let (name, inside) = self.item(depth)?;
            mask.add(name, inside);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => return Ok(mask),
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<(&'a str, Mask), ApiError> {
        if depth > MAXIMUM_DEPTH {
            return Err(self.error());
        }
        let end = self.rest.find([',', '(', ')', '/']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let name = name.trim();
        let valid = name == "*"
            || !name.is_empty()
                && name
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '_');
        if !valid {
            return Err(if name.is_empty() {
                self.error()
            } else {
                invalid_selection(name)
            });
        }
        self.rest = rest;
        if let Some(rest) = rest.strip_prefix('/') {
            self.rest = rest;
            let (member, inside) = self.item(depth + 1)?;
            return Ok((name, Mask::Only(BTreeMap::from([(member.to_owned(), inside)]))));
        }
        if let Some(rest) = rest.strip_prefix('(') {
            self.rest = rest;
            let inside = self.list(depth + 1)?;
            self.rest = self.rest.strip_prefix(')').ok_or_else(|| self.error())?;
            return Ok((name, inside));
        }
        Ok((name, Mask::All))
    }

    fn error(&self) -> ApiError {
        invalid_selection(self.whole)
    }
}

/// What is wanted of one field.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    Nothing,
    Whole,
    Inside(&'a Mask),
}

/// A mask and a projection of a device, ready to be asked field by field.
#[derive(Debug, Clone)]
pub(crate) struct DeviceMask {
    whole: FieldSet,
    inside: Vec<(Field, Mask)>,
    everything: bool,
}

impl DeviceMask {
    /// The fields of the projection that the mask names.
    pub(crate) fn new(mask: &Mask, projection: FieldSet) -> Result<Self, ApiError> {
        let Mask::Only(members) = mask else {
            return Ok(Self {
                whole: projection,
                inside: Vec::new(),
                everything: true,
            });
        };
        mask.check(|name| Field::find(name).is_some())?;
        let mut wanted = Self {
            whole: FieldSet::EMPTY,
            inside: Vec::new(),
            everything: false,
        };
        for (name, inside) in members {
            match (Field::find(name), inside) {
                (Some(field), Mask::All) => wanted.whole.insert(field),
                (Some(field), Mask::Only(_)) => wanted.inside.push((field, inside.clone())),
                (None, _) => {
                    wanted.everything = true;
                    wanted.whole = FieldSet::ALL;
                }
            }
        }
        wanted.whole = wanted.whole.intersection(projection);
        wanted.inside.retain(|(field, _)| projection.contains(*field));
        Ok(wanted)
    }

    /// All fields.
    pub(crate) fn full() -> Self {
        Self {
            whole: FieldSet::ALL,
            inside: Vec::new(),
            everything: true,
        }
    }

    pub(crate) fn part(&self, field: Field) -> Part<'_> {
        if self.whole.contains(field) {
            return Part::Whole;
        }
        match self.inside.iter().find(|(candidate, _)| *candidate == field) {
            Some((_, mask)) => Part::Inside(mask),
            None => Part::Nothing,
        }
    }

    /// The wanted part of a field that was set literally; its name may be one that Google does not have.
    pub(crate) fn literal<'v>(&self, name: &str, value: &'v Value) -> Option<Cow<'v, Value>> {
        match Field::find(name) {
            None => self.everything.then_some(Cow::Borrowed(value)),
            Some(field) => match self.part(field) {
                Part::Nothing => None,
                Part::Whole => Some(Cow::Borrowed(value)),
                Part::Inside(mask) => Some(Cow::Owned(mask.prune(value))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pruned(fields: &str) -> Value {
        let value = json!({"next": "t", "list": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}]});
        Mask::parse(fields).unwrap().prune(&value)
    }

    #[test]
    fn parentheses_slashes_and_stars_select_the_same_way() {
        let expected = json!({"list": [{"b": {"c": 2}}, {}]});
        for fields in ["list(b(c))", "list/b/c", "list(b/c)", "list/b(c)"] {
            assert_eq!(pruned(fields), expected, "{fields}");
        }
        assert_eq!(pruned("next"), json!({"next": "t"}));
        assert_eq!(pruned("*"), pruned(""));
        assert_eq!(
            pruned("list/*"),
            json!({"list": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}]})
        );
        assert_eq!(
            pruned("list/a,list/b(d)"),
            json!({"list": [{"a": 1, "b": {"d": 3}}, {"a": 4}]})
        );
        assert_eq!(pruned("list(b),list(b(c))"), pruned("list(b)"));
    }

    #[test]
    fn a_malformed_mask_is_refused_with_its_text() {
        for fields in [
            "a(", "a)", "a,,b", ",", "a(b", "a b", "a/", "()", "a(b))", "\u{0}",
        ] {
            let error = Mask::parse(fields).expect_err(fields);
            assert!(
                error.message().starts_with("Invalid field selection "),
                "{}",
                error.message()
            );
        }
        assert!(Mask::parse(&"a/".repeat(100_000)).is_err());
        assert!(Mask::parse(&"a(".repeat(100_000)).is_err());
    }

    #[test]
    fn a_device_mask_stays_within_the_projection() {
        let projection = FieldSet::of(&[Field::DeviceId, Field::CpuInfo]);
        let mask =
            DeviceMask::new(&Mask::parse("deviceId,notes,cpuInfo/model").unwrap(), projection).unwrap();
        assert!(matches!(mask.part(Field::DeviceId), Part::Whole));
        assert!(matches!(mask.part(Field::Notes), Part::Nothing));
        assert!(matches!(mask.part(Field::CpuInfo), Part::Inside(_)));
        assert!(DeviceMask::new(&Mask::parse("deviceid").unwrap(), projection).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-c,()/* ]{0,40}") {
            let _ = Mask::parse(&text);
        }
    }
}
