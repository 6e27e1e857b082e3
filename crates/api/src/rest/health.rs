//! Whether it is alive, and whether it takes work.

use axum::http::StatusCode;
use serde_json::json;
use skep_definition::moment;
use skep_node::clock;

use super::answer::{Answer, Refusal};
use super::asked::Asked;

/// It answers. Says nothing about the store.
pub async fn health(_: Asked) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({
        "status": "healthy",
        "timestamp": moment::print(clock::now()),
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

/// The store can be read, and it is not ending.
pub async fn ready(asked: Asked) -> Result<Answer, Refusal> {
    if *asked.closing.borrow() {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is ending"));
    }
    let open = asked.look(|desk| desk.reading().interrupted().map(|open| open.len())).await?;
    Ok(Answer::ok(json!({ "status": "ready", "open_executions": open })))
}
