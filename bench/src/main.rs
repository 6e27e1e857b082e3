//! `cargo xtask bench` and `cargo xtask endurance`: what Skep takes of time and memory, each figure beside the floor
//! that was measured in the same run.

mod disk;
mod figures;
mod floor;
mod load;
mod processor;
mod rows;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use figures::Figure;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
Usage: skep-bench [OPTIONS] [ROW...]

Rows: sequence

Options:
  --folder DIR   where data directories are made (emptied afterwards)
  --quick        seconds instead of a minute each, once instead of three times";

/// What is measured, and how long.
pub struct Plan {
    /// Data directories lie here.
    pub folder: PathBuf,
    /// For a look, not for the record.
    pub quick: bool,
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut plan = Plan { folder: PathBuf::from("target/bench"), quick: false };
    let mut rows = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--folder" => plan.folder = words.next().context("--folder needs a directory")?.into(),
            "--quick" => plan.quick = true,
            option if option.starts_with('-') => bail!("{option} is no option\n\n{USAGE}"),
            row => rows.push(row.to_owned()),
        }
    }
    let mut figures = Vec::new();
    for row in &rows {
        figures.extend(measure(row, &plan)?);
    }
    println!("{}", figures::table(&figures));
    Ok(())
}

fn measure(row: &str, plan: &Plan) -> Result<Vec<Figure>> {
    match row {
        "sequence" => rows::sequence::measure(plan),
        one if one.starts_with("sequence@") => rows::sequence::measure_at(plan, one.trim_start_matches("sequence@")),
        other => bail!("{other} is no row\n\n{USAGE}"),
    }
}
