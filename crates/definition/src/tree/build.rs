//! From the tape to the tree: aliases and merge keys are expanded, duplicate keys reported.
//!
//! Recursion is bounded: the depth is checked, aliases included, before each step down.

use std::collections::HashMap;

use skep_model::limits::{DEFINITION_BYTES_MAX, TREE_NODES_MAX};
use skep_model::problem::{Place, Problem};

use super::read::{Item, Tape, What, too_deep, too_many_nodes};
use super::scalar::{self, Tag};
use super::{Content, Entry, Node, TREE_DEPTH_MAX};
use crate::codes;
use crate::diagnostic::{Collector, Hint, error};

/// Bytes of text in the tree after aliases are expanded: a long text that is repeated by aliases ends here.
const TREE_TEXT_BYTES_MAX: usize = 8 * DEFINITION_BYTES_MAX;

/// The tree of a tape; `None` after an error that leaves none, which is then in `problems`.
pub fn tree(tape: &Tape<'_>, problems: &mut Collector) -> Option<Node> {
    let mut builder = Builder { tape, problems, nodes: 0, text_bytes: 0 };
    match builder.node(0, 0) {
        Ok((node, _)) => Some(node),
        Err(problem) => {
            builder.problems.push(*problem);
            None
        }
    }
}

struct Builder<'tape, 'text> {
    tape: &'tape Tape<'text>,
    problems: &'tape mut Collector,
    nodes: usize,
    text_bytes: usize,
}

/// A node and the position behind it; the error ends the whole build.
type Built = Result<(Node, u32), Box<Problem>>;

impl Builder<'_, '_> {
    fn node(&mut self, position: u32, depth: usize) -> Built {
        let tape = self.tape;
        let Item { what, place } = &tape.items[position as usize];
        let place = *place;
        self.nodes += 1;
        if self.nodes > TREE_NODES_MAX {
            return Err(Box::new(too_many_nodes(place)));
        }
        match what {
            What::Scalar { text, plain, tag } => Ok((self.scalar(text, *plain, *tag, place)?, position + 1)),
            What::List { end } => self.list(position + 1, *end, deeper(depth, place)?, place),
            What::Map { end } => self.map(position + 1, *end, deeper(depth, place)?, place),
            What::Alias { anchor } => {
                let target = tape.anchors.get(*anchor).copied().flatten();
                let target = target.expect("the parser knows only anchors that it has seen");
                let (mut node, _) = self.node(target, deeper(depth, place)?)?;
                node.place = place;
                Ok((node, position + 1))
            }
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, tag: Tag, place: Place) -> Result<Node, Box<Problem>> {
        self.count_text(text.len(), place)?;
        let (content, doubt) = scalar::resolve(text, plain, tag, place)?;
        if let Some(doubt) = doubt {
            self.problems.push(doubt);
        }
        Ok(Node { content, place })
    }

    fn count_text(&mut self, bytes: usize, place: Place) -> Result<(), Box<Problem>> {
        self.text_bytes += bytes;
        if self.text_bytes <= TREE_TEXT_BYTES_MAX {
            return Ok(());
        }
        let message = format!("aliases make more than {TREE_TEXT_BYTES_MAX} bytes of text here (TREE_TEXT_BYTES_MAX)");
        Err(Box::new(
            error(&codes::TOO_MANY_NODES, Some(place), message).hint("use `vars:` for a text that is needed often"),
        ))
    }

    fn list(&mut self, first: u32, end: u32, depth: usize, place: Place) -> Built {
        let mut items = Vec::new();
        let mut position = first;
        while position < end {
            let (node, next) = self.node(position, depth)?;
            items.push(node);
            position = next;
        }
        Ok((Node::list(items, place), end))
    }

    fn map(&mut self, first: u32, end: u32, depth: usize, place: Place) -> Built {
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        let mut position = first;
        while position < end {
            let (key, key_place, is_merge, next) = self.key(position, depth)?;
            let (value, next) = self.node(next, depth)?;
            position = next;
            match key {
                Some(_) if is_merge => self.merge(value, &mut merged),
                Some(key) => entries.push(Entry { key, key_place, value }),
                None => {}
            }
        }
        let mut entries = self.without_duplicates(entries);
        append_merged(&mut entries, merged);
        Ok((Node::map(entries, place), end))
    }

    /// A key as text (`None` after a reported error), its place, whether it merges, and the position behind it.
    fn key(&mut self, position: u32, depth: usize) -> Result<(Option<String>, Place, bool, u32), Box<Problem>> {
        let tape = self.tape;
        let Item { what, place } = &tape.items[position as usize];
        if let What::Scalar { text, plain, tag } = what {
            self.count_text(text.len(), *place)?;
            if text.is_empty() && *plain {
                self.problems
                    .push(error(&codes::KEY, Some(*place), "a key is missing before `:`").hint("write `key: value`"));
                return Ok((None, *place, false, position + 1));
            }
            let is_merge = *plain && *tag == Tag::None && text == "<<";
            return Ok((Some(text.to_string()), *place, is_merge, position + 1));
        }
        let (node, next) = self.node(position, depth)?;
        let key = node.scalar_text();
        if key.is_none() {
            self.problems.push(
                error(&codes::KEY, Some(*place), format!("a key is a text, not {}", node.describe()))
                    .hint("if this is an expression, put quotes around it: \"${{ .. }}\""),
            );
        }
        Ok((key, *place, false, next))
    }

    /// Collects what `<<: VALUE` brings: a mapping, or a list of mappings.
    fn merge(&mut self, value: Node, merged: &mut Vec<Entry>) {
        let place = value.place;
        match value.content {
            Content::Map(entries) => merged.extend(entries),
            Content::List(items) if items.iter().all(|item| item.as_map().is_some()) => {
                for item in items {
                    self.merge(item, merged);
                }
            }
            Content::List(_)
            | Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(..)
            | Content::Text(_) => self.problems.push(
                error(&codes::KEY, Some(place), "`<<` takes a mapping or a list of mappings")
                    .hint("name an anchor: `<<: *defaults`; quote the key if it is meant as text"),
            ),
        }
    }

    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut lines: HashMap<String, u32> = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            match lines.get(&entry.key) {
                Some(line) => {
                    let mut shown = entry.key.clone();
                    shown.truncate(shown.char_indices().nth(60).map_or(shown.len(), |(at, _)| at));
                    let message = format!("the key `{shown}` stands twice in this mapping, first on line {line}");
                    self.problems.push(
                        error(&codes::DUPLICATE_KEY, Some(entry.key_place), message)
                            .hint("remove one of them, or merge their values"),
                    );
                }
                None => {
                    lines.insert(entry.key.clone(), entry.key_place.line);
                    kept.push(entry);
                }
            }
        }
        kept
    }
}

fn deeper(depth: usize, place: Place) -> Result<usize, Box<Problem>> {
    if depth >= TREE_DEPTH_MAX {
        return Err(Box::new(too_deep(place)));
    }
    Ok(depth + 1)
}

/// Merged entries stand behind the written ones; the first of a name wins.
fn append_merged(entries: &mut Vec<Entry>, merged: Vec<Entry>) {
    if merged.is_empty() {
        return;
    }
    let mut names: std::collections::HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    entries.extend(merged.into_iter().filter(|entry| names.insert(entry.key.clone())));
}
