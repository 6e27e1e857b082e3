//! Who calls: the key in `Authorization: Bearer ..`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use skep_model::access::Principal;
use skep_model::actor::Actor;
use skep_node::service::Denied;
use skep_node::{Node, clock};

use super::answer::Refusal;

/// What seed 000 says when a key is missing or wrong.
const INVALID: &str = "Invalid API key";

/// How callers are let in.
pub enum Door {
    /// Everybody who reaches it: `--dev`.
    Open(Principal),
    /// Whoever has a key.
    Keys {
        /// Requests per minute and caller.
        limiter: Option<DefaultKeyedRateLimiter<String>>,
    },
}

impl Door {
    /// One that asks for keys; `per_minute`: requests per minute and key, `None` for any number.
    pub fn keys(per_minute: Option<NonZeroU32>) -> Self {
        Self::Keys { limiter: per_minute.map(|count| RateLimiter::keyed(Quota::per_minute(count))) }
    }

    /// The caller.
    ///
    /// # Errors
    /// 401 without a key that is valid, 429 for one that asks too often, 503 if the store cannot be asked.
    pub async fn let_in(
        &self,
        node: &Arc<Node>,
        headers: &HeaderMap,
        peer: Option<SocketAddr>,
    ) -> Result<Principal, Refusal> {
        match self {
            Self::Open(principal) => Ok(principal.clone()),
            Self::Keys { limiter } => {
                let secret = bearer(headers)?.to_owned();
                let node = Arc::clone(node);
                let known = tokio::task::spawn_blocking(move || recognised(&node, &secret, peer)).await;
                let principal = match known {
                    Ok(Ok(principal)) => principal,
                    Ok(Err(denied)) => return Err(refusal(&denied)),
                    Err(error) => {
                        tracing::error!("recognising a key panicked: {error}");
                        return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the key could not be looked up"));
                    }
                };
                limiter.as_ref().map_or(Ok(()), |limiter| slow_down(limiter, &principal))?;
                Ok(principal)
            }
        }
    }
}

/// The caller with this secret. That somebody came with a key that is not good any more is recorded; whoever has none
/// could fill the log.
fn recognised(node: &Node, secret: &str, peer: Option<SocketAddr>) -> Result<Principal, Denied> {
    node.authenticate(secret, clock::now()).inspect_err(|denied| {
        if let Some(name) = denied.name() {
            let from = peer.map_or_else(|| "http".to_owned(), |peer| format!("http {}", peer.ip()));
            node.record_refusal(Actor::Key { name: name.to_owned() }, from);
        }
    })
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let missing = || {
        Refusal::new(StatusCode::UNAUTHORIZED, INVALID)
            .with_hint("send `Authorization: Bearer KEY`; `skep key create NAME --role ROLE` makes one")
    };
    secret.map(|(_, secret)| secret.trim()).filter(|secret| !secret.is_empty()).ok_or_else(missing)
}

fn refusal(denied: &Denied) -> Refusal {
    match denied {
        Denied::Unavailable(error) => Refusal::from(crate::local::failure_of(error)),
        denied => Refusal::new(StatusCode::UNAUTHORIZED, INVALID).coded(denied.code().id).with_hint(denied.to_string()),
    }
}

fn slow_down(limiter: &DefaultKeyedRateLimiter<String>, principal: &Principal) -> Result<(), Refusal> {
    limiter.check_key(&principal.actor.label()).map_err(|wait| {
        let seconds = wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests of this key")
            .with_hint(format!("the next one is taken in {seconds} s; `rate_limit` in config.toml says how many"))
            .retry_after_s(seconds)
    })
}
