//! What the verbs that tell an execution something have in common.

use serde_json::json;
use skep_api::local::Perform;
use skep_api::wire::{self, Done, Failure};
use skep_model::status::Execution as Status;

use crate::context::Context;
use crate::door::Door;
use crate::exit;
use crate::follow::Interrupts;
use crate::output;

/// An exit code, or why there is no answer.
pub type Outcome = Result<u8, Failure>;

/// Tells an execution something and answers once that is durable; an owner of its own then performs the execution
/// for as long as it moves by itself.
pub async fn act<C: Perform<Answer = Done> + Clone>(context: &Context, call: C, done: &str) -> Outcome {
    let mut leave = Interrupts::listen().into_flag();
    let mut door = Door::open(&context.directory, C::NEEDS).await?;
    let told = door.ask(&context.directory, call).await;
    let answer = match told {
        Ok(told) => status_of(context, &mut door, told.execution_id).await,
        Err(failure) => Err(failure),
    };
    if let Ok((execution, status)) = &answer {
        let value = json!({ "execution_id": execution, "status": status.as_str() });
        context.answer(&value, || format!("{done} {execution}: {}", output::status_words(*status)));
    }
    if door.close(&mut leave).await {
        output::note("left: what is not over stays interrupted; `skep resume EXECUTION` goes on");
    }
    answer.map(|_| exit::OK)
}

async fn status_of(context: &Context, door: &mut Door, execution: String) -> Result<(String, Status), Failure> {
    let row = door.ask(&context.directory, wire::Execution { execution }).await?;
    Ok((row.execution_id, row.status))
}
