//! `http`: one request and its response.
//!
//! It sends the step's idempotency key, so that a server that knows such keys does the work of a repeated request
//! once. Credentials come from the owner's configuration by name. Proxies of the environment are ignored: a
//! workflow must not depend on who started the node.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Action;
use skep_model::error::Failure;
use skep_model::limits::{HTTP_BODY_BYTES_MAX, HTTP_TIMEOUT_MS};

use super::context::{Context, Result};
use super::http_failure::{self as failure, Answer};
use crate::config::Credential;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    #[serde(default)]
    method: Option<String>,
    url: String,
    #[serde(default)]
    query: Map<Value>,
    #[serde(default)]
    headers: Map<Value>,
    #[serde(default)]
    json: Option<Value>,
    #[serde(default)]
    form: Option<Map<Value>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    timeout: Option<Value>,
    #[serde(default)]
    expected_status: Option<Value>,
    #[serde(default)]
    max_bytes: Option<usize>,
    #[serde(default)]
    follow_redirects: Option<bool>,
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    ca_file: Option<String>,
}

pub(super) fn entry() -> Action {
    let scalar = json!({"type": ["string", "number", "boolean", "null"]});
    let status = json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]{3}(-[0-9]{3})?$"}]});
    Action {
        summary: "Send an HTTP request".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "method": {"type": "string", "default": "GET"},
                "url": {"type": "string", "description": "http or https"},
                "query": {"type": "object", "additionalProperties": scalar},
                "headers": {"type": "object", "additionalProperties": scalar},
                "json": {"description": "body, sent as JSON"},
                "form": {"type": "object", "additionalProperties": scalar, "description": "body, sent as a form"},
                "body": {"type": "string", "description": "body, sent as it is"},
                "timeout": {"type": ["string", "number"], "default": "30s", "description": "duration; a number is seconds"},
                "expected_status": {"anyOf": [status, {"type": "array", "items": status}], "default": "200-299"},
                "max_bytes": {"type": "integer", "minimum": 0, "default": HTTP_BODY_BYTES_MAX, "description": "of the response"},
                "follow_redirects": {"type": "boolean", "default": true, "description": "at most 10; default false with `auth` in a header of its own"},
                "auth": {"type": "string", "description": "name of a credential in the owner's configuration"},
                "ca_file": {"type": "string", "description": "PEM file of further certificate authorities"},
            },
            "required": ["url"],
            "additionalProperties": false,
        }),
        outputs: ["status", "headers", "body", "json"].map(str::to_owned).to_vec(),
        read_only: false,
    }
}

/// Sends the request; the time of the whole exchange is bounded.
pub(crate) async fn perform(context: Context) -> Result {
    let arguments: Arguments = context.arguments()?;
    let limit_ms = timeout_ms(&context, &arguments)?;
    let exchange = exchange(&context, &arguments);
    match tokio::time::timeout(Duration::from_millis(limit_ms), exchange).await {
        Ok(result) => result,
        Err(_) => Err(failure::timeout(&arguments.url, limit_ms)),
    }
}

async fn exchange(context: &Context, arguments: &Arguments) -> Result {
    let client = client(context, arguments)?;
    let request = request(context, arguments, &client)?;
    let mut response = request.send().await.map_err(|problem| failure::transport(&arguments.url, &problem))?;
    let limit = arguments.max_bytes.unwrap_or(HTTP_BODY_BYTES_MAX);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|problem| failure::transport(&arguments.url, &problem))? {
        if body.len() + chunk.len() > limit {
            return Err(failure::too_large(&arguments.url, limit));
        }
        body.extend_from_slice(&chunk);
    }
    let answer =
        Answer { url: &arguments.url, status: response.status().as_u16(), headers: response.headers(), body: &body };
    if !is_expected(context, arguments, answer.status)? {
        return Err(answer.failure());
    }
    Ok(outputs(&response, &body))
}

fn client(context: &Context, arguments: &Arguments) -> std::result::Result<Client, Failure> {
    // Standard credentials do not follow to another host; a header of one's own would.
    let own_header = matches!(credential(context, arguments)?, Some(Credential::Header { .. }));
    let follows = arguments.follow_redirects.unwrap_or(!own_header);
    let ca_file = arguments.ca_file.as_deref().map(|path| context.path(path)).transpose()?;
    context.clients.get(follows, ca_file.as_deref())
}

fn request(context: &Context, arguments: &Arguments, client: &Client) -> std::result::Result<RequestBuilder, Failure> {
    let has_body = arguments.json.is_some() || arguments.form.is_some() || arguments.body.is_some();
    let method = arguments.method.as_deref().unwrap_or(if has_body { "POST" } else { "GET" }).to_uppercase();
    let method =
        Method::from_bytes(method.as_bytes()).map_err(|_| context.invalid("`method` is not an HTTP method"))?;
    let url =
        Url::parse(&arguments.url).map_err(|problem| context.invalid(&format!("`url` is not a URL: {problem}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(context.invalid("`url` begins with http:// or https://"));
    }
    let mut request = client.request(method, url).headers(headers(context, arguments)?);
    if !arguments.query.is_empty() {
        request = request.query(&pairs(&arguments.query));
    }
    request = with_body(context, arguments, request)?;
    Ok(match credential(context, arguments)? {
        None => request,
        Some(Credential::Bearer(token)) => request.bearer_auth(token),
        Some(Credential::Basic(login)) => request.basic_auth(&login.username, Some(&login.password)),
        Some(Credential::Header { name, value }) => request.header(name, value),
    })
}

fn with_body(
    context: &Context,
    arguments: &Arguments,
    request: RequestBuilder,
) -> std::result::Result<RequestBuilder, Failure> {
    // A content type among the headers wins over the one that the kind of body suggests.
    let typed = arguments.headers.keys().any(|name| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
    match (&arguments.json, &arguments.form, &arguments.body) {
        (None, None, None) => Ok(request),
        (Some(json), None, None) if typed => Ok(request.body(json.to_string())),
        (Some(json), None, None) => Ok(request.json(json)),
        (None, Some(form), None) => Ok(request.form(&pairs(form))),
        (None, None, Some(body)) => Ok(request.body(body.clone())),
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            Err(context.invalid("`json`, `form` and `body` exclude each other"))
        }
    }
}

fn headers(context: &Context, arguments: &Arguments) -> std::result::Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("idempotency-key"), value(context, &context.task.idempotency_key())?);
    for (name, text) in pairs(&arguments.headers) {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| context.invalid(&format!("{name:?} is not the name of a header")))?;
        headers.insert(name, value(context, &text)?);
    }
    Ok(headers)
}

fn value(context: &Context, text: &str) -> std::result::Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| context.invalid("a header's value has characters that no header may have"))
}

fn credential<'a>(context: &'a Context, arguments: &Arguments) -> std::result::Result<Option<&'a Credential>, Failure> {
    let Some(name) = &arguments.auth else { return Ok(None) };
    let known = &context.config.http_credentials;
    known.get(name).map(Some).ok_or_else(|| failure::no_credential(name, known.keys()))
}

/// Values as text; null ones are left out.
fn pairs(values: &Map<Value>) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    values.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

fn timeout_ms(context: &Context, arguments: &Arguments) -> std::result::Result<u64, Failure> {
    let own = match &arguments.timeout {
        None => return Ok(context.task.timeout_ms.unwrap_or(HTTP_TIMEOUT_MS)),
        Some(Value::Number(seconds)) => seconds.as_f64().map(|seconds| (seconds * 1_000.0) as u64),
        Some(Value::String(text)) => duration_ms(text),
        Some(_) => None,
    };
    own.filter(|ms| *ms > 0).ok_or_else(|| context.invalid("`timeout` is a duration such as 500ms, 10s or 5m"))
}

/// Milliseconds of `300ms 10s 5m 8h 3d`.
fn duration_ms(text: &str) -> Option<u64> {
    let split = text.find(|character: char| !character.is_ascii_digit())?;
    let count: u64 = text[..split].parse().ok()?;
    let unit = match &text[split..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(unit)
}

/// True if `status` is one that the step expects: a number, a range as text, or a list of these.
fn is_expected(context: &Context, arguments: &Arguments, status: u16) -> std::result::Result<bool, Failure> {
    let wanted = match &arguments.expected_status {
        None => return Ok((200..300).contains(&status)),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    for want in wanted {
        let (low, high) = range(want)
            .ok_or_else(|| context.invalid("`expected_status` holds numbers and ranges such as \"200-299\""))?;
        if (low..=high).contains(&status) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn range(want: &Value) -> Option<(u16, u16)> {
    match want {
        Value::Number(number) => number.as_u64().and_then(|code| u16::try_from(code).ok()).map(|code| (code, code)),
        Value::String(text) => match text.split_once('-') {
            Some((low, high)) => Some((low.trim().parse().ok()?, high.trim().parse().ok()?)),
            None => text.parse().ok().map(|code| (code, code)),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn outputs(response: &Response, body: &[u8]) -> Map<Value> {
    let mut headers = serde_json::Map::new();
    for name in response.headers().keys() {
        let values: Vec<_> =
            response.headers().get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(name.as_str().to_owned(), Value::String(values.join(", ")));
    }
    Map::from_iter([
        ("status".to_owned(), json!(response.status().as_u16())),
        ("headers".to_owned(), Value::Object(headers)),
        ("body".to_owned(), Value::String(String::from_utf8_lossy(body).into_owned())),
        ("json".to_owned(), serde_json::from_slice(body).unwrap_or(Value::Null)),
    ])
}

#[cfg(test)]
mod tests;
