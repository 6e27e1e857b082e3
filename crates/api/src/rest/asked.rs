//! A request whose caller is known, with what an endpoint wants of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use skep_model::Map;
use skep_model::access::{Principal, Right};
use tokio::sync::watch;

use super::answer::Refusal;
use crate::local::{Asker, Desk, Perform, attend, failure_of};
use crate::wire;

/// Bytes of a request's body: a definition has at most 1 MiB, and its text grows when it becomes a JSON string.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a caller may take to send its body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A request.
pub struct Asked {
    pub desk: Arc<Desk>,
    pub closing: watch::Receiver<bool>,
    pub principal: Principal,
    pub right: Right,
    pub params: Map<String>,
    pub query: Map<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    /// A part of the path.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The body as JSON of this shape.
    ///
    /// # Errors
    /// 422 with the place where it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let detail = format!("the body is not what this endpoint takes: {error}");
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        })
    }

    /// Whether the caller may do what this endpoint does with this workflow.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn check(&self, workflow: Option<&str>) -> Result<(), Refusal> {
        self.check_right(self.right, workflow)
    }

    /// The same for another right.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn check_right(&self, right: Right, workflow: Option<&str>) -> Result<(), Refusal> {
        self.principal.check(right, workflow).map_err(|denial| Refusal::new(StatusCode::FORBIDDEN, denial.to_string()))
    }

    /// Whether the caller may do what this endpoint does with this execution. Gives the execution's list row.
    ///
    /// # Errors
    /// 404 for an unknown one, 403 with the reason.
    pub async fn check_execution(&self, execution: &str) -> Result<wire::Row, Refusal> {
        let row = self.call(wire::Execution { execution: execution.to_owned() }).await?;
        self.check(Some(&row.workflow))?;
        Ok(row)
    }

    /// Performs a call as this caller.
    ///
    /// # Errors
    /// What it says.
    pub async fn call<C: Perform>(&self, call: C) -> Result<C::Answer, Refusal> {
        let desk = self.desk.asked_by(Asker::Known(self.principal.actor.clone()));
        Ok(attend(&desk, call, self.closing.clone()).await?)
    }

    /// Looks something up that takes a while.
    ///
    /// # Errors
    /// What the look-up says.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Desk) -> Result<T, skep_node::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        let desk = Arc::clone(&self.desk);
        let looked = tokio::task::spawn_blocking(move || look(&desk)).await;
        match looked {
            Ok(found) => found.map_err(|error| Refusal::from(failure_of(&error))),
            Err(error) => {
                tracing::error!("an endpoint panicked: {error}");
                Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server has a bug here; its log says more"))
            }
        }
    }
}
