//! The one door to a data directory: its owner in another process, an owner in this one, or the files alone.
//!
//! The lock decides who owns; two commands that start at once find out by trying, and the loser connects.

use std::sync::Arc;
use std::time::Duration;

use skep_api::local::{CallError, Client, Desk, Perform, Server, attend, failure_of};
use skep_api::wire::{Class, Failure, Needs};
use skep_node::config::Config;
use skep_node::service::Reading;
use skep_node::{DataDir, Error, Node, Recovered, Recovery, Settings};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a command tries to reach an owner that holds the lock but does not answer yet, or is just ending.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pause between two tries.
const TRY_INTERVAL: Duration = Duration::from_millis(20);
/// The code of an owner that is ending; nothing was recorded then.
const ENDING: &str = "SKEP-N009";

/// An owner in this process.
pub struct Own {
    node: Arc<Node>,
    server: Server,
}

/// The way to the data directory.
pub enum Door {
    /// To the owner in another process.
    Remote(Client),
    /// To the owner in this process.
    Own(Own),
    /// To the files; nobody owns them now.
    Files(Arc<Desk>),
}

impl Door {
    /// Opens the door for calls with these needs.
    ///
    /// # Errors
    /// A data directory that cannot be used, an owner that does not answer.
    pub async fn open(directory: &DataDir, needs: Needs) -> Result<Self, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reason = match Client::connect(directory).await {
                Ok((client, _)) => return Ok(Self::Remote(client)),
                Err(CallError::Failure(failure)) => return Err(failure),
                Err(CallError::NoOwner(_)) if needs == Needs::Reading => return Self::files(directory).await,
                Err(CallError::NoOwner(_)) => match Own::open(directory).await {
                    Ok(own) => return Ok(Self::Own(own)),
                    Err(Opening::Owned(failure)) => failure,
                    Err(Opening::Failed(failure)) => return Err(failure),
                },
                Err(lost @ CallError::Lost(_)) => lost.into_failure(needs),
            };
            if Instant::now() >= deadline {
                return Err(reason);
            }
            tokio::time::sleep(TRY_INTERVAL).await;
        }
    }

    async fn files(directory: &DataDir) -> Result<Self, Failure> {
        let directory = directory.clone();
        let reading = blocking(move || Reading::open(&directory)).await?.map_err(|error| failure_of(&error))?;
        if let Some(note) = reading.note() {
            crate::output::note(note);
        }
        Ok(Self::Files(Arc::new(Desk::reader(reading))))
    }

    /// Performs one call, without trying again.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<C: Perform>(&self, call: C) -> Result<C::Answer, CallError> {
        match self {
            Self::Remote(client) => client.call(&call).await,
            Self::Own(own) => Ok(attend(own.server.desk(), call, own.server.closing()).await?),
            Self::Files(desk) => Ok(attend(desk, call, watch::Sender::new(false).subscribe()).await?),
        }
    }

    /// Performs one call; where the owner went away before it took the call, the door is opened anew.
    ///
    /// # Errors
    /// What the call says, or that no owner can be reached.
    pub async fn ask<C: Perform + Clone>(&mut self, directory: &DataDir, call: C) -> Result<C::Answer, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let error = match self.call(call.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = match &error {
                CallError::NoOwner(_) => true,
                CallError::Lost(_) => C::NEEDS == Needs::Reading,
                CallError::Failure(failure) => failure.code == ENDING && matches!(self, Self::Remote(_)),
            };
            if !again || Instant::now() >= deadline {
                return Err(error.into_failure(C::NEEDS));
            }
            tokio::time::sleep(TRY_INTERVAL).await;
            *self = Self::open(directory, C::NEEDS).await?;
        }
    }

    /// True if this process is the owner.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// Leaves. An owner first performs what it took on until nothing of it can move by itself, or `leave` is
    /// notified; true if it was.
    pub async fn close(self, leave: &mut watch::Receiver<bool>) -> bool {
        match self {
            Self::Own(own) => own.finish(leave).await,
            Self::Remote(_) | Self::Files(_) => false,
        }
    }

    /// Leaves at once: an owner stops what runs, its executions stay interrupted.
    pub async fn abandon(self) {
        if let Self::Own(own) = self {
            own.end().await;
        }
    }
}

enum Opening {
    Owned(Failure),
    Failed(Failure),
}

impl Opening {
    fn into_failure(self) -> Failure {
        match self {
            Self::Owned(failure) | Self::Failed(failure) => failure,
        }
    }
}

impl Own {
    /// Becomes the owner, or says who is. Recovers nothing by itself.
    async fn open(directory: &DataDir) -> Result<Self, Opening> {
        Self::open_after(directory, |_| Ok(())).await.map(|(own, ())| own)
    }

    /// Becomes the owner, does something with the node, and only then lets others ask.
    async fn open_after<T: Send + 'static>(
        directory: &DataDir,
        first: impl FnOnce(&Node) -> Result<T, Error> + Send + 'static,
    ) -> Result<(Self, T), Opening> {
        let root = directory.root().to_owned();
        let opened = blocking(move || {
            let config = Config::load(&root)?;
            let node = Node::open(Settings { data_dir: root, config, spawner: None })?;
            let found = first(&node)?;
            Ok((Arc::new(node), found))
        });
        let (node, found) = match opened.await.map_err(Opening::Failed)? {
            Ok(opened) => opened,
            Err(error @ Error::Owned(_)) => return Err(Opening::Owned(failure_of(&error))),
            Err(error) => return Err(Opening::Failed(failure_of(&error))),
        };
        let server = Server::start(&node).map_err(Opening::Failed)?;
        Ok((Self { node, server }, found))
    }

    /// Becomes the owner for a look at the directory.
    ///
    /// # Errors
    /// Another owner, a data directory that cannot be used.
    pub async fn serve(directory: &DataDir) -> Result<Self, Failure> {
        Self::open(directory).await.map_err(Opening::into_failure)
    }

    /// Becomes the owner for `skep serve`. What was under way is taken on, or left alone, before anybody can ask.
    ///
    /// # Errors
    /// Another owner, a data directory that cannot be used.
    pub async fn recover(directory: &DataDir, recovery: Option<Recovery>) -> Result<(Self, Recovered), Failure> {
        let first = move |node: &Node| node.recover_as(recovery, skep_node::clock::now());
        Self::open_after(directory, first).await.map_err(Opening::into_failure)
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// True once somebody asked this owner to end.
    pub fn stop_asked(&self) -> watch::Receiver<bool> {
        self.server.stop_asked()
    }

    /// How many requests are being answered.
    pub fn requests(&self) -> watch::Receiver<usize> {
        self.server.requests()
    }

    async fn finish(mut self, leave: &mut watch::Receiver<bool>) -> bool {
        loop {
            let left = self.settle(leave).await;
            self.server.close().await;
            // A command may have come while the door was closing.
            if left || self.node.watcher().all_settled() {
                close_node(self.node, Node::close).await;
                return left;
            }
            match Server::start(&self.node) {
                Ok(server) => self.server = server,
                Err(failure) => {
                    crate::output::note(&failure.message);
                    close_node(self.node, Node::close).await;
                    return false;
                }
            }
        }
    }

    /// Waits until nothing can move by itself; true if somebody wants it to end before.
    async fn settle(&self, leave: &mut watch::Receiver<bool>) -> bool {
        let mut beats = self.node.watcher().beats();
        let mut stop = self.server.stop_asked();
        loop {
            beats.mark_unchanged();
            if *leave.borrow() || *stop.borrow() {
                return true;
            }
            if self.node.watcher().all_settled() {
                return false;
            }
            let woken = tokio::select! {
                changed = beats.changed() => changed.is_ok(),
                changed = stop.changed() => changed.is_ok(),
                changed = leave.changed() => changed.is_ok(),
            };
            if !woken {
                return true;
            }
        }
    }

    /// Closes the door, then the node. Executions that are not over stay open.
    pub async fn end(self) {
        self.server.close().await;
        close_node(self.node, Node::close).await;
    }

    /// The same, but running steps get some time to end by themselves.
    pub async fn drain(self) {
        self.server.close().await;
        crate::output::note("ending: running steps may end, no new one begins; the next owner goes on");
        close_node(self.node, Node::drain).await;
    }
}

async fn close_node(node: Arc<Node>, close: fn(Node) -> skep_node::Stats) {
    // A request that was cut may still hold it; then the process ends as if it had been killed, which is safe.
    if let Some(node) = Arc::into_inner(node) {
        let closed = tokio::task::spawn_blocking(move || close(node)).await;
        if closed.is_err() {
            crate::output::note("the owner did not end well; the next one recovers what it left");
        }
    }
}

/// Runs what blocks on a thread for that.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        Failure::new(
            ENDING,
            Class::Transient,
            "a thread of this process ended early",
            "try again; `skep doctor` checks",
        )
    })
}
