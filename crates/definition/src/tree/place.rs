//! From the parser's markers (characters) to places (line, column, byte offsets).

use saphyr_parser::Span;
use skep_model::problem::Place;

/// Characters between two remembered byte offsets: a lookup walks at most this many.
const STRIDE: usize = 64;

/// Turns the parser's character indices into byte offsets.
pub struct Index<'text> {
    text: &'text str,
    /// Byte offset of every `STRIDE`th character; empty if the text is ASCII, where both are the same.
    offsets: Vec<usize>,
}

impl<'text> Index<'text> {
    /// An index over `text`.
    pub fn new(text: &'text str) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STRIDE).map(|(offset, _)| offset).collect()
        };
        Self { text, offsets }
    }

    /// The byte offset of the character with this index; the text's length past its end.
    pub fn offset(&self, index: usize) -> usize {
        if self.offsets.is_empty() {
            return index.min(self.text.len());
        }
        let Some(base) = self.offsets.get(index / STRIDE) else { return self.text.len() };
        let mut rest = self.text[*base..].char_indices();
        rest.nth(index % STRIDE).map_or(self.text.len(), |(offset, _)| base + offset)
    }

    /// The place of a span of the parser.
    pub fn place(&self, span: Span) -> Place {
        Place {
            line: span.start.line() as u32,
            column: span.start.col() as u32 + 1,
            start: self.offset(span.start.index()),
            end: self.offset(span.end.index()),
        }
    }

    /// The place of one character.
    pub fn at(&self, index: usize) -> Place {
        at_offset(self.text, self.offset(index))
    }
}

/// The place of the character at a byte offset; at the end of the text, behind its last character that is
/// not blank, where something is missing.
pub fn at_offset(text: &str, offset: usize) -> Place {
    exactly_at(text, if offset >= text.len() { text.trim_end().len() } else { offset })
}

/// The place of the character at a byte offset, which may be the text's end.
pub fn exactly_at(text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let width = text[offset..].chars().next().map_or(0, char::len_utf8);
    Place {
        line: before.matches('\n').count() as u32 + 1,
        column: before[line_start..].chars().count() as u32 + 1,
        start: offset,
        end: offset + width,
    }
}
