//! The first case whose condition holds, else the default, else nothing.

use serde_json::Value;
use skep_model::Map;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::{Kind, StepIndex};

use crate::decide::Deciding;
use crate::program::KindProgram;
use crate::rejection::Rejection;
use crate::state::FrameId;

pub(crate) fn begin(
    turn: &mut Deciding<'_>,
    frame: FrameId,
    step: StepIndex,
    path: &StepPath,
) -> Result<(), Rejection> {
    let KindProgram::Switch { cases } = &turn.program.step_program(step).kind else {
        return Err(Rejection::Broken(format!("`{path}` is no switch")));
    };
    let mut taken = None;
    for (at, when) in cases.iter().enumerate() {
        match turn.value(frame, when, &format_args!("`when` of case {} of step `{path}`", at + 1))? {
            Ok(Value::Bool(true)) => {
                taken = Some(at as u32);
                break;
            }
            Ok(_) => {}
            Err(failure) => return turn.fail(path, failure, Map::new()),
        }
    }
    turn.emit(Event::CaseTaken { path: path.clone(), case: taken })?;
    let has_default = matches!(&turn.program.step(step).kind, Kind::Switch { default: Some(_), .. });
    if taken.is_none() && !has_default { turn.complete(path, Map::new()) } else { Ok(()) }
}
