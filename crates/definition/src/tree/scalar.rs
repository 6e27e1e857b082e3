//! The core schema of YAML 1.2: what a plain scalar means.

use skep_model::problem::{Place, Problem};

use super::Content;
use crate::codes;
use crate::diagnostic::{Hint, error, warning};

/// A tag that we understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// None written: the schema decides.
    None,
    /// `!` or `!!str`.
    Text,
    /// `!!int`.
    Integer,
    /// `!!float`.
    Float,
    /// `!!bool`.
    Bool,
    /// `!!null`.
    Null,
    /// `!!seq`.
    List,
    /// `!!map`.
    Map,
}

impl Tag {
    /// The tag with this handle and suffix, if it is one of ours.
    pub fn parse(handle: &str, suffix: &str) -> Option<Self> {
        if suffix == "!" && handle.is_empty() {
            return Some(Self::Text);
        }
        if handle != "tag:yaml.org,2002:" {
            return None;
        }
        match suffix {
            "str" => Some(Self::Text),
            "int" => Some(Self::Integer),
            "float" => Some(Self::Float),
            "bool" => Some(Self::Bool),
            "null" => Some(Self::Null),
            "seq" => Some(Self::List),
            "map" => Some(Self::Map),
            _ => None,
        }
    }

    /// An error unless the tag fits a container of this kind (`list` or `map`).
    pub fn allow_on(self, kind: &str, place: Place) -> Result<(), Problem> {
        let fits = match self {
            Self::None | Self::Text => true,
            Self::List => kind == "list",
            Self::Map => kind == "map",
            Self::Integer | Self::Float | Self::Bool | Self::Null => false,
        };
        if fits {
            return Ok(());
        }
        Err(error(&codes::TAG, Some(place), format!("the tag does not fit: this is a {kind}"))
            .hint("leave the tag out"))
    }
}

/// What a scalar means, with a warning where another reader would take it for something else.
pub fn resolve(text: &str, plain: bool, tag: Tag, place: Place) -> Result<(Content, Option<Problem>), Problem> {
    if tag == Tag::Text || (!plain && tag == Tag::None) {
        return Ok((Content::Text(text.to_owned()), None));
    }
    let (content, doubt) = resolve_plain(text, place);
    let fits = match tag {
        Tag::None | Tag::Text => true,
        Tag::Integer => matches!(content, Content::Integer(_)),
        Tag::Float => matches!(content, Content::Float(..) | Content::Integer(_)),
        Tag::Bool => matches!(content, Content::Bool(_)),
        Tag::Null => matches!(content, Content::Null),
        Tag::List | Tag::Map => false,
    };
    if fits {
        return Ok((content, doubt));
    }
    Err(error(&codes::TAG, Some(place), "the tag does not fit this value").hint("leave the tag out"))
}

fn resolve_plain(text: &str, place: Place) -> (Content, Option<Problem>) {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return (Content::Null, None),
        "true" | "True" | "TRUE" => return (Content::Bool(true), None),
        "false" | "False" | "FALSE" => return (Content::Bool(false), None),
        _ => {}
    }
    let first = text.as_bytes()[0];
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return (Content::Text(text.to_owned()), None);
    }
    if has_leading_zero(text) {
        return (Content::Text(text.to_owned()), Some(leading_zero(text, place)));
    }
    if let Some(number) = integer(text) {
        return (Content::Integer(number), None);
    }
    match float(text) {
        Some(number) if is_digits(text) => (Content::Float(number, text.to_owned()), Some(too_exact(text, place))),
        Some(number) => (Content::Float(number, text.to_owned()), None),
        None => (Content::Text(text.to_owned()), None),
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    let digits = unsigned(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_leading_zero(text: &str) -> bool {
    let digits = unsigned(text);
    is_digits(text) && digits.len() > 1 && digits.starts_with('0')
}

fn integer(text: &str) -> Option<i64> {
    if let Some(octal) = text.strip_prefix("0o") {
        return plain_digits(octal, 8);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return plain_digits(hexadecimal, 16);
    }
    is_digits(text).then(|| text.parse().ok())?
}

fn plain_digits(digits: &str, radix: u32) -> Option<i64> {
    // `from_str_radix` would take a sign.
    digits.chars().all(|digit| digit.is_digit(radix)).then(|| i64::from_str_radix(digits, radix).ok())?
}

/// A decimal number by the core schema: `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
/// One that JSON cannot hold stays text.
fn float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    if exponent.is_some_and(|digits| !is_digits(digits)) {
        return None;
    }
    let (whole, fraction) = unsigned(mantissa).split_once('.').unwrap_or((unsigned(mantissa), ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn leading_zero(text: &str, place: Place) -> Problem {
    let mut shown = text.to_owned();
    shown.truncate(40);
    warning(
        &codes::LEADING_ZERO,
        Some(place),
        format!("`{shown}` begins with a zero: it is read as text, other YAML readers take it for a number"),
    )
    .hint(format!("write \"{shown}\" for the text, `0o..` for an octal number, or leave the zero out"))
}

fn too_exact(text: &str, place: Place) -> Problem {
    let mut shown = text.to_owned();
    shown.truncate(40);
    warning(&codes::NUMBER_TOO_LARGE, Some(place), format!("`{shown}` does not fit 64 bits and loses its last digits"))
        .hint("put quotes around it to keep it as text")
}
