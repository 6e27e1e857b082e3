//! The table of endpoints: method, path, the right that it needs, and what answers.

use std::future::Future;
use std::pin::Pin;

use axum::http::Method;
use skep_model::access::Right;

use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::{health, metrics, v1};

type Answering = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// An endpoint.
pub struct Endpoint {
    pub method: Method,
    pub path: &'static str,
    /// `None`: everybody may.
    pub right: Option<Right>,
    pub handler: Box<dyn Fn(Asked) -> Answering + Send + Sync>,
}

fn row<F, Fut>(method: Method, path: &'static str, right: impl Into<Option<Right>>, handler: F) -> Endpoint
where
    F: Fn(Asked) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    Endpoint { method, path, right: right.into(), handler: Box::new(move |asked| Box::pin(handler(asked))) }
}

/// All endpoints.
pub fn all() -> Vec<Endpoint> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        row(get.clone(), "/health", None, health::health),
        row(get.clone(), "/ready", None, health::ready),
        row(get.clone(), "/metrics", Right::Read, metrics::metrics),
        row(post.clone(), "/api/v1/workflows/execute", Right::Run, v1::execute::execute),
        row(get.clone(), "/api/v1/workflows/executions", Right::Read, v1::executions::list),
        row(get.clone(), "/api/v1/workflows/executions/{execution_id}", Right::Read, v1::executions::get),
        row(post.clone(), "/api/v1/workflows/executions/{execution_id}/cancel", Right::Run, v1::executions::cancel),
        row(post.clone(), "/api/v1/workflows/executions/{execution_id}/rollback", Right::Run, v1::rollback::begin),
        row(
            get.clone(),
            "/api/v1/workflows/executions/{execution_id}/rollback-points",
            Right::Read,
            v1::rollback::points,
        ),
        row(get.clone(), "/api/v1/workflows/rollbacks/{rollback_id}", Right::Read, v1::rollback::status),
        row(get.clone(), "/api/v1/workflows/templates", Right::Read, v1::templates::list),
        row(post.clone(), "/api/v1/workflows/templates", Right::Edit, v1::templates::create),
        row(get.clone(), "/api/v1/workflows/templates/{*template_id}", Right::Read, v1::templates::get),
        row(post.clone(), "/api/v1/workflows/suggest", Right::Read, v1::suggest::suggest),
        row(get, "/api/v1/workflows/analytics", Right::Read, v1::analytics::analytics),
        row(post, "/api/v1/workflows/validate", Right::Read, v1::validate::validate),
    ]
}
