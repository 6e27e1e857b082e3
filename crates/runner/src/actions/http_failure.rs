//! From a response or a broken connection to a failure of the one table.

use std::error::Error;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use skep_model::error::{Failure, Kind};

use crate::codes;

/// So many bytes of an unexpected response stand in the message.
const EXCERPT_BYTES_MAX: usize = 300;

/// A response that was not expected.
pub(super) struct Answer<'a> {
    pub url: &'a str,
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// As a failure.
    pub fn failure(&self) -> Failure {
        let (kind, hint) = match self.status {
            401 => (Kind::Permission, "name a credential of the owner's configuration with `auth`"),
            403 => (Kind::Permission, "the credential may not do this"),
            404 | 410 => (Kind::NotFound, "see the URL"),
            408 => (Kind::Timeout, "the server gave up waiting; a `retry` may help"),
            429 => (Kind::RateLimit, "a `retry` waits at least as long as the server asks"),
            500..=599 => (Kind::Unavailable, "the server has a problem; a `retry` may help"),
            _ => (
                Kind::Invalid,
                "the server does not take this request; if the status is fine, add it to `expected_status`",
            ),
        };
        let message = format!("{} answered with status {}{}", shown(self.url), self.status, excerpt(self.body));
        let mut failure = Failure::new(kind, codes::HTTP_STATUS, message).with_hint(hint);
        failure.http_status = Some(self.status);
        failure.retry_after_ms = retry_after_ms(self.headers, crate::clock::now().0 / 1_000_000);
        failure
    }
}

/// The URL without user, password, query and fragment: these may hold secrets.
fn shown(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut url) => {
            url.set_query(None);
            url.set_fragment(None);
            // A URL without a host has no user to remove.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.to_string()
        }
        Err(_) => "the URL".to_owned(),
    }
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(EXCERPT_BYTES_MAX)]).trim().replace(['\n', '\r'], " ");
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// `Retry-After` in milliseconds: seconds, or a date, which is compared with `now`, in seconds since 1970.
fn retry_after_ms(headers: &HeaderMap, now: i64) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse::<u64>().ok().or_else(|| {
        let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(u64::try_from(until.as_second().saturating_sub(now)).unwrap_or(0))
    })?;
    Some(seconds.saturating_mul(1_000))
}

/// The exchange took too long.
pub(super) fn timeout(url: &str, limit_ms: u64) -> Failure {
    let message = format!("{} did not answer within {limit_ms} ms", shown(url));
    Failure::new(Kind::Timeout, codes::ACTION_TIMEOUT, message)
        .with_hint("give the step a larger `timeout`, or see the server")
}

/// The response is larger than the step allows.
pub(super) fn too_large(url: &str, limit: usize) -> Failure {
    let message = format!("the response of {} is larger than {limit} bytes", shown(url));
    Failure::new(Kind::ResourceLimit, codes::HTTP_TOO_LARGE, message)
        .with_hint("raise `max_bytes`, or fetch it to a file in a script")
}

/// There is no such credential.
pub(super) fn no_credential<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Failure {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are: {}", known.join(", ")) };
    let message = format!("the owner's configuration has no HTTP credential `{name}`; {known}");
    Failure::new(Kind::NotFound, codes::HTTP_CREDENTIAL, message)
        .with_hint("add it to the configuration of the owner and start it again")
}

/// No response came.
pub(super) fn transport(url: &str, problem: &reqwest::Error) -> Failure {
    let mut text = problem.to_string();
    let mut source = problem.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    let url = shown(url);
    if problem.is_redirect() {
        return Failure::new(Kind::Invalid, codes::HTTP_STATUS, format!("{url} redirects without end: {text}"))
            .with_hint("set `follow_redirects: false` and look where it leads");
    }
    if problem.is_builder() {
        return Failure::new(Kind::Invalid, codes::ARGUMENTS, format!("the request to {url} cannot be made: {text}"));
    }
    Failure::new(Kind::Network, codes::HTTP_NETWORK, format!("the request to {url} got no response: {text}"))
        .with_hint("see whether the host name, the port and the certificate are right and the server is up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let check = |text: &str, expect| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after_ms(&headers, 1_445_412_470), expect, "{text}");
        };
        check("120", Some(120_000));
        check("Wed, 21 Oct 2015 07:28:00 GMT", Some(10_000));
        check("Wed, 21 Oct 2015 07:00:00 GMT", Some(0));
        check("soon", None);
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        assert_eq!(shown("https://me:word@example.org/a?key=1#x"), "https://example.org/a");
    }
}
