//! The scanner's errors in words that help: what is wrong and how to mend it.

use saphyr_parser::ScanError;
use skep_model::problem::{Place, Problem};

use super::place::Index;
use crate::codes;
use crate::diagnostic::{Hint, error};

/// What the scanner says (a part of it), what we say, and the remedy. The first row that fits wins.
const WORDS: &[(&str, &str, &str)] = &[
    ("tab", "a tab stands where YAML wants spaces", "indent with spaces; a tab may stand only inside a value"),
    (
        "mapping values are not allowed",
        "a `:` followed by a blank stands inside a value here",
        "put quotes around the value (`key: \"a: b\"`), or begin the key on a line of its own",
    ),
    (
        "unexpected character",
        "a value cannot begin with this character without quotes",
        "put quotes around the value, for example \"@name\"",
    ),
    ("unexpected end of stream", "a quoted text is never closed", "add the missing quote; it may be some lines above"),
    (
        "unexpected document indicator",
        "a quoted text is never closed before the line `---` or `...`",
        "add the missing quote; it may be some lines above",
    ),
    (
        "unknown escape character",
        "this escape is not known inside double quotes",
        "write the backslash twice (`\\\\`), or use single quotes, where nothing is escaped",
    ),
    ("hexadecimal", "an escape wants hexadecimal digits here", "write `\\x41`, `\\u0041` or `\\U00000041`"),
    (
        "Unicode character escape",
        "this escape names no character",
        "use a code point below D800 or from E000 to 10FFFF",
    ),
    (
        "invalid trailing content",
        "something follows the closing quote",
        "quote the whole value, or remove what follows",
    ),
    (
        "expected ',' or '}'",
        "a `,` or `}` is missing in this mapping",
        "separate entries with `, ` and close the mapping with `}`; quote values that hold `,` or `}`",
    ),
    (
        "expected ',' or ']'",
        "a `,` or `]` is missing in this list",
        "separate items with `, ` and close the list with `]`; quote values that hold `,` or `]`",
    ),
    (
        "illegal placement of ':'",
        "a `:` stands where none can: a bracket or brace above may be open",
        "close the `[` or `{` above, or put quotes around a value that holds a colon",
    ),
    ("misplaced bracket", "this bracket closes nothing", "remove it, or quote the value that it belongs to"),
    (
        "unknown anchor",
        "this alias names an anchor that does not stand above it",
        "define it first: `key: &name value`",
    ),
    ("anchor", "this anchor or alias is not well formed", "quote the value if it is no alias, for example \"*.conf\""),
    (
        "did not find expected '-'",
        "this line does not belong to the list above it",
        "begin it with `- ` at the same column as the other items, or indent it as part of the item",
    ),
    (
        "did not find expected key",
        "this line does not fit the mapping above it",
        "begin it at the same column as the other keys, as `key: value`",
    ),
    ("simple key expect", "a `:` is missing after this key", "write `key: value`, with a blank after the colon"),
    (
        "block sequence entries",
        "a list item cannot begin here",
        "begin the list on the next line, indented, or write it as `[a, b]`",
    ),
    ("mapping keys are not allowed", "a key cannot begin here", "begin it on a line of its own"),
    ("only valid inside a block", "`- ` cannot stand inside brackets", "separate the items with commas: `[a, b]`"),
    ("indentation", "this line is not indented as what stands above it", "align it with the lines that it belongs to"),
    ("wrongly indented", "this line of a block text is not indented as its first line", "align it with the first line"),
    (
        "comment",
        "a comment stands inside a text of several lines",
        "use a block text (`|`) or quotes, without the comment",
    ),
    ("unprintable", "a control character stands here", "remove it, or write it as an escape in double quotes"),
    (
        "byte order mark",
        "a byte order mark stands inside the text",
        "remove it; it may stand at the very beginning only",
    ),
    ("directive", "a line that begins with `%` is a directive, and this one is not understood", "remove or quote it"),
    ("TAG", "tag directives are not supported", "remove the line"),
    ("tag", "this tag is not well formed", "quote the value if it begins with `!`"),
    ("handle", "this tag is not known", "leave it out, or quote the value if it begins with `!`"),
    ("document", "something stands where a document ends", "a file holds one document: remove `---` and `...`"),
    ("block scalar", "the head of this block text is not right", "write `key: |` and the text below, indented"),
    ("plain scalar", "this value cannot stand without quotes", "put quotes around it"),
    ("node content", "a value is missing or cannot begin here", "write a value, or quote the one that stands here"),
];

/// The scanner's error as a problem.
pub fn problem(found: &ScanError, text: &str, index: &Index<'_>) -> Problem {
    let mut place = index.at(found.marker().index());
    let info = found.info();
    if info.contains("recursion limit") {
        return super::read::too_deep(place);
    }
    let row = WORDS.iter().find(|(part, _, _)| info.contains(part));
    if let Some(at) = info.contains("unknown escape").then(|| text[..place.start].rfind('\\')).flatten() {
        place = super::place::at_offset(text, at);
    }
    if let Some(at) = bare_expression(text, place.start) {
        return error(&codes::SYNTAX, Some(at), "an expression stands without quotes inside `{ }` or `[ ]`")
            .hint("there `${{` begins a mapping; put quotes around the whole value: {run: './x \"${{ inputs.y }}\"'}");
    }
    match row {
        Some((_, message, hint)) => error(&codes::SYNTAX, Some(place), *message).hint(*hint),
        None => error(&codes::SYNTAX, Some(place), format!("this is not YAML: {info}"))
            .hint("check brackets, quotes and indentation here and on the line above"),
    }
}

/// The place of an expression that stands bare inside brackets on the line of `offset`, if that is likely the
/// cause: a bracket is open before it, and no quote is.
fn bare_expression(text: &str, offset: usize) -> Option<Place> {
    let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    // Looking for every `${{` of a hostile line of a megabyte would be quadratic; the first ones tell.
    let shown: String = line.chars().take(LINE_CHARACTERS_MAX).collect();
    shown.match_indices("${{").map(|(at, _)| at).find_map(|at| {
        let before = &shown[..at];
        let is_in_brackets = before.matches(['{', '[']).count() > before.matches(['}', ']']).count();
        // The value begins after the last `: `, `, ` or bracket; one that begins with a quote is fine.
        let begin = before.rfind([',', '{', '[']).map_or(0, |at| at + 1).max(before.rfind(": ").map_or(0, |at| at + 2));
        let is_bare = !before[begin..].trim_start().starts_with(['"', '\'']);
        (is_in_brackets && is_bare).then(|| super::place::at_offset(text, line_start + at))
    })
}

/// Characters of a line in which the cause of an error is looked for.
const LINE_CHARACTERS_MAX: usize = 1_000;
