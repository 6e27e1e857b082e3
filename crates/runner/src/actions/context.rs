//! What an action gets, and how it is asked to stop.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::Value;
use skep_model::Map;
use skep_model::effect::Task;
use skep_model::error::{Failure, Kind};

use super::http_clients::Clients;
use crate::codes;
use crate::config::Config;
use crate::sink::Sink;

/// Outputs of an action, or why it failed.
pub(crate) type Result = std::result::Result<Map<Value>, Failure>;

/// What an action gets that takes no waiting.
pub(crate) struct Now<'a> {
    pub task: &'a Task,
    pub with: Value,
    pub sink: &'a dyn Sink,
}

impl Now<'_> {
    /// The arguments of the action `name` as what it takes.
    pub fn arguments<T: DeserializeOwned>(&mut self, name: &str) -> std::result::Result<T, Failure> {
        arguments(std::mem::take(&mut self.with), name)
    }
}

fn arguments<T: DeserializeOwned>(with: Value, name: &str) -> std::result::Result<T, Failure> {
    let with = if with.is_null() { Value::Object(serde_json::Map::new()) } else { with };
    serde_json::from_value(with).map_err(|problem| invalid(name, &problem.to_string()))
}

fn invalid(name: &str, problem: &str) -> Failure {
    let message = format!("the arguments of the action `{name}` are not what it takes: {problem}");
    Failure::new(Kind::Invalid, codes::ARGUMENTS, message)
        .with_hint(format!("see what `{name}` takes with `skep explain {}`", codes::ARGUMENTS))
}

/// What an action gets.
#[derive(Clone)]
pub(crate) struct Context {
    pub task: Arc<Task>,
    pub name: String,
    pub with: Value,
    pub base_dir: PathBuf,
    pub config: Arc<Config>,
    pub clients: Arc<Clients>,
    pub cancel: Arc<Cancel>,
}

impl Context {
    /// The arguments as what the action takes.
    pub fn arguments<T: DeserializeOwned>(&self) -> std::result::Result<T, Failure> {
        arguments(self.with.clone(), &self.name)
    }

    /// The failure of an argument.
    pub fn invalid(&self, problem: &str) -> Failure {
        invalid(&self.name, problem)
    }

    /// A path argument: relative ones begin at the step's base directory.
    pub fn path(&self, path: &str) -> std::result::Result<PathBuf, Failure> {
        if path.is_empty() || path.contains('\0') {
            return Err(self.invalid(&format!("{path:?} is not a path")));
        }
        Ok(self.base_dir.join(Path::new(path)))
    }
}

/// Asks blocking work to stop.
#[derive(Default)]
pub(crate) struct Cancel {
    asked: AtomicBool,
    interrupt: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Cancel {
    /// Asks, and interrupts what can be interrupted right now. To be repeated until the work has ended.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        if let Some(interrupt) = &*self.interrupt.lock().unwrap_or_else(PoisonError::into_inner) {
            interrupt();
        }
    }

    /// True once it was asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// What interrupts the work that begins now.
    pub fn set_interrupt(&self, interrupt: impl Fn() + Send + 'static) {
        let mut slot = self.interrupt.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Box::new(interrupt));
    }
}
