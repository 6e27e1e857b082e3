//! (i) A definition of a thousand steps: read, checked and planned as for a start.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use skep_definition::check::Level;
use skep_definition::{load, plan};
use skep_model::catalogue::Catalogue;

use crate::Plan;
use crate::figures::{Figure, median, milliseconds};

const STEPS: usize = 1_000;

/// Reads, checks and plans it again and again.
///
/// # Errors
/// It has errors.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let repeats = plan.or_quick(200, 50);
    let (text, catalogue) = (definition(STEPS), skep_node::catalogue::build());
    let (mut reads, mut plans, mut wholes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeats {
        let (read, planned) = once(&text, &catalogue)?;
        reads.push(read);
        plans.push(planned);
        wholes.push(read + planned);
    }
    let [read, planned, whole] = [reads, plans, wholes].map(|seconds| milliseconds(median(&seconds)));
    println!("definition: {whole}, of which reading {read}, checking and planning {planned}");
    Ok(vec![Figure {
        work: format!("(i) a definition of 1,000 steps, {} KiB: parse, check, plan", text.len() / 1024),
        measured: format!("{whole} (parse {read}, check and plan {planned})"),
        floor: String::new(),
        ratio: String::new(),
        target: "under 30 ms".to_owned(),
        repeats,
    }])
}

/// Seconds for reading, and for checking and planning.
fn once(text: &str, catalogue: &Catalogue) -> Result<(f64, f64)> {
    let begun = Instant::now();
    let loaded = load::load(text);
    let read = begun.elapsed();
    let usable = loaded.is_usable();
    let workflow = loaded.workflow.context("the text is no workflow")?;
    let begun = Instant::now();
    let (problems, plan) = plan::check_and_plan(&workflow, catalogue, Level::Standard);
    let planned = begun.elapsed();
    match plan.filter(|_| usable) {
        Some(plan) if plan.steps.len() == STEPS => Ok((read.as_secs_f64(), planned.as_secs_f64())),
        Some(plan) => bail!("the plan has {} steps", plan.steps.len()),
        None => bail!("the definition has errors: {:?}", problems.first()),
    }
}

/// A graph of so many steps, in groups of five that know each other: a request, scripts, a condition, outputs, a retry.
pub(super) fn definition(steps: usize) -> String {
    let mut text = String::from(
        "name: large\ndescription: A thousand steps of the usual kinds.\norder: graph\n\
         inputs:\n  host: {type: string, default: db-1}\n  limit: {type: integer, default: 80}\n\
         vars: {region: eu-1, table: orders}\nsteps:\n",
    );
    for group in 0..steps / 5 {
        let before = if group == 0 { String::new() } else { format!("\n    depends_on: [report{}]", group - 1) };
        write!(
            text,
            "  - id: look{group}{before}
    uses: http
    with:
      url: https://${{{{ inputs.host }}}}.example.org/${{{{ vars.region }}}}/status/{group}
      headers: {{accept: application/json}}
    retry: {{max_attempts: 3, delay: 2s}}
    timeout: 30s
  - id: use{group}
    depends_on: [look{group}]
    run: |
      set -eu
      df --output=pcent \"/data/${{{{ vars.table }}}}/{group}\" | tail -1 | tr -dc 0-9
    outputs:
      percent: ${{{{ json }}}}
      host: ${{{{ inputs.host ~ '-' ~ vars.region }}}}
  - id: clean{group}
    depends_on: [use{group}, look{group}]
    if: ${{{{ steps.use{group}.outputs.percent > inputs.limit and steps.look{group}.outputs.status == 200 }}}}
    run: find \"/data/${{{{ vars.table }}}}\" -name '*.tmp' -delete
    env: {{HOST: \"${{{{ inputs.host }}}}\"}}
  - id: count{group}
    depends_on: [use{group}]
    uses: set
    with:
      free: ${{{{ 100 - steps.use{group}.outputs.percent }}}}
      names: [\"${{{{ steps.use{group}.outputs.host | upper }}}}\", \"group {group}\"]
  - id: report{group}
    depends_on: [clean{group}, count{group}]
    if: ${{{{ always() }}}}
    uses: log
    with: {{message: \"${{{{ inputs.host }}}}: ${{{{ steps.count{group}.outputs.free }}}} % free\"}}
"
        )
        .expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_has_a_thousand_steps_and_no_errors() {
        once(&definition(STEPS), &skep_node::catalogue::build()).unwrap();
    }
}
