//! Listens on TCP, lets callers in, and hands their requests to the endpoints.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use skep_model::Map;
use skep_model::access::Principal;
use skep_node::Node;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::Refusal;
use super::asked::{Asked, BODY_BYTES_MAX, BODY_TIMEOUT};
use super::caller::Door;
use super::routes::{self, Endpoint};
use crate::local::{Asker, Attributed, Desk, closed, serve};
use crate::wire::{Class, Failure};

/// How long open connections may take to end when the owner ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause after an accept that failed for lack of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where it listens, and whom it lets in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// At least one.
    pub addresses: Vec<SocketAddr>,
    /// Everybody who reaches it is this caller; `None`: whoever has a key.
    pub open: Option<Principal>,
    /// Requests per minute and key; `None`: any number.
    pub per_minute: Option<NonZeroU32>,
}

/// The open TCP faces of an owner.
pub struct Server {
    addresses: Vec<SocketAddr>,
    closing: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

struct Shared {
    node: Arc<Node>,
    desk: Arc<Desk>,
    door: Door,
    closing: watch::Receiver<bool>,
}

impl Server {
    /// Listens and answers from now on.
    ///
    /// # Errors
    /// An address that cannot be bound; none is open then.
    pub async fn start(node: &Arc<Node>, settings: Settings) -> Result<Self, Failure> {
        let mut listeners = Vec::new();
        for address in &settings.addresses {
            let bound = TcpListener::bind(address).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
            listeners.push(bound.map_err(|error| unbound(*address, &error))?);
        }
        let closing = watch::Sender::new(false);
        let shared = Arc::new(Shared {
            node: Arc::clone(node),
            desk: Arc::new(Desk::Owner(Arc::clone(node), Asker::own())),
            door: settings.open.map_or_else(|| Door::keys(settings.per_minute), Door::Open),
            closing: closing.subscribe(),
        });
        let router = router(&shared);
        let (mut tasks, mut addresses) = (JoinSet::new(), Vec::new());
        for (address, listener) in listeners {
            addresses.push(address);
            tasks.spawn(accept(listener, router.clone(), closing.subscribe()));
        }
        Ok(Self { addresses, closing, tasks })
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes no more connections, lets callers have their answers, and ends.
    pub async fn close(mut self) {
        self.closing.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if ended.is_err() {
                tracing::error!("a listener panicked");
            }
        }
    }
}

fn unbound(address: SocketAddr, error: &std::io::Error) -> Failure {
    let message = format!("listening on {address} failed: {error}");
    Failure::new("SKEP-T018", Class::Conflict, message, "choose another address with `--listen`, or `--listen off`")
}

async fn accept(listener: TcpListener, router: Router, mut closing: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closed(&mut closing) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // An answer is one write: waiting to fill a packet only delays it.
                    drop(stream.set_nodelay(true));
                    let service = Attributed::new(router.clone(), peer);
                    connections.spawn(serve(stream, service, closing.clone()));
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

fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for endpoint in routes::all() {
        router = router.route(endpoint.path, method_of(Arc::new(endpoint)));
    }
    let unknown = async |request: Request| {
        Refusal::new(StatusCode::NOT_FOUND, format!("there is no {}", request.uri().path())).into_response()
    };
    let not_so = async |request: Request| {
        let detail = format!("{} does not take {}", request.uri().path(), request.method());
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
    };
    router.fallback(unknown).method_not_allowed_fallback(not_so).with_state(Arc::clone(shared))
}

fn method_of(endpoint: Arc<Endpoint>) -> MethodRouter<Arc<Shared>> {
    let filter = MethodFilter::try_from(endpoint.method.clone()).unwrap_or(MethodFilter::GET);
    on(filter, move |State(shared): State<Arc<Shared>>, params: RawPathParams, query: QueryOf, request: Request| {
        let endpoint = Arc::clone(&endpoint);
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        async move {
            match answer(&shared, &endpoint, params, query, request).await {
                Ok(response) => response,
                Err(refusal) => refusal.into_response(),
            }
        }
    })
}

type QueryOf = Result<Query<Map<String>>, axum::extract::rejection::QueryRejection>;

async fn answer(
    shared: &Arc<Shared>,
    endpoint: &Endpoint,
    params: Map<String>,
    query: QueryOf,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let principal = match endpoint.right {
        Some(right) => {
            let peer = parts.extensions.get::<SocketAddr>().copied();
            let principal = shared.door.let_in(&shared.node, &parts.headers, peer).await?;
            // What concerns one workflow is checked by the endpoint, once it knows which.
            if !principal.may_somewhere(right) {
                return Err(principal.check(right, None).err().map_or_else(
                    || Refusal::new(StatusCode::FORBIDDEN, "not allowed"),
                    |denial| Refusal::new(StatusCode::FORBIDDEN, denial.to_string()),
                ));
            }
            principal
        }
        None => Principal { actor: Asker::own().actor(), grants: Vec::new() },
    };
    let Query(query) = query.map_err(|error| Refusal::bad(format!("the query cannot be read: {error}"), ""))?;
    let asked = Asked {
        desk: Arc::clone(&shared.desk),
        closing: shared.closing.clone(),
        principal,
        right: endpoint.right.unwrap_or(skep_model::access::Right::Read),
        params,
        query,
        headers: parts.headers,
        body: whole(body).await?,
    };
    Ok((endpoint.handler)(asked).await?.into_response())
}

async fn whole(body: axum::body::Body) -> Result<Bytes, Refusal> {
    use hyper::body::Body as _;
    let too_large =
        || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {BODY_BYTES_MAX} bytes"));
    // What says beforehand that it is too large is not waited for.
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request took too long to arrive")),
    }
}
