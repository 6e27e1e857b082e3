//! The HTTP clients: made at the first request, since reading the system's certificates costs more than a start.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use skep_model::error::{Failure, Kind};

use crate::codes;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 10;
/// How long an idle connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// One client per manner of following redirects. Their connections are shared by all steps.
#[derive(Default)]
pub(crate) struct Clients {
    following: Mutex<Option<Client>>,
    staying: Mutex<Option<Client>>,
}

impl Clients {
    /// The client. One with its own certificate authorities is made anew each time, for the file may change.
    pub fn get(&self, follows: bool, ca_file: Option<&Path>) -> Result<Client, Failure> {
        if let Some(path) = ca_file {
            return build(follows, authorities(path)?);
        }
        let slot = if follows { &self.following } else { &self.staying };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = build(follows, Vec::new())?;
        *slot = Some(client.clone());
        Ok(client)
    }
}

fn build(follows: bool, authorities: Vec<Certificate>) -> Result<Client, Failure> {
    crate::install_crypto();
    let policy = if follows { Policy::limited(REDIRECTS_MAX) } else { Policy::none() };
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(policy)
        .pool_idle_timeout(IDLE_MAX)
        .user_agent(concat!("skep/", env!("CARGO_PKG_VERSION")));
    if !authorities.is_empty() {
        builder = builder.tls_certs_merge(authorities);
    }
    builder.build().map_err(|problem| {
        Failure::new(Kind::Invalid, codes::HTTP_TLS, format!("the HTTP client cannot be made: {problem}"))
            .with_hint("see whether this machine has its certificate authorities installed (ca-certificates)")
    })
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let refuse = |problem: String| {
        let message = format!("ca_file {} cannot be used: {problem}", path.display());
        Failure::new(Kind::Invalid, codes::HTTP_TLS, message).with_hint("it holds one or more certificates in PEM form")
    };
    let text = fs::read(path).map_err(|problem| refuse(problem.to_string()))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|problem| refuse(problem.to_string()))?;
    if found.is_empty() { Err(refuse("there is no certificate in it".to_owned())) } else { Ok(found) }
}
