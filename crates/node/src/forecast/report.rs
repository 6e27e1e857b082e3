//! A forecast for programs, and in a few words for the history.

use serde_json::{Value, json};

use super::{FailurePoint, Forecast, Path, Spread};

/// Failure points that are told, those with the worst ends first.
const POINTS_MAX: usize = 300;

/// `{"executions", "left_out", "history", "paths": [..], "failure_points": [..], "unreached": [id], "dead_ends": [..],
/// "not_foreseen": [{"step", "reason"}], "lacking_inputs": [name], "duration"}`. `duration` is null or seconds
/// `{"p10", "p50", "p90", "drawn", "guessed": [id], "text"}`.
pub(crate) fn to_json(forecast: &Forecast) -> Value {
    let found = &forecast.found;
    let dead_ends = found
        .dead_ends
        .iter()
        .map(|end| json!({ "case": end.case, "waits_for": end.waits_for, "step": end.step, "certain": end.certain }));
    let not_foreseen = found.not_foreseen.iter().map(|(step, reason)| json!({ "step": step, "reason": reason }));
    json!({
        "executions": found.executions,
        "left_out": found.left_out,
        "history": forecast.history,
        "paths": found.paths.iter().map(path).collect::<Vec<_>>(),
        "failure_points": found.failure_points.iter().take(POINTS_MAX).map(point).collect::<Vec<_>>(),
        "unreached": found.unreached.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        "dead_ends": dead_ends.collect::<Vec<_>>(),
        "not_foreseen": not_foreseen.collect::<Vec<_>>(),
        "lacking_inputs": forecast.lacking,
        "duration": forecast.spread.as_ref().map(duration),
    })
}

/// The numbers of it, for the history of validations.
pub(crate) fn summary(simulation: &Value) -> Value {
    let count = |key: &str| simulation[key].as_array().map_or(0, Vec::len);
    json!({
        "executions": simulation["executions"],
        "paths": count("paths"),
        "failure_points": count("failure_points"),
        "unreached": simulation["unreached"],
        "dead_ends": count("dead_ends"),
        "duration": simulation["duration"]["text"],
    })
}

fn path(path: &Path) -> Value {
    json!({
        "case": path.case.what,
        "inputs": path.case.inputs,
        "status": path.status.as_str(),
        "steps": path.steps,
        "skipped": path.skipped,
        "rolled_back": path.rolled_back,
        "seconds": path.took.as_secs_f64(),
    })
}

fn point(point: &FailurePoint) -> Value {
    let also = point.also_fail.iter().map(|(step, message)| json!({ "step": step, "message": message }));
    json!({
        "step": point.step,
        "case": point.case,
        "status": point.status.as_str(),
        "handled": point.handled,
        "recovered": point.recovered,
        "completed_steps": point.completed,
        "rollback": point.rollback,
        "could_be_undone": point.could_be_undone,
        "cannot_be_undone": point.cannot_be_undone,
        "also_fail": also.collect::<Vec<_>>(),
    })
}

fn duration(spread: &Spread) -> Value {
    let words = super::spread::words;
    json!({
        "p10": spread.p10.as_secs_f64(),
        "p50": spread.p50.as_secs_f64(),
        "p90": spread.p90.as_secs_f64(),
        "drawn": spread.drawn,
        "guessed": spread.guessed,
        "text": format!("{} to {}, half within {}", words(spread.p10), words(spread.p90), words(spread.p50)),
    })
}
