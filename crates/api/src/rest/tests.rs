//! The face over a real owner and real connections.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use skep_model::access::{Grant, Pattern, Right, Role};
use skep_model::actor::Actor;
use skep_model::audit::EventType;
use skep_node::config::Config;
use skep_node::service::{AuditQuery, NewKey, audit_list};
use skep_node::{Node, Settings as NodeSettings};
use tempfile::TempDir;

use super::routes::{self, Endpoint};
use super::{Server, Settings};

const HELLO: &str = "name: hello\ndescription: Says hello.\ncategory: greeting\ntags: [hello, world]\nsteps: [{id: say, uses: log, with: {message: hi}}]";
const ASKS: &str = "name: asks\ndescription: Asks before it ships.\nsteps: [{id: gate, approval: {message: 'Ship?'}}, {id: ship, uses: log, with: {message: shipped}}]";

struct Face {
    node: Arc<Node>,
    address: SocketAddr,
    _place: TempDir,
    _server: Server,
    _runtime: tokio::runtime::Runtime,
}

/// The spawner is not wanted: nothing here runs a script.
fn settings_of(place: &std::path::Path) -> NodeSettings {
    NodeSettings { data_dir: place.to_owned(), config: Config::default(), spawner: None }
}

impl Face {
    fn open() -> Self {
        let place = tempfile::tempdir().unwrap();
        let node = Arc::new(Node::open(settings_of(place.path())).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let settings = Settings { addresses: vec!["127.0.0.1:0".parse().unwrap()], open: None, per_minute: None };
        let server = runtime.block_on(Server::start(&node, settings)).unwrap();
        let address = server.addresses()[0];
        for text in [HELLO, ASKS] {
            node.add_workflow(text.to_owned(), None, None, Actor::person("ada")).unwrap();
        }
        Self { node, address, _place: place, _server: server, _runtime: runtime }
    }

    fn key(&self, name: &str, grants: Vec<Grant>) -> String {
        let new = NewKey { name: name.to_owned(), grants, expires_at: None };
        let (_, secret) = self.node.create_key(new, &Actor::person("ada")).unwrap();
        secret.expose().to_owned()
    }

    fn key_of(&self, role: Role) -> String {
        self.key(role.as_str(), vec![Grant::everywhere(role)])
    }

    /// One request on a connection of its own.
    fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let key = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: skep\r\nConnection: close\r\n{key}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())))
    }

    fn text(&self, path: &str, key: &str) -> String {
        self.get(path, key).1.as_str().unwrap_or_default().to_owned()
    }

    fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, Some(key), body)
    }

    fn get(&self, path: &str, key: &str) -> (u16, Value) {
        self.ask("GET", path, Some(key), &Value::Null)
    }

    /// The execution once it is over, or waits for somebody.
    fn settled(&self, id: &str, key: &str) -> Value {
        loop {
            let (status, answer) = self.get(&format!("/api/v1/workflows/executions/{id}"), key);
            assert_eq!(status, 200, "{answer}");
            if answer["end_time"].is_string() || answer["waiting_for"].is_string() {
                return answer;
            }
            std::thread::yield_now();
        }
    }
}

fn path_of(endpoint: &Endpoint) -> String {
    endpoint.path.replace("{execution_id}", "x").replace("{rollback_id}", "x").replace("{*template_id}", "hello")
}

#[test]
fn every_endpoint_wants_a_key_and_a_role_that_may() {
    let face = Face::open();
    let keys: Vec<(Role, String)> = Role::ALL.into_iter().map(|role| (role, face.key_of(role))).collect();
    for endpoint in routes::all() {
        let (method, path) = (endpoint.method.as_str(), path_of(&endpoint));
        let ask = |key: Option<&str>| face.ask(method, &path, key, &json!({}));
        let Some(right) = endpoint.right else {
            assert_eq!(ask(None).0, 200, "{path}");
            continue;
        };
        for wrong in [None, Some("skep_wrong"), Some("your-api-key"), Some("")] {
            let (status, answer) = ask(wrong);
            assert_eq!((status, &answer["detail"]), (401, &json!("Invalid API key")), "{method} {path} {wrong:?}");
        }
        for (role, key) in &keys {
            let (status, answer) = ask(Some(key));
            let may = role.rights().contains(&right);
            assert_eq!(status == 403, !may, "{method} {path} as {role}: {status} {answer}");
            assert_ne!(status / 100, 5, "{method} {path} as {role}: {answer}");
        }
    }
}

#[test]
fn a_workflow_is_executed_and_its_id_is_good_for_everything() {
    let face = Face::open();
    let key = face.key_of(Role::Operator);
    let body = json!({"workflow_id": "hello", "validation_level": "standard", "trigger_context": {"why": "test"}});
    let (status, started) = face.post("/api/v1/workflows/execute", &key, &body);
    assert_eq!((status, &started["status"]), (200, &json!("started")), "{started}");
    let id = started["execution_id"].as_str().unwrap();
    let ended = face.settled(id, &key);
    assert_eq!(
        (&ended["status"], &ended["progress"], &ended["total_steps"]),
        (&json!("completed"), &json!(1.0), &json!(1))
    );
    assert_eq!(ended["completed_steps"], json!(["say"]));
    let (status, refused) = face.post(&format!("/api/v1/workflows/executions/{id}/cancel"), &key, &json!({}));
    assert_eq!(status, 400, "it is over: {refused}");
    assert_eq!(face.get(&format!("/api/v1/workflows/executions/{id}/rollback-points"), &key).0, 200);
    let (_, listed) = face.get("/api/v1/workflows/executions?status=completed&limit=1", &key);
    assert_eq!(listed["executions"][0]["execution_id"], json!(id));
    assert_eq!(listed["executions"][0]["started_by"], "key:operator");
    assert_eq!(face.get("/api/v1/workflows/executions?limit=0", &key).0, 400);
    assert_eq!(face.get("/api/v1/workflows/executions/nothing", &key).0, 404);
    let (_, analytics) = face.get("/api/v1/workflows/analytics", &key);
    let figures = &analytics["analytics"];
    assert_eq!((&figures["total_executions"], &figures["success_rate"]), (&json!(1), &json!(1.0)), "{figures}");
    assert_eq!(figures["template_statistics"]["greeting/hello"]["usage_count"], 1);
}

#[test]
fn auto_approve_is_only_for_keys_that_may_approve() {
    let face = Face::open();
    let body = json!({"workflow_id": "asks", "auto_approve": true});
    let (status, answer) = face.post("/api/v1/workflows/execute", &face.key_of(Role::Operator), &body);
    assert_eq!(status, 403, "{answer}");
    let both = face.key("both", vec![Grant::everywhere(Role::Operator), Grant::everywhere(Role::Approver)]);
    let (status, started) = face.post("/api/v1/workflows/execute", &both, &body);
    assert_eq!(status, 200, "{started}");
    assert_eq!(face.settled(started["execution_id"].as_str().unwrap(), &both)["status"], "completed");
    let (_, waiting) = face.post("/api/v1/workflows/execute", &both, &json!({"workflow_id": "asks"}));
    let id = waiting["execution_id"].as_str().unwrap();
    assert_eq!(face.settled(id, &both)["waiting_for"], "decision: gate");
    let (status, cancelled) = face.post(&format!("/api/v1/workflows/executions/{id}/cancel"), &both, &json!({}));
    assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")));
}

#[test]
fn a_key_for_some_workflows_sees_and_runs_only_those() {
    let face = Face::open();
    let grant = Grant { role: Role::Operator, workflows: vec![Pattern::parse("greeting/*").unwrap()] };
    let key = face.key("greeter", vec![grant]);
    assert_eq!(face.post("/api/v1/workflows/execute", &key, &json!({"workflow_id": "hello"})).0, 200);
    assert_eq!(face.post("/api/v1/workflows/execute", &key, &json!({"workflow_id": "asks"})).0, 403);
    let (_, templates) = face.get("/api/v1/workflows/templates", &key);
    let ids: Vec<&Value> = templates["templates"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!("greeting/hello")]);
    assert_eq!(face.get("/api/v1/workflows/templates/asks", &key).0, 403);
}

#[test]
fn templates_are_added_found_and_validated() {
    let face = Face::open();
    let key = face.key_of(Role::Editor);
    let template = json!({"name": "Restart Service", "description": "Restarts a service after an outage.", "category": "incident",
        "tags": ["outage"], "steps": [{"id": "restart", "uses": "log", "with": {"message": "x"}}]});
    let (status, created) = face.post("/api/v1/workflows/templates", &key, &template);
    assert_eq!((status, &created["template_id"]), (201, &json!("incident/restart-service")), "{created}");
    let (_, found) = face.get("/api/v1/workflows/templates/incident/restart-service", &key);
    assert_eq!(
        (&found["template"]["step_count"], &found["template"]["usage_count"]),
        (&json!(1), &json!(0)),
        "{found}"
    );
    let (_, listed) = face.get("/api/v1/workflows/templates?category=incident", &key);
    assert_eq!(listed["templates"].as_array().map(Vec::len), Some(1));
    let (_, suggested) = face.post("/api/v1/workflows/suggest", &key, &json!({"context": "an outage of the service"}));
    assert_eq!(suggested["suggestions"][0]["workflow_id"], "incident/restart-service", "{suggested}");
    let (status, refused) = face.post("/api/v1/workflows/templates", &key, &json!({"name": "x", "steps": []}));
    assert_eq!(status, 400);
    assert!(refused["detail"]["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{refused}");
    let (status, verdict) = face.post(
        "/api/v1/workflows/validate",
        &key,
        &json!({"workflow": {"name": "x", "steps": []}, "level": "basic"}),
    );
    assert_eq!((status, &verdict["valid"]), (200, &json!(false)), "{verdict}");
    let (_, verdict) = face.post("/api/v1/workflows/validate", &key, &json!({"workflow_id": "hello"}));
    assert_eq!(verdict["valid"], true, "{verdict}");
}

#[test]
fn what_is_malformed_is_refused_with_a_reason() {
    let face = Face::open();
    let key = face.key_of(Role::Admin);
    assert_eq!(face.post("/api/v1/workflows/execute", &key, &json!([1, 2])).0, 422);
    assert_eq!(face.post("/api/v1/workflows/execute", &key, &json!({"workflow_id": "hello", "paramters": {}})).0, 422);
    assert_eq!(face.post("/api/v1/workflows/execute", &key, &json!({"workflow_id": "nothing"})).0, 404);
    let wrong = json!({"workflow_id": "hello", "rollback_strategy": "later"});
    assert_eq!(face.post("/api/v1/workflows/execute", &key, &wrong).0, 400);
    assert_eq!(face.get("/api/v1/nothing", &key).0, 404);
    assert_eq!(face.ask(Method::DELETE.as_str(), "/health", Some(&key), &Value::Null).0, 405);
    let large = json!({"workflow_id": "x".repeat(5 * 1024 * 1024)});
    let mut stream = TcpStream::connect(face.address).unwrap();
    let head = format!(
        "POST /api/v1/workflows/execute HTTP/1.1\r\nHost: skep\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n",
        large.to_string().len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(
        routes::all().iter().all(|endpoint| endpoint.right != Some(Right::Work)),
        "agents have endpoints of their own"
    );
}

#[test]
fn a_key_that_is_not_good_any_more_is_on_record() {
    let face = Face::open();
    let key = face.key_of(Role::Viewer);
    assert_eq!(face.get("/api/v1/workflows/templates", &key).0, 200);
    face.node.revoke_key("viewer", &Actor::person("ada")).unwrap();
    let (status, refused) = face.get("/api/v1/workflows/templates", &key);
    assert_eq!((status, &refused["detail"]), (401, &json!("Invalid API key")));
    assert!(refused["hint"].as_str().is_some_and(|hint| hint.contains("viewer")), "{refused}");
    face.node.pass_audit().unwrap();
    let query = AuditQuery { event_types: vec![EventType::AccessDenied], limit: 10, ..AuditQuery::default() };
    let records = audit_list(face.node.directory(), &query).unwrap();
    let text = format!("{records:?}");
    assert!(text.contains("http 127.0.0.1") && text.contains("viewer") && !text.contains(&key), "{text}");
}

#[test]
fn the_metrics_are_those_of_the_store() {
    let face = Face::open();
    let key = face.key_of(Role::Operator);
    let (_, started) = face.post("/api/v1/workflows/execute", &key, &json!({"workflow_id": "hello"}));
    face.settled(started["execution_id"].as_str().unwrap(), &key);
    let text = face.text("/metrics", &key);
    for line in ["skep_executions{status=\"completed\"} 1", "skep_executions_open 0", "skep_workflows 2", "# EOF"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}
