//! Serves an owner on its socket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use skep_model::actor::Actor;
use skep_node::{DataDir, Node};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::net::unix::UCred;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::desk::{Desk, Perform, attend};
use super::person::{Asker, Caller, name_of};
use super::socket;
use crate::wire;
use crate::wire::{Class, Failure};

/// Bytes of a request's body. A definition has at most 1 MiB, and its text grows when it becomes a JSON string.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a caller may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long open connections may take to end when the owner ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause after an accept that failed for lack of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    requests: Arc<watch::Sender<usize>>,
    stop: Arc<watch::Sender<bool>>,
    closing: Arc<watch::Sender<bool>>,
}

/// An owner's open door. Dropping it closes at once; [`Server::close`] lets callers have their answers.
pub struct Server {
    shared: Shared,
    directory: DataDir,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens on the socket of the owner's data directory and answers from now on.
    ///
    /// # Errors
    /// A [`Failure`] if the socket cannot be bound.
    pub fn start(node: &Arc<Node>) -> Result<Self, Failure> {
        Self::open(Arc::new(Desk::Owner(Arc::clone(node), Asker::own())), node.directory().clone())
    }

    pub(super) fn open(desk: Arc<Desk>, directory: DataDir) -> Result<Self, Failure> {
        let listener = socket::bind(&directory).map_err(|error| {
            let message = format!("listening on {} failed: {error}", directory.socket().display());
            Failure::new("SKEP-T017", Class::Transient, message, "check the owner and the mode of the data directory")
        })?;
        let shared = Shared {
            desk,
            requests: Arc::new(watch::Sender::new(0)),
            stop: Arc::new(watch::Sender::new(false)),
            closing: Arc::new(watch::Sender::new(false)),
        };
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { shared, directory, task })
    }

    /// What it answers with, for callers in this process.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.shared.desk
    }

    /// True once somebody asked the owner to end.
    pub fn stop_asked(&self) -> watch::Receiver<bool> {
        self.shared.stop.subscribe()
    }

    /// How many requests are being answered.
    pub fn requests(&self) -> watch::Receiver<usize> {
        self.shared.requests.subscribe()
    }

    /// True once it closes.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.shared.closing.subscribe()
    }

    /// Takes the socket away, gives those who wait what there is, and ends. The lock must still be held.
    pub async fn close(self) {
        socket::remove(&self.directory);
        self.shared.closing.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the socket's task panicked");
        }
    }
}

async fn accept(listener: UnixListener, shared: Shared) {
    let own_uid = rustix::process::getuid().as_raw();
    let mut closing = shared.closing.subscribe();
    let mut connections = JoinSet::new();
    let router = router(shared.clone());
    loop {
        tokio::select! {
            () = closed(&mut closing) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let peer = stream.peer_cred().ok();
                    let same_user = peer.as_ref().is_some_and(|peer| peer.uid() == own_uid);
                    let caller = peer.as_ref().map_or_else(Caller::own, Caller::of);
                    let router = if same_user { router.clone() } else { refuse(&shared.desk, peer) };
                    let service = Attributed::new(router, caller);
                    connections.spawn(serve(stream, service, shared.closing.subscribe()));
                }
                Err(error) => {
                    tracing::warn!("accepting a connection failed: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSE_TIMEOUT, all_ended).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
}

/// A router whose requests say who, or what, sent them.
pub struct Attributed<Sender> {
    router: TowerToHyperService<Router>,
    sender: Sender,
}

impl<Sender> Attributed<Sender> {
    /// All requests to `router` are of this sender.
    pub fn new(router: Router, sender: Sender) -> Self {
        Self { router: TowerToHyperService::new(router), sender }
    }
}

impl<Sender: Clone + Send + Sync + 'static> hyper::service::Service<hyper::Request<Incoming>> for Attributed<Sender> {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as hyper::service::Service<hyper::Request<Incoming>>>::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.sender.clone());
        self.router.call(request)
    }
}

/// Answers a connection until it ends, or until `closing` turns true and its callers have their answers.
pub async fn serve<Io, Service>(stream: Io, service: Service, mut closing: watch::Receiver<bool>)
where
    Io: AsyncRead + AsyncWrite + Unpin,
    Service: hyper::service::Service<hyper::Request<Incoming>, Response = Response, Error = std::convert::Infallible>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended early: {error}");
    }
}

fn router(shared: Shared) -> Router {
    let router = Router::new().route("/v1/ping", get(ping)).route("/v1/stop", post(stop));
    let router = route::<wire::Start>(router);
    let router = route::<wire::DryRun>(router);
    let router = route::<wire::Cancel>(router);
    let router = route::<wire::Pause>(router);
    let router = route::<wire::Resume>(router);
    let router = route::<wire::Signal>(router);
    let router = route::<wire::Approve>(router);
    let router = route::<wire::Reject>(router);
    let router = route::<wire::Input>(router);
    let router = route::<wire::Status>(router);
    let router = route::<wire::Execution>(router);
    let router = route::<wire::List>(router);
    let router = route::<wire::Interrupted>(router);
    let router = route::<wire::Follow>(router);
    let router = route::<wire::Logs>(router);
    let router = route::<wire::Replay>(router);
    let router = route::<wire::AddWorkflow>(router);
    let router = route::<wire::ListWorkflows>(router);
    let router = route::<wire::ShowWorkflow>(router);
    let router = route::<wire::WorkflowVersions>(router);
    let router = route::<wire::ValidateWorkflow>(router);
    let router = route::<wire::ValidateText>(router);
    let router = route::<wire::ValidationsOf>(router);
    let router = route::<wire::RemoveWorkflow>(router);
    let router = route::<wire::Rerun>(router);
    let router = route::<wire::Decisions>(router);
    let router = route::<wire::DecisionStats>(router);
    let router = route::<wire::DecisionRules>(router);
    let router = route::<wire::Orphans>(router);
    let router = route::<wire::Recover>(router);
    let router = route::<wire::Rollback>(router);
    let router = route::<wire::Checkpoint>(router);
    let router = route::<wire::Undone>(router);
    let router = route::<wire::RollbackPoints>(router);
    let router = route::<wire::RollbackPlan>(router);
    let router = route::<wire::RollbackStatus>(router);
    let router = route::<wire::Prune>(router);
    let router = route::<wire::PassAudit>(router);
    let router = route::<wire::BackupMade>(router);
    let router = access_routes(router);
    router.fallback(unknown_route).with_state(shared)
}

fn access_routes(router: Router<Shared>) -> Router<Shared> {
    let router = route::<wire::CreateKey>(router);
    let router = route::<wire::ListKeys>(router);
    let router = route::<wire::RevokeKey>(router);
    let router = route::<wire::CreateUser>(router);
    let router = route::<wire::ListUsers>(router);
    let router = route::<wire::DisableUser>(router);
    route::<wire::SetPassword>(router)
}

fn route<C: Perform>(router: Router<Shared>) -> Router<Shared> {
    router.route(&format!("/v1/{}", C::NAME), post(answer::<C>))
}

async fn answer<C: Perform>(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let _counted = Counted::new(&shared.requests);
    let call = match read::<C>(request).await {
        Ok(call) => call,
        Err(failure) => return refusal(&failure),
    };
    match attend(&shared.desk.asked_by(Asker::Process(caller)), call, shared.closing.subscribe()).await {
        Ok(answer) => json(200, &answer),
        Err(failure) => refusal(&failure),
    }
}

async fn read<C: Perform>(request: Request) -> Result<C, Failure> {
    let bad = |message: String| {
        Failure::new("SKEP-N010", Class::User, message, "use the `skep` of the same version as the owner")
    };
    let limit_hint = || Some(format!("a request has at most {BODY_BYTES_MAX} bytes"));
    // What says beforehand that it is too large is not waited for.
    if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(Failure { hint: limit_hint(), ..bad(format!("the request to `{}` is too large", C::NAME)) });
    }
    let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX);
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            let message = format!("the request to `{}` could not be read: {error}", C::NAME);
            return Err(Failure { hint: limit_hint(), ..bad(message) });
        }
        Err(_) => return Err(bad(format!("the request to `{}` took too long to arrive", C::NAME))),
    };
    serde_json::from_slice(&bytes).map_err(|error| bad(format!("the request to `{}` is wrong: {error}", C::NAME)))
}

async fn ping() -> Response {
    json(200, &wire::Pong { version: env!("CARGO_PKG_VERSION").to_owned(), pid: std::process::id() })
}

async fn stop(State(shared): State<Shared>) -> Response {
    shared.stop.send_replace(true);
    json(200, &wire::Stopping { pid: std::process::id() })
}

async fn unknown_route(request: Request) -> Response {
    let message = format!("the owner has no route {} {}", request.method(), request.uri().path());
    refusal(&Failure::new(
        "SKEP-N010",
        Class::NotFound,
        message,
        "the owner is of another version: end it with `skep serve --stop`",
    ))
}

/// Another user's process: the audit says that it was here.
fn refuse(desk: &Desk, peer: Option<UCred>) -> Router {
    if let Desk::Owner(node, _) = desk {
        let name = peer.map_or_else(|| "unknown".to_owned(), |peer| name_of(peer.uid()));
        let pid = peer.and_then(|peer| peer.pid()).map_or_else(String::new, |pid| format!(" pid={pid}"));
        let source = peer.map_or_else(|| "unix".to_owned(), |peer| format!("unix uid={}{pid}", peer.uid()));
        node.record_refusal(Actor::person(name), source);
    }
    refusing_router()
}

/// Says no to whatever another user asks.
fn refusing_router() -> Router {
    Router::new().fallback(async || {
        let failure = Failure::new(
            "SKEP-N010",
            Class::Conflict,
            "this data directory is owned by another user",
            "use a data directory of your own: `--data-dir DIR` or SKEP_DATA_DIR",
        );
        json(403, &serde_json::json!({ "error": failure }))
    })
}

fn refusal(failure: &Failure) -> Response {
    json(failure.class.http_status(), &serde_json::json!({ "error": failure }))
}

fn json<T: Serialize>(status: u16, value: &T) -> Response {
    let bytes = serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!("an answer could not be written as JSON: {error}");
        Vec::new()
    });
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Counts a request for as long as it is being answered.
struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn new(requests: &Arc<watch::Sender<usize>>) -> Self {
        requests.send_modify(|count| *count += 1);
        Self(Arc::clone(requests))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Waits until the door closes.
/// Comes back when `closing` turns true.
pub async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, which is the same to whoever waits.
    let _ = closing.wait_for(|closing| *closing).await.is_ok();
}
