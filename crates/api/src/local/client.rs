//! Talks to an owner in another process.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use skep_node::DataDir;

use super::desk::WAIT_MS_MAX;
use super::socket;
use crate::wire::{Call, Class, Failure, Needs, Ping, Pong, Stop, Stopping};

/// An owner that says nothing for this long, beyond the wait that was asked for, hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Why a call to an owner gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens: the request was not sent.
    #[error("nobody owns the data directory: {0}")]
    NoOwner(#[source] io::Error),
    /// The owner went away before it answered.
    #[error("the owner ended before it answered: {0}")]
    Lost(String),
    /// The owner answered with a failure.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl CallError {
    /// The failure to show when there is no other way to get an answer to a call with these needs.
    pub fn into_failure(self, needs: Needs) -> Failure {
        let message = self.to_string();
        let hint = match (&self, needs) {
            (Self::Lost(_), Needs::Owner) => {
                "it may have been recorded or not: look with `skep status` before you repeat it"
            }
            (Self::Lost(_), Needs::Reading) | (Self::NoOwner(_), _) | (Self::Failure(_), _) => "try again",
        };
        match self {
            Self::Failure(failure) => failure,
            Self::NoOwner(_) | Self::Lost(_) => Failure::new("SKEP-N009", Class::Transient, message, hint),
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: Failure,
}

/// Calls the owner of one data directory; one connection per call.
#[derive(Clone, Debug)]
pub struct Client {
    directory: DataDir,
}

impl Client {
    /// A client for the owner of `directory`, if there is one now.
    ///
    /// # Errors
    /// [`CallError::NoOwner`] if nobody listens, [`CallError::Lost`] if the owner does not answer.
    pub async fn connect(directory: &DataDir) -> Result<(Self, Pong), CallError> {
        let client = Self { directory: directory.clone() };
        let pong = client.send(Method::GET, Ping::NAME, Vec::new(), ANSWER_TIMEOUT).await?;
        Ok((client, pong))
    }

    /// Performs one call.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, CallError> {
        let body = serde_json::to_vec(call).map_err(|error| CallError::Lost(error.to_string()))?;
        let patience = ANSWER_TIMEOUT + Duration::from_millis(call.wait_ms().min(WAIT_MS_MAX));
        self.send(Method::POST, C::NAME, body, patience).await
    }

    /// Asks the owner to end.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn stop(&self) -> Result<Stopping, CallError> {
        self.call(&Stop {}).await
    }

    async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        name: &str,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<A, CallError> {
        let stream = socket::connect(&self.directory).await.map_err(CallError::NoOwner)?;
        let exchange = exchange(stream, method, name, body);
        let (ok, bytes) = match tokio::time::timeout(patience, exchange).await {
            Ok(answer) => answer.map_err(|error| CallError::Lost(error.to_string()))?,
            Err(_) => return Err(CallError::Lost(format!("no answer within {} s", patience.as_secs()))),
        };
        if ok {
            return serde_json::from_slice(&bytes).map_err(|error| CallError::Failure(strange_answer(name, &error)));
        }
        match serde_json::from_slice::<Refusal>(&bytes) {
            Ok(refusal) => Err(CallError::Failure(refusal.error)),
            Err(error) => Err(CallError::Failure(strange_answer(name, &error))),
        }
    }
}

/// Sends one request and reads the whole answer; true if it succeeded.
async fn exchange(
    stream: tokio::net::UnixStream,
    method: Method,
    name: &str,
    body: Vec<u8>,
) -> Result<(bool, Bytes), hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = method;
    *request.uri_mut() = format!("/v1/{name}").parse().expect("a route is a plain path");
    request.headers_mut().insert("host", hyper::header::HeaderValue::from_static("skep"));
    let response = sender.send_request(request).await?;
    let ok = response.status().is_success();
    let bytes = response.into_body().collect().await?.to_bytes();
    driver.abort();
    Ok((ok, bytes))
}

fn strange_answer(name: &str, error: &serde_json::Error) -> Failure {
    Failure::new(
        "SKEP-N010",
        Class::Transient,
        format!("the owner's answer to `{name}` is not understood: {error}"),
        "the owner is of another version: end it with `skep serve --stop`",
    )
}
