//! A state as text and back, so that a restart folds only what came after it.
//!
//! ```text
//! {state}\n{"format":1,"engine":1,"plan":"..","digest":".."}
//! ```
//! A snapshot is a short cut and nothing else: whatever is wrong with one, it is left alone and the journal is folded
//! from its beginning. The digest makes sure that what is read is what was written.

use serde::{Deserialize, Serialize};
use skep_model::ids::Hash;
use skep_model::plan::ENGINE_SEMANTICS;

use crate::program::Program;
use crate::state::State;

/// Grows when the text of a state changes so that an older one means something else. A new field with
/// `#[serde(default)]` is no such change only if its default is what folding the same turns gives.
pub const SNAPSHOT_FORMAT: u32 = 4;

/// A snapshot that cannot be used: fold the journal instead.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadSnapshot {
    /// Its bytes are not what was written.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
    /// Another version wrote it.
    #[error(
        "the snapshot has format {format} of engine {engine}, this build reads {SNAPSHOT_FORMAT} of {ENGINE_SEMANTICS}"
    )]
    OtherFormat {
        /// See [`SNAPSHOT_FORMAT`].
        format: u32,
        /// See [`ENGINE_SEMANTICS`].
        engine: u32,
    },
    /// It belongs to an execution of another plan.
    #[error("the snapshot belongs to another plan")]
    OtherPlan,
}

/// The last line. Its shape stays, so that any build can tell another format from damage.
#[derive(Serialize, Deserialize)]
struct Seal {
    format: u32,
    engine: u32,
    /// Of the plan; `None` before the start.
    plan: Option<Hash>,
    /// Of everything before the seal's line.
    digest: Hash,
}

impl State {
    /// The state as a snapshot. Costs as much as the state is large: not for the hot path.
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a state is plain data and always serializes");
        let plan = self.start.as_ref().map(|start| start.plan_hash);
        let seal = Seal { format: SNAPSHOT_FORMAT, engine: ENGINE_SEMANTICS, plan, digest: Hash::of(&bytes) };
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, &seal).expect("memory takes all that is written");
        bytes
    }

    /// The state that [`State::to_snapshot`] wrote, equal in every respect.
    ///
    /// # Errors
    /// [`BadSnapshot`]; also for a state with values nested more than about 110 deep, which the decoder refuses.
    pub fn from_snapshot(bytes: &[u8], program: &Program) -> Result<Self, BadSnapshot> {
        // JSON text has no line break of its own.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').ok_or_else(|| damaged("it has no seal"))?;
        let (body, seal) = (&bytes[..end], &bytes[end + 1..]);
        let seal: Seal = serde_json::from_slice(seal).map_err(damaged)?;
        if (seal.format, seal.engine) != (SNAPSHOT_FORMAT, ENGINE_SEMANTICS) {
            return Err(BadSnapshot::OtherFormat { format: seal.format, engine: seal.engine });
        }
        if seal.plan.is_some_and(|plan| plan != program.hash()) {
            return Err(BadSnapshot::OtherPlan);
        }
        if Hash::of(body) != seal.digest {
            return Err(damaged("its content has another digest"));
        }
        let mut state: Self = serde_json::from_slice(body).map_err(damaged)?;
        state.index();
        Ok(state)
    }

    /// Builds what follows from frames and instances.
    pub(crate) fn index(&mut self) {
        for id in self.frames.ids() {
            let frame = self.frames.get(id);
            let prefix = frame.prefixes.last().expect("the first prefix is the empty one");
            self.frame_by_place.insert((prefix.clone(), frame.block), id);
        }
        for id in self.instances.ids() {
            self.instance_by_path.insert(self.instances.get(id).path.clone(), id);
        }
    }
}

fn damaged(problem: impl ToString) -> BadSnapshot {
    BadSnapshot::Damaged(problem.to_string())
}
