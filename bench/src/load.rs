//! A node in this process with so many executions in flight: whenever some end, as many are started.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use skep_model::Map;
use skep_model::actor::Actor;
use skep_node::config::Config;
use skep_node::service::{Source, StartRequest};
use skep_node::{Node, Settings, Stats};
use skep_store::{Reader, SqliteReader};

/// A node on its own data directory.
pub struct Loaded {
    node: Node,
    runtime: tokio::runtime::Runtime,
    completed: u64,
}

/// What one stretch of load gave.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Executions that durably completed in it.
    pub executions: u64,
    /// How long it was.
    pub took: Duration,
    /// What was committed in it, the end of what was in flight included.
    pub stats: Stats,
}

impl Stretch {
    /// Completed executions a second.
    pub fn executions_per_second(&self) -> f64 {
        self.executions as f64 / self.took.as_secs_f64()
    }

    /// Turns of a commit, on average.
    pub fn turns_per_commit(&self) -> f64 {
        self.stats.turns as f64 / self.stats.commits.max(1) as f64
    }
}

/// When a stretch ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After so long; what is in flight then comes to its end and is not counted.
    Time(Duration),
    /// When so many have completed.
    Executions(u64),
}

/// A start of `text` as a program makes it.
pub fn request(text: &str) -> StartRequest {
    StartRequest {
        source: Source::Text { text: text.to_owned(), file: None },
        inputs: Map::new(),
        arguments: Vec::new(),
        base_dir: Some("/".to_owned()),
        environment: Map::new(),
        actor: Actor::person("bench"),
        idempotency_key: None,
        event: serde_json::Value::Null,
        choices: Default::default(),
    }
}

impl Loaded {
    /// Opens a node on `folder`.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_with(folder, Config::default())
    }

    /// The same with a configuration.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn open_with(folder: &Path, config: Config) -> Result<Self> {
        let settings = Settings { data_dir: folder.to_owned(), config, spawner: None };
        let node = Node::open(settings).context("opening a node")?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().context("starting a runtime")?;
        Ok(Self { node, runtime, completed: 0 })
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Keeps `in_flight` executions of `text` going.
    ///
    /// # Errors
    /// A start is refused, or an execution does not complete.
    pub fn run(&mut self, text: &str, in_flight: u64, until: Until) -> Result<Stretch> {
        let request = request(text);
        self.run_each(in_flight, until, |_| request.clone())
    }

    /// The same with a request for each execution, by its number from 0.
    ///
    /// # Errors
    /// As [`Loaded::run`].
    pub fn run_each(
        &mut self,
        in_flight: u64,
        until: Until,
        mut request: impl FnMut(u64) -> StartRequest,
    ) -> Result<Stretch> {
        let mut beats = self.node.watcher().beats();
        let (before, stats_before) = (self.node.watcher().ended(), self.node.stats());
        let begun = Instant::now();
        let (mut started, mut at_the_end) = (0, None);
        loop {
            let ended = self.node.watcher().ended();
            if ended.otherwise > before.otherwise {
                bail!("an execution did not complete");
            }
            let completed = ended.completed - before.completed;
            let wanted = match until {
                Until::Time(time) if begun.elapsed() >= time => 0,
                Until::Time(_) => in_flight,
                Until::Executions(all) => in_flight.min(all - started + (started - completed)),
            };
            if wanted == 0 && at_the_end.is_none() {
                at_the_end = Some((completed, begun.elapsed()));
            }
            if started == completed && wanted == 0 {
                break;
            }
            while started - completed < wanted {
                drop(self.node.begin(request(started)).context("starting an execution")?);
                started += 1;
            }
            self.runtime.block_on(beats.changed()).context("following the node")?;
        }
        let (executions, took) = at_the_end.context("the load ended before its time")?;
        self.completed += started;
        let stats = self.node.stats();
        let stats = Stats {
            commits: stats.commits - stats_before.commits,
            turns: stats.turns - stats_before.turns,
            rows: stats.rows - stats_before.rows,
            bytes: stats.bytes - stats_before.bytes,
        };
        Ok(Stretch { executions, took, stats })
    }

    /// Closes the node and counts in the store what was counted on the way: completed executions, and their turns.
    ///
    /// # Errors
    /// The store says something else.
    pub fn close(self, turns_each: u64) -> Result<()> {
        let directory = self.node.directory().clone();
        self.node.close();
        let reader = SqliteReader::open(&directory).context("reading the store")?;
        let counts = reader.counts().context("reading the store")?;
        let completed: u64 = counts
            .iter()
            .map(|count| if count.status == skep_model::status::Execution::Completed { count.executions } else { 0 })
            .sum();
        let (all, turns) = (counts.iter().map(|count| count.executions).sum::<u64>(), reader.last_position()?.0);
        let expected = self.completed * turns_each;
        if (completed, all, turns) != (self.completed, self.completed, i64::try_from(expected)?) {
            bail!("{} executions completed and the store has {completed} of {all}, {turns} turns", self.completed);
        }
        Ok(())
    }
}
