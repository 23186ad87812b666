//! Reading what Google writes without stumbling over what it has not written before.
//!
//! Any field may be missing or null; 64-bit numbers come as text or as numbers; times come with and without
//! a fraction. A value of an unexpected kind counts as missing, except in the fields that say which device
//! this is: there it makes the device unreadable, which the caller is told.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Any JSON value, as far as it is a single one.
enum Scalar<'de> {
    Nothing,
    Text(Cow<'de, str>),
    Integer(i64),
    Fraction(f64),
    Flag(bool),
    /// A list or an object, skipped.
    Structure,
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Scalar::Structure, Scalar::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Fraction(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Structure)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Structure)
    }
}

impl<'de> Scalar<'de> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }

    /// The value as text of at most `limit` characters; empty text counts as missing.
    fn into_text(self, limit: usize) -> Option<String> {
        let text = match self {
            Self::Text(text) => text,
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Fraction(number) => Cow::Owned(number.to_string()),
            Self::Flag(flag) => Cow::Owned(flag.to_string()),
            Self::Nothing | Self::Structure => return None,
        };
        let end = text.char_indices().nth(limit).map_or(text.len(), |(end, _)| end);
        let text = text.get(..end).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn into_integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Nothing | Self::Fraction(_) | Self::Flag(_) | Self::Structure => None,
        }
    }
}

/// A text of at most `LIMIT` characters, cut there; any single value passes as text.
pub(super) fn text<'de, D, const LIMIT: usize>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Scalar::read(deserializer)?.into_text(LIMIT))
}

/// Like [`text`], but a value that is neither text nor number nor null is an error: something would be
/// decided by it.
pub(super) fn decisive_text<'de, D, const LIMIT: usize>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    match Scalar::read(deserializer)? {
        Scalar::Structure | Scalar::Flag(_) | Scalar::Fraction(_) => Err(D::Error::custom("not a text")),
        scalar @ (Scalar::Nothing | Scalar::Text(_) | Scalar::Integer(_)) => Ok(scalar.into_text(LIMIT)),
    }
}

/// An identifier that is used as a name and in addresses: 1 to 128 letters, digits, `-` and `_`.
pub(super) fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Scalar::read(deserializer)? {
        Scalar::Text(text) if is_identifier(&text) => Ok(text.into_owned()),
        Scalar::Text(_)
        | Scalar::Nothing
        | Scalar::Integer(_)
        | Scalar::Fraction(_)
        | Scalar::Flag(_)
        | Scalar::Structure => Err(D::Error::custom("not an identifier")),
    }
}

/// Whether this may be an ID that Google gave.
pub(super) fn is_identifier(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}

/// An ID of an org unit. Org units write it with a leading `id:`, devices without; it is kept without.
pub(super) fn org_unit_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Scalar::read(deserializer)?.into_text(67);
    Ok(text.map(|text| text.strip_prefix("id:").map(ToOwned::to_owned).unwrap_or(text)))
}

/// A whole number, written as number or as text.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Scalar::read(deserializer)?.into_integer())
}

/// A number of bytes, which is not negative.
pub(super) fn byte_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(integer(deserializer)?.filter(|count| *count >= 0))
}

/// True or false, written as such or as text.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Scalar::read(deserializer)? {
        Scalar::Flag(flag) => Some(flag),
        Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Scalar::Text(_) | Scalar::Nothing | Scalar::Integer(_) | Scalar::Fraction(_) | Scalar::Structure => {
            None
        }
    })
}

/// A point in time: RFC 3339 with or without a fraction, without a time zone (then it is UTC), a day, or
/// milliseconds since 1970 as number or text.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let scalar = Scalar::read(deserializer)?;
    Ok(match scalar {
        Scalar::Text(text) => parse_time(text.trim()),
        Scalar::Integer(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
        Scalar::Nothing | Scalar::Fraction(_) | Scalar::Flag(_) | Scalar::Structure => None,
    })
}

fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(milliseconds) = text.parse::<i64>() {
        return Timestamp::from_millisecond(milliseconds).ok();
    }
    let in_utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(in_utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|day| in_utc(day.into())))
}

/// An object of type `T`; anything else counts as missing.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Perhaps::deserialize(deserializer)?.0)
}

/// An object of type `T`; anything else is an error. What the derive macro makes would also take a list as
/// the fields of `T` in their order.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Object)
    }
}

/// The first item of a list that `T` accepts as telling something.
pub(super) fn first<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Telling,
{
    deserializer.deserialize_any(ListVisitor {
        keep_last: false,
        item: PhantomData,
    })
}

/// The last item of a list that `T` accepts as telling something.
pub(super) fn last<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Telling,
{
    deserializer.deserialize_any(ListVisitor {
        keep_last: true,
        item: PhantomData,
    })
}

/// An item of a list that may be empty of what we want from it.
pub(super) trait Telling {
    /// Whether the item holds anything.
    fn tells(&self) -> bool;
}

/// An object, or anything else, which is skipped.
struct Perhaps<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Perhaps<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PerhapsVisitor(PhantomData))
    }
}

struct PerhapsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PerhapsVisitor<T> {
    type Value = Perhaps<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|object| Perhaps(Some(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Perhaps(None))
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(Perhaps(None))
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<Self::Value, E> {
        Ok(Perhaps(None))
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(Perhaps(None))
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(Perhaps(None))
    }

    fn visit_str<E: Error>(self, _value: &str) -> Result<Self::Value, E> {
        Ok(Perhaps(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Perhaps(None))
    }
}

struct ListVisitor<T> {
    keep_last: bool,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de> + Telling> Visitor<'de> for ListVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = None;
        while let Some(Perhaps(item)) = list.next_element::<Perhaps<T>>()? {
            if (self.keep_last || kept.is_none()) && item.as_ref().is_some_and(Telling::tells) {
                kept = item;
            }
        }
        Ok(kept)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _value: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_google_writes() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        for (text, expected) in [
            ("2026-11-23T10:00:00.000Z", at("2026-11-23T10:00:00Z")),
            ("2026-11-23T10:00:00Z", at("2026-11-23T10:00:00Z")),
            (
                "2026-11-23T10:00:00.123456789Z",
                at("2026-11-23T10:00:00.123456789Z"),
            ),
            ("2026-11-23T12:00:00+02:00", at("2026-11-23T10:00:00Z")),
            ("2026-11-23T10:00:00", at("2026-11-23T10:00:00Z")),
            ("2026-11-23", at("2026-11-23T00:00:00Z")),
            ("1795428000000", at("2026-11-23T10:00:00Z")),
            ("soon", None),
            ("", None),
            ("99999999999999999999", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text:?}");
        }
    }

    #[test]
    fn identifiers_stay_in_their_place() {
        assert!(is_identifier("6f1d2c3b-0000-4000-8000-000000000001"));
        assert!(is_identifier("C0_abc"));
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "a:issueCommand",
            "a\n",
            "ä",
            &"a".repeat(129),
        ] {
            assert!(!is_identifier(bad), "{bad:?}");
        }
    }
}
