//! Every workflow of the pages is valid and runs: a block with the fence `yaml workflow` is a whole definition. One with
//! the fence `yaml tests` is a whole test file of an example, one with `yaml decisions` a whole table.

use std::fs;

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::repository;

const FENCE: &str = "```yaml workflow";
/// Words of steps that only a person or a signal moves: `run` gives back with 4 then.
const NEEDS_SOMEBODY: &[&str] = &["approval:", "approve:", " input:", "signal:"];
/// Words of steps that need the network.
const NEEDS_NETWORK: &[&str] = &["uses: http", "uses: email"];

/// A definition and where it stands.
struct Block {
    name: String,
    text: String,
}

fn pages() -> Vec<std::path::PathBuf> {
    let mut pages = repository::files_below(&repository::path("docs/guide"));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.push(repository::path("README.md"));
    pages
}

fn blocks() -> Vec<Block> {
    let blocks = fenced(FENCE);
    assert!(blocks.len() > 10, "the pages have workflows");
    blocks
}

fn fenced(fence: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page can be read");
        let lines: Vec<&str> = text.lines().collect();
        for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.trim() == fence) {
            let inside = lines[at + 1..].iter().take_while(|line| line.trim() != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            blocks.push(Block { name: format!("{}:{}", page.display(), at + 1), text });
        }
    }
    blocks
}

#[test]
fn tests_of_the_pages_pass() {
    let blocks = fenced("```yaml tests");
    assert!(!blocks.is_empty(), "the pages have tests");
    for block in blocks {
        let place = Place::new();
        let examples = repository::path("examples").to_string_lossy().into_owned();
        place.write("block.test.yaml", block.text.replace("workflow: examples/", &format!("workflow: {examples}/")));
        place.skep(&["test", "block.test.yaml"]).exits(0);
    }
}

#[test]
fn tables_of_the_pages_are_in_force() {
    let blocks = fenced("```yaml decisions");
    assert!(!blocks.is_empty(), "the pages have tables");
    for block in blocks {
        let place = Place::new();
        fs::create_dir_all(place.data()).unwrap();
        fs::write(place.data().join("decisions.yaml"), &block.text).unwrap();
        let rules = place.skep(&["decisions", "--rules"]).exits(0).out;
        assert!(rules.contains("never-twice"), "{}: {rules}", block.name);
    }
}

#[test]
fn every_workflow_of_the_pages_is_valid_and_runs() {
    let runs: Vec<(Block, Place, Running)> = blocks().into_iter().filter_map(begin).collect();
    for (block, place, run) in runs {
        let answer = run.end();
        let has = |words: &[&str]| words.iter().any(|word| block.text.contains(word));
        let expected = if has(NEEDS_SOMEBODY) { 4 } else { 0 };
        assert_eq!(answer.code, Some(expected), "{}: {answer}", block.name);
        drop(place);
    }
}

/// What the page says of the workflow that it simulates is what people see.
fn shown_as_told(block: &Block, place: &Place) {
    let page = fs::read_to_string(repository::path("docs/guide/validation.md")).expect("a page can be read");
    let (_, after) = page.split_once(&block.text).expect("the block stands on the page");
    let (before, _) = after.split_once("yaml workflow").unwrap_or((after, ""));
    let Some((_, told)) = before.split_once("```text\n") else { return };
    let shown = place.skep(&["validate", "block.yaml", "--level", "paranoid"]).exits(0).out;
    let lines = told.lines().take_while(|line| *line != "```");
    lines.for_each(|line| assert!(shown.contains(line), "{line}\n{shown}"));
}

/// Validates, then starts a block if it can run here.
fn begin(block: Block) -> Option<(Block, Place, Running)> {
    let place = Place::new();
    place.write("block.yaml", &block.text);
    let validated = place.skep(&["validate", "block.yaml", "--format", "json"]);
    assert_eq!(validated.code, Some(0), "{}: {validated}", block.name);
    if block.name.contains("/validation.md") {
        let validated = place.json(&["validate", "block.yaml", "--level", "paranoid"], 0);
        assert!(validated["metadata"]["simulation"]["executions"].as_u64() > Some(1), "{}: {validated:#}", block.name);
        shown_as_told(&block, &place);
    }
    if NEEDS_NETWORK.iter().any(|word| block.text.contains(word)) {
        return None;
    }
    let run = place.start(&["run", "block.yaml", "--format", "json"]);
    Some((block, place, run))
}
