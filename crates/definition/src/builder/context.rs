//! `context.X` in a condition of the builder becomes `steps.ID.outputs.X`.
//!
//! X is searched among the steps before the condition, newest first: steps that declare X, then, if none
//! does, steps whose outputs are not known beforehand (agents, actions). Only names outside quotes count.
//! This file must not understand expressions beyond that: `expr` does.

/// A step before the condition, and what is known of its outputs.
pub(super) struct Seen {
    /// Its id.
    pub(super) id: String,
    /// The names of its outputs, or `None` if nobody knows before it runs.
    pub(super) outputs: Option<Vec<String>>,
}

/// `expression` with each `context.X` replaced; or the first X that no step can have (empty: `context`
/// without a name).
pub(super) fn resolve(expression: &str, seen: &[Seen]) -> Result<String, String> {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let token = token_length(rest, first);
        let (text, tail) = rest.split_at(token);
        if text == "context" && before != Some('.') {
            let (name, tail) = split_name(tail, seen).ok_or_else(String::new)?;
            let id = newest(&name, seen).ok_or_else(|| name.clone())?;
            out.push_str(&format!("steps.{id}.outputs.{name}"));
            rest = tail;
        } else {
            out.push_str(text);
            rest = tail;
        }
        before = out.chars().rfind(|character| !character.is_whitespace());
    }
    Ok(out)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Length in bytes of the quoted text, the word or the single character at the start of `text`.
fn token_length(text: &str, first: char) -> usize {
    if first == '\'' || first == '"' {
        return quoted_length(text, first);
    }
    if is_word(first) {
        return text.find(|character| !is_word(character)).unwrap_or(text.len());
    }
    first.len_utf8()
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match (escaped, character) {
            (true, _) => escaped = false,
            (false, '\\') => escaped = true,
            (false, other) if other == quote => return at + 1,
            (false, _) => {}
        }
    }
    text.len()
}

/// The name after `context`: `.name`, the longest declared one where names hold hyphens.
fn split_name<'a>(tail: &'a str, seen: &[Seen]) -> Option<(String, &'a str)> {
    let tail = tail.strip_prefix('.')?;
    let plain = tail.find(|character| !is_word(character)).unwrap_or(tail.len());
    let declared = seen.iter().flat_map(|step| step.outputs.iter().flatten());
    let longest = declared.filter(|name| starts_with_name(tail, name)).map(String::len).max().unwrap_or(0);
    let length = plain.max(longest);
    (length > 0).then(|| (tail[..length].to_owned(), &tail[length..]))
}

fn starts_with_name(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|next| is_word(next) || next == '-'))
}

fn newest<'a>(name: &str, seen: &'a [Seen]) -> Option<&'a str> {
    let declares = |step: &&Seen| step.outputs.as_ref().is_some_and(|outputs| outputs.iter().any(|one| one == name));
    let open = |step: &&Seen| step.outputs.is_none();
    let found = seen.iter().rev().find(declares).or_else(|| seen.iter().rev().find(open));
    found.map(|step| step.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Vec<Seen> {
        let known = |id: &str, names: &[&str]| Seen {
            id: id.to_owned(),
            outputs: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        vec![
            known("old", &["approved", "only-here"]),
            known("review", &["approved"]),
            Seen { id: "agent-1".to_owned(), outputs: None },
            known("last", &["count"]),
        ]
    }

    #[test]
    fn names_are_searched_newest_first_and_declared_ones_before_open_ones() {
        for (given, expect) in [
            ("context.approved", Ok("steps.review.outputs.approved")),
            ("not context.approved", Ok("not steps.review.outputs.approved")),
            ("context.only-here == 1", Ok("steps.old.outputs.only-here == 1")),
            ("context.count - 1 > 2", Ok("steps.last.outputs.count - 1 > 2")),
            ("context.anything", Ok("steps.agent-1.outputs.anything")),
            ("context.anything.deep[0]", Ok("steps.agent-1.outputs.anything.deep[0]")),
            ("'context.approved' == inputs.context.x", Ok("'context.approved' == inputs.context.x")),
            ("'it\\'s context.x' == 'y'", Ok("'it\\'s context.x' == 'y'")),
            ("my_context.approved", Ok("my_context.approved")),
            ("context", Err("")),
            ("context['approved']", Err("")),
        ] {
            assert_eq!(resolve(given, &steps()), expect.map(str::to_owned).map_err(str::to_owned), "{given}");
        }
        assert_eq!(resolve("context.x", &steps()[..2]), Err("x".to_owned()));
    }
}
