//! Which workflows a grant is about: a small glob over paths of the library.
//!
//! `*` stands for any text without `/`, `**` for any text. Everything else stands for itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::WORKFLOW_PATTERN_BYTES_MAX;

/// A pattern such as `deploy/*`, kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pattern for workflows: up to 256 letters, digits, `_`, `-`, `.`, `/`, with `*` for any text without `/` \
     and `**` for any text"
)]
pub struct NotAPattern(String);

impl Pattern {
    /// The one that admits every workflow: `**`.
    pub fn everything() -> Self {
        Self("**".to_owned())
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// Empty, longer than 256 bytes, three stars in a row, or characters that no path has.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./*".contains(&byte);
        let length = 1..=WORKFLOW_PATTERN_BYTES_MAX;
        match length.contains(&text.len()) && text.bytes().all(good) && !text.contains("***") {
            true => Ok(Self(text.to_owned())),
            false => Err(NotAPattern(text.to_owned())),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if it admits every workflow.
    pub fn is_everything(&self) -> bool {
        self.0 == "**"
    }

    /// True if it admits the whole of `name`. Takes time in proportion to the lengths of both, whatever they hold: all
    /// places in the pattern that the text so far may have led to are kept at once, so nothing is tried twice.
    pub fn admits(&self, name: &str) -> bool {
        let tokens = tokens(&self.0);
        let mut places = vec![false; tokens.len() + 1];
        places[0] = true;
        pass_stars(&tokens, &mut places);
        for byte in name.bytes() {
            let mut next = vec![false; places.len()];
            for (place, token) in tokens.iter().enumerate().filter(|(place, _)| places[*place]) {
                match token {
                    Token::Byte(wanted) => next[place + 1] |= *wanted == byte,
                    Token::Star => next[place] |= byte != b'/',
                    Token::Stars => next[place] = true,
                }
            }
            pass_stars(&tokens, &mut next);
            places = next;
        }
        places[tokens.len()]
    }
}

/// A part of a pattern.
#[derive(Clone, Copy)]
enum Token {
    /// Itself.
    Byte(u8),
    /// `*`
    Star,
    /// `**`
    Stars,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match (byte, tokens.last_mut()) {
            (b'*', Some(last @ Token::Star)) => *last = Token::Stars,
            (b'*', Some(Token::Byte(_) | Token::Stars) | None) => tokens.push(Token::Star),
            (byte, _) => tokens.push(Token::Byte(byte)),
        }
    }
    tokens
}

/// A star may stand for nothing.
fn pass_stars(tokens: &[Token], places: &mut [bool]) {
    for (place, token) in tokens.iter().enumerate() {
        if places[place] {
            match token {
                Token::Star | Token::Stars => places[place + 1] = true,
                Token::Byte(_) => {}
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = NotAPattern;

    fn try_from(text: String) -> Result<Self, NotAPattern> {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stay_in_their_folder_and_two_do_not() {
        for (pattern, name, admits) in [
            ("deploy/release", "deploy/release", true),
            ("deploy/release", "deploy/release2", false),
            ("deploy/release", "deploy", false),
            ("release", "deploy/release", false),
            ("*", "release", true),
            ("*", "deploy/release", false),
            ("deploy/*", "deploy/release", true),
            ("deploy/*", "deploy/", true),
            ("deploy/*", "deploy", false),
            ("deploy/*", "deploy/eu/release", false),
            ("deploy/*", "deployment/release", false),
            ("deploy/**", "deploy/eu/release", true),
            ("deploy/**", "deploy", false),
            ("**", "deploy/eu/release", true),
            ("**", "", true),
            ("**/release", "deploy/eu/release", true),
            ("**/release", "release", false),
            ("*/eu/*", "deploy/eu/release", true),
            ("*/eu/*", "deploy/us/eu/release", false),
            ("deploy/*-eu", "deploy/release-eu", true),
            ("deploy/*-eu", "deploy/release-eu-2", false),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "axxbyybzz", false),
            ("a**c", "a/b/c", true),
            ("a.c", "abc", false),
            ("Deploy/*", "deploy/release", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().admits(name), admits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "a".repeat(WORKFLOW_PATTERN_BYTES_MAX + 1);
        for text in ["", "a b", "de?loy", "***", "a/***", "[ab]", "déploy", "a\n", long.as_str()] {
            assert!(Pattern::parse(text).is_err(), "{text:?}");
            assert!(serde_json::from_value::<Pattern>(serde_json::json!(text)).is_err(), "{text:?}");
        }
        let read: Pattern = serde_json::from_value(serde_json::json!("deploy/*")).unwrap();
        assert_eq!(serde_json::json!(read), "deploy/*");
    }

    /// With backtracking this pattern would take longer than the universe is old.
    #[test]
    fn a_hostile_pattern_takes_no_longer_than_another() {
        let pattern = format!("{}b", "*a".repeat(127));
        assert!(!Pattern::parse(&pattern).unwrap().admits(&"a".repeat(256)));
    }

    /// The definition of the two stars, tried out in every way.
    fn admits_by_definition(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=name.len()).any(|cut| admits_by_definition(rest, &name[cut..])),
            [b'*', rest @ ..] => (0..=name.len())
                .take_while(|cut| !name[..*cut].contains(&b'/'))
                .any(|cut| admits_by_definition(rest, &name[cut..])),
            [byte, rest @ ..] => name.first() == Some(byte) && admits_by_definition(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_admits_what_the_definition_admits(pattern in "[ab/*]{1,8}", name in "[ab/]{0,8}") {
            prop_assume!(!pattern.contains("***"));
            let admits = Pattern::parse(&pattern).unwrap().admits(&name);
            prop_assert_eq!(admits, admits_by_definition(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
