//! What an endpoint answers, and what it refuses with.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::wire::{Failure, Report};

/// An answer.
#[derive(Debug)]
pub enum Answer {
    Json { status: StatusCode, body: Value },
    Text { content_type: &'static str, body: String },
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self::Json { status: StatusCode::OK, body }
    }

    pub fn created(body: Value) -> Self {
        Self::Json { status: StatusCode::CREATED, body }
    }

    pub fn text(content_type: &'static str, body: String) -> Self {
        Self::Text { content_type, body }
    }

    pub fn into_response(self) -> Response {
        match self {
            Self::Json { status, body } => json_response(status, &body),
            Self::Text { content_type, body } => response(StatusCode::OK, content_type, body),
        }
    }
}

/// Why an endpoint does not do what it was asked: `{"detail": .., "code": .., "hint": ..}`.
#[derive(Debug)]
pub struct Refusal(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    detail: Value,
    code: Option<String>,
    hint: Option<String>,
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::of(status, Value::String(detail.into()))
    }

    fn of(status: StatusCode, detail: Value) -> Self {
        Self(Box::new(Parts { status, detail, code: None, hint: None, retry_after_s: None }))
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into()).filter(|hint: &String| !hint.is_empty());
        self
    }

    pub fn coded(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// The request itself is wrong.
    pub fn bad(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail).with_hint(hint)
    }

    /// A definition that is not valid, with all that is wrong with it.
    pub fn of_report(status: StatusCode, message: String, report: &Report) -> Self {
        let detail = json!({ "message": message, "errors": report.errors, "warnings": report.warnings });
        Self::of(status, detail)
    }

    /// What does not fit the state that things are in is a bad request in seed 000.
    pub fn into_bad_request(mut self) -> Self {
        if self.0.status == StatusCode::CONFLICT {
            self.0.status = StatusCode::BAD_REQUEST;
        }
        self
    }

    pub fn into_response(self) -> Response {
        let Parts { status, detail, code, hint, retry_after_s } = *self.0;
        let mut body = json!({ "detail": detail });
        if let Some(code) = code {
            body["code"] = code.into();
        }
        if let Some(hint) = hint {
            body["hint"] = hint.into();
        }
        let mut response = json_response(status, &body);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A definition that cannot be started answers with all that is wrong with it.
impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let status = StatusCode::from_u16(failure.class.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = match &failure.report {
            Some(report) => json!({ "message": failure.message, "errors": report.errors, "warnings": report.warnings }),
            None => Value::String(failure.message),
        };
        Self::of(status, detail).coded(failure.code).with_hint(failure.hint.unwrap_or_default())
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    response(status, "application/json", body.to_string())
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
