//! `cargo xtask bench` and `cargo xtask endurance`: what Skep takes of time and memory, each figure beside the floor
//! that was measured in the same run. It measures and must not change what it measures: no product logic lives here.
//!
//! One file per row of the table in [`rows`]; `load` (a node in this process), `server` (a server from outside),
//! `floor` (a bare writer) and `disk` are what they share. Nothing imports this program.

mod children;
mod disk;
mod document;
mod endurance;
mod figures;
mod floor;
mod instructions;
mod load;
mod machine;
mod processor;
mod rows;
mod server;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
Usage: cargo xtask bench [OPTIONS] [ROW...]
       cargo xtask bench --criterion [OPTIONS OF CRITERION]
       cargo xtask bench --instructions [--update]

Rows: sequence, sequence@IN_FLIGHT, fan-out, single, scripts, restart, history, payload, idle, definition, audit,
forecast, durability;
all of them if none is named.

Options:
  --quick          seconds instead of minutes, fewer repeats; for a look, not for the record
  --criterion      micro-benchmarks of the engine and of expressions
  --instructions   instructions per step under callgrind, compared with bench/instructions.txt (--update: write it)
  --folder DIR     where data directories are made (emptied afterwards)
  --skep PATH      the built program that is measured from outside
  --write FILE     put the machine and the table between the markers of FILE; only after a whole run";

/// What is measured, and how long.
pub struct Plan {
    /// Data directories lie here.
    pub folder: PathBuf,
    /// The program that is measured from outside.
    pub skep: Option<PathBuf>,
    /// For a look, not for the record.
    pub quick: bool,
    /// The file that gets the table.
    write: Option<PathBuf>,
    /// Rows that were named.
    rows: Vec<String>,
}

impl Plan {
    /// One number for the record, a smaller one for a look.
    pub fn or_quick<T>(&self, whole: T, quick: T) -> T {
        if self.quick { quick } else { whole }
    }

    /// The program that is measured from outside.
    ///
    /// # Errors
    /// None was named.
    pub fn skep(&self) -> Result<&Path> {
        self.skep.as_deref().context("a row that goes through the socket needs --skep PATH")
    }

    fn read(words: &[String]) -> Result<Self> {
        let folder = PathBuf::from("target/bench");
        let mut plan = Self { folder, skep: None, quick: false, write: None, rows: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut path = || words.next().map(PathBuf::from).with_context(|| format!("{word} needs a path"));
            match word.as_str() {
                "--folder" => plan.folder = path()?,
                "--skep" => plan.skep = Some(path()?),
                "--write" => plan.write = Some(path()?),
                "--quick" => plan.quick = true,
                "--help" | "-h" => plan.rows.push("help".to_owned()),
                option if option.starts_with('-') => bail!("{option} is no option\n\n{USAGE}"),
                row => plan.rows.push(row.to_owned()),
            }
        }
        Ok(plan)
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((task, rest)) = words.split_first()
        && let Some(result) = children::run(task, rest)
    {
        return result;
    }
    let plan = Plan::read(&words)?;
    match plan.rows.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["help"] => println!("{USAGE}"),
        ["endurance"] => endurance::run(&plan)?,
        ["instructions"] => instructions::compare(&plan.folder)?,
        ["instructions", "update"] => instructions::update(&plan.folder)?,
        _ => bench(&plan)?,
    }
    Ok(())
}

fn bench(plan: &Plan) -> Result<()> {
    std::fs::create_dir_all(&plan.folder).with_context(|| format!("creating {}", plan.folder.display()))?;
    let machine = machine::describe(&plan.folder)?;
    println!("{machine}");
    let named: Vec<&str> = plan.rows.iter().map(String::as_str).collect();
    let rows = if named.is_empty() { rows::ALL.to_vec() } else { named };
    let (mut figures, mut failed) = (Vec::new(), Vec::new());
    for row in rows {
        match rows::measure(row, plan) {
            Ok(measured) => figures.extend(measured),
            // The others take most of an hour: they are not thrown away.
            Err(error) => failed.push(format!("{row}: {error:#}")),
        }
    }
    let table = figures::table(&figures);
    println!("\n{table}");
    if !failed.is_empty() {
        bail!("{}", failed.join("\n"));
    }
    match &plan.write {
        Some(_) if plan.quick || !plan.rows.is_empty() => println!("nothing is written: this was no whole run"),
        Some(file) => document::write(file, &format!("{machine}\n{table}"))?,
        None => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_rows_are_told_apart() {
        let read = |words: &str| Plan::read(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let plan = read("--quick fan-out --folder f --skep s sequence@10").unwrap();
        assert_eq!((plan.quick, plan.rows), (true, vec!["fan-out".to_owned(), "sequence@10".to_owned()]));
        assert_eq!((plan.folder, plan.skep), (PathBuf::from("f"), Some(PathBuf::from("s"))));
        assert!(read("--fast").is_err() && read("--skep").is_err());
    }
}
