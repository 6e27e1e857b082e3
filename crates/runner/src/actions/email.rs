//! `email`: one message through the owner's mail server.

use std::time::Duration;

use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as SmtpTls, TlsParameters};
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Message, Transport};
use serde::Deserialize;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Action;
use skep_model::error::{Failure, Kind};

use super::context::{Context, Result};
use crate::codes;
use crate::config::{Smtp, Tls};

/// How long one answer of the server may take if the step names no `timeout`.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    to: Value,
    #[serde(default)]
    cc: Value,
    #[serde(default)]
    bcc: Value,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    reply_to: Option<String>,
    subject: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    html: Option<String>,
}

pub(super) fn entry() -> Action {
    let addresses = json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    Action {
        summary: "Send an e-mail through the owner's mail server".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "to": addresses, "cc": addresses, "bcc": addresses,
                "from": {"type": "string", "description": "default: the one of the owner's configuration"},
                "reply_to": {"type": "string"},
                "subject": {"type": "string"},
                "text": {"type": "string"},
                "html": {"type": "string", "description": "with `text`: the reader's program chooses"},
            },
            "required": ["to", "subject"],
            "anyOf": [{"required": ["text"]}, {"required": ["html"]}],
            "additionalProperties": false,
        }),
        outputs: ["message_id", "recipients"].map(str::to_owned).to_vec(),
        read_only: false,
    }
}

pub(super) fn perform(context: &Context) -> Result {
    let arguments: Arguments = context.arguments()?;
    let smtp = context.config.smtp.as_ref().ok_or_else(not_configured)?;
    let message = message(context, &arguments, smtp)?;
    let recipients: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
    let transport = transport(context, smtp)?;
    transport.send(&message).map_err(|problem| failure(smtp, &problem))?;
    Ok(Map::from_iter([
        ("message_id".to_owned(), Value::String(message_id(context))),
        ("recipients".to_owned(), json!(recipients)),
    ]))
}

fn not_configured() -> Failure {
    Failure::new(
        Kind::NotFound,
        codes::EMAIL_NOT_CONFIGURED,
        "this owner has no mail server in its configuration, so no e-mail was sent",
    )
    .with_hint("add `smtp` (host, port, tls, login) to the configuration of the owner and start it again")
}

/// The same for all attempts, so that mail programs show a repeated message once.
fn message_id(context: &Context) -> String {
    let key: String = context
        .task
        .idempotency_key()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '.' })
        .collect();
    format!("<{key}@skep>")
}

fn message(context: &Context, arguments: &Arguments, smtp: &Smtp) -> std::result::Result<Message, Failure> {
    let from = arguments.from.as_ref().or(smtp.from.as_ref());
    let from = from.ok_or_else(|| context.invalid("there is no `from`, here or in the owner's configuration"))?;
    let mut builder = Message::builder()
        .from(mailbox(from)?)
        .subject(arguments.subject.clone())
        .message_id(Some(message_id(context)));
    if let Some(reply_to) = &arguments.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    builder = add_all(context, builder, &arguments.to, MessageBuilder::to)?;
    builder = add_all(context, builder, &arguments.cc, MessageBuilder::cc)?;
    builder = add_all(context, builder, &arguments.bcc, MessageBuilder::bcc)?;
    let built = match (&arguments.text, &arguments.html) {
        (Some(text), Some(html)) => builder.multipart(MultiPart::alternative_plain_html(text.clone(), html.clone())),
        (Some(text), None) => builder.singlepart(lettre::message::SinglePart::plain(text.clone())),
        (None, Some(html)) => builder.singlepart(lettre::message::SinglePart::html(html.clone())),
        (None, None) => return Err(context.invalid("give `text`, `html` or both")),
    };
    built.map_err(|problem| context.invalid(&problem.to_string()))
}

fn add_all(
    context: &Context,
    builder: MessageBuilder,
    addresses: &Value,
    add: fn(MessageBuilder, Mailbox) -> MessageBuilder,
) -> std::result::Result<MessageBuilder, Failure> {
    let list = match addresses {
        Value::Null => &[][..],
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().try_fold(builder, |builder, address| {
        let text = address.as_str().ok_or_else(|| context.invalid("an address is text"))?;
        Ok(add(builder, mailbox(text)?))
    })
}

fn mailbox(text: &str) -> std::result::Result<Mailbox, Failure> {
    text.parse().map_err(|problem| {
        Failure::new(Kind::Invalid, codes::EMAIL_ADDRESS, format!("{text:?} is not a mail address: {problem}"))
            .with_hint("write name@example.org or \"A Name <name@example.org>\"")
    })
}

fn transport(context: &Context, smtp: &Smtp) -> std::result::Result<SmtpTransport, Failure> {
    let parameters = || TlsParameters::new_rustls(smtp.host.clone()).map_err(|problem| failure(smtp, &problem));
    let tls = match smtp.tls {
        Tls::None => SmtpTls::None,
        Tls::StartTls => SmtpTls::Required(parameters()?),
        Tls::Wrapped => SmtpTls::Wrapper(parameters()?),
    };
    let timeout = context.task.timeout_ms.map_or(ANSWER_TIMEOUT, Duration::from_millis);
    let mut builder = SmtpTransport::builder_dangerous(&smtp.host).port(smtp.port).tls(tls).timeout(Some(timeout));
    if let Some(login) = &smtp.login {
        builder = builder.credentials(Credentials::new(login.username.clone(), login.password.clone()));
    }
    Ok(builder.build())
}

fn failure(smtp: &Smtp, problem: &Error) -> Failure {
    let message = format!("the mail server {}:{} did not take the message: {problem}", smtp.host, smtp.port);
    let status = problem.status().map(|status| status.to_string());
    let (kind, hint) = match status.as_deref() {
        Some("530" | "534" | "535" | "538") => {
            (Kind::Permission, "see user name and password in the owner's configuration")
        }
        Some(_) if problem.is_permanent() => (Kind::Invalid, "the server refuses this sender, recipient or content"),
        Some(_) => (Kind::Unavailable, "the server cannot take it now; a `retry` may help"),
        None if problem.is_timeout() => (Kind::Timeout, "the server is slow; a `retry` may help"),
        None if problem.is_tls() => {
            (Kind::Permission, "see the server's certificate and `tls` in the owner's configuration")
        }
        None => (Kind::Network, "see host, port and `tls` in the owner's configuration"),
    };
    Failure::new(kind, codes::EMAIL_REFUSED, message).with_hint(hint)
}

#[cfg(test)]
mod tests;
