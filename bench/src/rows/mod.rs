//! One file per row of the table.

mod audit;
mod definition;
pub mod durability;
mod fan_out;
mod forecast;
mod history;
mod idle;
mod payload;
pub mod restart;
mod scripts;
mod sequence;
mod single;

use anyhow::{Result, bail};

use crate::Plan;
use crate::figures::Figure;

/// All of them, in the order of the table.
pub const ALL: [&str; 12] = [
    "sequence",
    "fan-out",
    "single",
    "scripts",
    "restart",
    "history",
    "payload",
    "idle",
    "definition",
    "audit",
    "forecast",
    "durability",
];

/// Measures a row.
///
/// # Errors
/// There is no such row, or what it does goes wrong.
pub fn measure(row: &str, plan: &Plan) -> Result<Vec<Figure>> {
    match row {
        "sequence" => sequence::measure(plan),
        "fan-out" => fan_out::measure(plan),
        "single" => single::measure(plan),
        "scripts" => scripts::measure(plan),
        "restart" => restart::measure(plan),
        "history" => history::measure(plan),
        "payload" => payload::measure(plan),
        "idle" => idle::measure(plan),
        "definition" => definition::measure(plan),
        "audit" => audit::measure(plan),
        "forecast" => forecast::measure(plan),
        "durability" => durability::measure(plan),
        other => match other.strip_prefix("sequence@") {
            Some(in_flight) => sequence::measure_at(plan, in_flight),
            None => bail!("{other} is no row; the rows are {}, and sequence@IN_FLIGHT", ALL.join(", ")),
        },
    }
}
