//! Secrets that stand in the definition: keys of a known format, and values that look like one under a name that
//! says so.
//!
//! A finding never shows the value. Hashes, UUIDs and digests of images are no secrets.

use std::sync::LazyLock;

use regex::Regex;

use super::dangers::texts;
use super::scripts::Scripts;
use crate::check::codes;
use crate::check::report::{Finding, Report};
use crate::print;
use crate::workflow::Workflow;

/// Characters of a secret that a finding shows, so that a person knows which one is meant.
const SHOWN_CHARACTERS: usize = 4;
/// Shorter values are no keys. Characters.
const KEY_CHARACTERS_MIN: usize = 16;
/// Longer ones are documents. Characters.
const KEY_CHARACTERS_MAX: usize = 512;
/// Bits per character: words of a language have under 3, random letters and digits 4 and more at this length.
const KEY_ENTROPY_BITS_MIN: f64 = 3.2;
/// Shorter passwords are examples. Characters.
const PASSWORD_CHARACTERS_MIN: usize = 8;

/// What a key looks like, by who gives it out.
static FORMATS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let formats = [
        ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b"),
        ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("a Slack webhook", r"hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,}"),
        ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
        ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("an API key of a model", r"\bsk-(?:ant|proj)-[A-Za-z0-9_-]{20,}"),
        ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
        ("a signed token (JWT)", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        ("a password in a URL", r#"\b[a-z][a-z0-9+.-]*://[^\s/:@'"<>${}]+:([^\s/:@'"<>${}]{3,})@"#),
    ];
    formats.into_iter().filter_map(|(name, pattern)| Some((name, Regex::new(pattern).ok()?))).collect()
});

/// Names whose values are secrets.
static SOUNDS_SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words =
        "password|passwd|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key";
    Regex::new(&format!("(?i)(?:^|[^a-z])(?:{words})s?(?:$|[^a-z])")).ok()
});

/// A text that some part of the definition holds.
struct Found<'t> {
    text: &'t str,
    what: &'static str,
    offset: usize,
    length: usize,
}

/// Checks all texts of the workflow.
pub(super) fn check(workflow: &Workflow, scripts: &Scripts<'_>, report: &mut Report<'_>) {
    let document = print::to_value(workflow);
    texts("", &document, &mut |pointer, text| {
        let known = known_format(text);
        let found = known.or_else(|| named(name_of(pointer), text));
        if let Some(found) = found {
            add(pointer, &found, report);
        }
    });
    for script in &scripts.0 {
        let assignments = script.survey.iter().flat_map(|survey| &survey.assignments);
        for (name, value, start, end) in assignments {
            if known_format(value).is_none() && named(name.trim_start_matches('-'), value).is_some() {
                let found =
                    Found { text: value, what: "what looks like a secret", offset: *start, length: end - start };
                add_to(&script.pointer, &script.text, &found, report);
            }
        }
    }
}

fn add(pointer: &str, found: &Found<'_>, report: &mut Report<'_>) {
    let whole = Found { text: &found.text[found.offset..found.offset + found.length], ..*found };
    add_to(pointer, found.text, &whole, report);
}

fn add_to(pointer: &str, text: &str, found: &Found<'_>, report: &mut Report<'_>) {
    let shown: String = found.text.chars().take(SHOWN_CHARACTERS).collect();
    let message = format!("{} stands in the definition (`{shown}..`)", found.what);
    let hint = "withdraw it, and let the step read it from a file or a variable of the machine: a definition is kept, \
                shown and shared";
    report.add_in_script(
        pointer,
        text,
        found.offset,
        found.length,
        Finding::warning(codes::SECRET_WRITTEN, message).hint(hint),
    );
}

fn known_format(text: &str) -> Option<Found<'_>> {
    FORMATS.iter().find_map(|(what, pattern)| {
        let captures = pattern.captures(text)?;
        let (whole, password) = (captures.get(0)?, captures.get(1));
        if password.is_some_and(|password| is_placeholder(password.as_str())) {
            return None;
        }
        let exact = password.unwrap_or(whole);
        Some(Found { text, what, offset: exact.start(), length: exact.len() })
    })
}

/// The name that a value stands under: the key, or the input whose default it is.
fn name_of(pointer: &str) -> &str {
    let mut parts = pointer.rsplit('/');
    match parts.next().unwrap_or_default() {
        "default" => parts.next().unwrap_or_default(),
        name => name,
    }
}

fn named<'t>(name: &str, text: &'t str) -> Option<Found<'t>> {
    let sounds = SOUNDS_SECRET.as_ref()?.is_match(name);
    if !sounds || is_placeholder(text) || is_public(text) {
        return None;
    }
    let lower = name.to_lowercase();
    let is_password = ["password", "passwd", "passphrase"].iter().any(|word| lower.contains(word));
    let characters = text.chars().count();
    let is_one = match is_password {
        true => (PASSWORD_CHARACTERS_MIN..=KEY_CHARACTERS_MAX).contains(&characters) && classes(text) >= 2,
        false => {
            (KEY_CHARACTERS_MIN..=KEY_CHARACTERS_MAX).contains(&characters)
                && classes(text) >= 2
                && text.chars().any(|letter| letter.is_ascii_digit())
                && entropy_bits(text) >= KEY_ENTROPY_BITS_MIN
        }
    };
    is_one.then_some(Found { text, what: "what looks like a secret", offset: 0, length: text.len() })
}

/// It stands for a value that comes from elsewhere, or for nothing.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = ["password", "passwd", "secret", "token", "example", "changeme", "change-me", "placeholder", "dummy"];
    let is_repeated = text.chars().next().is_some_and(|first| text.chars().all(|other| other == first));
    text.is_empty()
        || is_repeated
        || text.contains(['$', '<', '{', ' ', '\n', '\t'])
        || words.contains(&lower.as_str())
        || lower.starts_with("your")
        || lower.contains("xxxx")
}

/// Names of variables and files, addresses, hashes, UUIDs and digests are no secrets.
fn is_public(text: &str) -> bool {
    let is_hex = |part: &str| part.chars().all(|letter| letter.is_ascii_hexdigit());
    let is_hash = is_hex(text) && [32, 40, 56, 64, 96, 128].contains(&text.len());
    let parts: Vec<&str> = text.split('-').collect();
    let is_uuid = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| is_hex(part));
    let is_digest = text.contains("sha256:") || text.contains("sha512:") || text.starts_with("sha512-");
    let is_path = text.starts_with(['/', '.', '~']) || text.contains("://") || text.contains('/') && text.contains('.');
    let is_variable =
        text.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
            && text.contains('_');
    is_hash || is_uuid || is_digest || is_path || is_variable
}

/// How many of: small letters, capitals, digits, signs.
fn classes(text: &str) -> usize {
    let has = |is: fn(char) -> bool| usize::from(text.chars().any(is));
    let sign = |letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '_';
    has(char::is_lowercase) + has(char::is_uppercase) + has(char::is_numeric) + has(sign)
}

/// Shannon's entropy of the characters.
fn entropy_bits(text: &str) -> f64 {
    let mut counts = std::collections::HashMap::new();
    for letter in text.chars() {
        *counts.entry(letter).or_insert(0_u32) += 1;
    }
    let all = f64::from(counts.values().sum::<u32>());
    counts.values().map(|count| f64::from(*count) / all).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_what_is_public() {
        let github = format!("ghp_{}", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gH6");
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N";
        let stripe = format!("sk_{}_{}", "live", "4eC39HqLyjWDarjtT1zdp7dc");
        for (name, text, expect) in [
            ("note", "AKIAIOSFODNN7EXAMPLE", true),
            ("note", github.as_str(), true),
            ("note", stripe.as_str(), true),
            ("note", "xoxb-123456789012-abcdefGHIJ", true),
            ("note", "-----BEGIN RSA PRIVATE KEY-----", true),
            ("note", "-----BEGIN PUBLIC KEY-----", false),
            ("note", jwt, true),
            ("url", "postgres://app:hunter22@db.example.org/app", true),
            ("url", "postgres://app:$PASSWORD@db/app", false),
            ("url", "postgres://app:password@db/app", false),
            ("url", "https://example.org:8080/path", false),
            ("api_key", "q7Zr2mXw9LpV4kTn8BsY", true),
            ("API_TOKEN", "q7Zr2mXw9LpV4kTn8BsY", true),
            ("DB_PASSWORD", "correct7horse", true),
            ("DB_PASSWORD", "password", false),
            ("DB_PASSWORD", "${{ secrets.db }}", false),
            ("password_env", "SKEP_SMTP_PASSWORD", false),
            ("token_file", "/run/secrets/token1234567", false),
            ("name", "q7Zr2mXw9LpV4kTn8BsY", false),
            ("token", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", false),
            ("token", "123e4567-e89b-12d3-a456-426614174000", false),
            ("secret_image", "app@sha256:2fd4e1c67a2d28fced849ee1bb76e739", false),
            ("token", "my-release-token-name", false),
            ("tokenizer", "q7Zr2mXw9LpV4kTn8BsY", false),
        ] {
            let found = known_format(text).or_else(|| named(name, text));
            assert_eq!(found.is_some(), expect, "{name}: {text}");
        }
    }
}
