//! The parser's events as a flat tape, under limits. No nesting is built here, and nothing recurses.

use std::borrow::Cow;
use std::cell::Cell;

use saphyr_parser::input::SkipTabs;
use saphyr_parser::{Event, Input, Parser, ScalarStyle, Span, StrInput, Tag as ParserTag};
use skep_model::limits::TREE_NODES_MAX;
use skep_model::problem::{Place, Problem};

use super::place::Index;
use super::scalar::Tag;
use super::{TREE_DEPTH_MAX, scan_error};
use crate::codes;
use crate::diagnostic::{Hint, error};

/// Tokens that the scanner may hold back before it can say whether a bracket is a key. 100 bytes each and
/// two per fetch keep the scanner under 60 MB; JSON of 1 MiB with real keys has fewer.
const FETCHES_PENDING_MAX: usize = 262_144;

/// A text as a flat list of items, containers before what they hold.
pub struct Tape<'text> {
    /// The items.
    pub items: Vec<Item<'text>>,
    /// Position on the tape of each anchor, by the parser's anchor number.
    pub anchors: Vec<Option<u32>>,
}

/// One item of the tape.
pub struct Item<'text> {
    /// What it is.
    pub what: What<'text>,
    /// Where it stands.
    pub place: Place,
}

/// What an item of the tape is.
pub enum What<'text> {
    /// A scalar.
    Scalar {
        /// Its text, escapes resolved.
        text: Cow<'text, str>,
        /// Written without quotes and not as a block.
        plain: bool,
        /// Its tag.
        tag: Tag,
    },
    /// A list; its items follow up to position `end`.
    List {
        /// First position behind it.
        end: u32,
    },
    /// A mapping; keys and values follow in turn up to position `end`.
    Map {
        /// First position behind it.
        end: u32,
    },
    /// The content of an anchor once more.
    Alias {
        /// The parser's anchor number.
        anchor: usize,
    },
}

/// Reads the whole text.
pub fn tape(text: &str) -> Result<Tape<'_>, Problem> {
    let fetches = Cell::new(0);
    let mut parser = Parser::new(Metered { inner: StrInput::new(text), fetches: &fetches });
    let mut reader = Reader {
        text,
        index: Index::new(text),
        items: Vec::new(),
        anchors: Vec::new(),
        open: Vec::new(),
        documents: 0,
        nodes: 0,
    };
    loop {
        fetches.set(0);
        let event = parser.next_event();
        if fetches.get() > FETCHES_PENDING_MAX {
            return Err(reader.too_many_tokens());
        }
        match event {
            None | Some(Ok((Event::StreamEnd, _))) => return reader.finish(),
            Some(Ok((event, span))) => reader.event(event, span)?,
            Some(Err(found)) => return Err(scan_error::problem(&found, text, &reader.index)),
        }
    }
}

/// A container that is not closed yet.
struct Open {
    position: u32,
    anchor: usize,
}

struct Reader<'text> {
    text: &'text str,
    index: Index<'text>,
    items: Vec<Item<'text>>,
    anchors: Vec<Option<u32>>,
    open: Vec<Open>,
    documents: usize,
    nodes: usize,
}

impl<'text> Reader<'text> {
    fn event(&mut self, event: Event<'text>, span: Span) -> Result<(), Problem> {
        let place = self.index.place(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.document(place),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag_of(tag.as_deref(), place)?;
                let plain = style == ScalarStyle::Plain;
                self.push(What::Scalar { text, plain, tag }, anchor, self.trimmed(place))
            }
            Event::SequenceStart(anchor, tag) => {
                tag_of(tag.as_deref(), place)?.allow_on("list", place)?;
                self.open(What::List { end: 0 }, anchor, place)
            }
            Event::MappingStart(anchor, tag) => {
                tag_of(tag.as_deref(), place)?.allow_on("map", place)?;
                self.open(What::Map { end: 0 }, anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(place);
                Ok(())
            }
        }
    }

    /// The parser's span of a block scalar reaches over its last line breaks, that of a quoted one over a
    /// comment behind it; a place that people see does not.
    fn trimmed(&self, mut place: Place) -> Place {
        let written = self.text.get(place.start..place.end).unwrap_or_default();
        let length = match written.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => quoted_length(written, *quote),
            Some(_) | None => written.trim_end().len(),
        };
        place.end = place.start + length;
        place
    }

    fn document(&mut self, place: Place) -> Result<(), Problem> {
        // A long prefix of a %TAG directive would be copied at every tag: quadratic work.
        if self.text[..place.start].lines().any(|line| line.starts_with("%TAG")) {
            return Err(error(&codes::TAG, Some(place), "tag directives (`%TAG`) are not supported")
                .hint("remove the line that starts with `%TAG`"));
        }
        self.documents += 1;
        if self.documents > 1 {
            return Err(error(
                &codes::DOCUMENTS,
                Some(place),
                "a second document begins here; a file holds one workflow",
            )
            .hint("put each workflow into its own file, or remove the line `---`"));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Problem> {
        if self.open.iter().any(|open| open.anchor == anchor) {
            return Err(error(&codes::ALIAS, Some(place), "this alias stands inside what it names, which never ends")
                .hint("write the content out"));
        }
        self.push(What::Alias { anchor }, 0, place)
    }

    fn push(&mut self, what: What<'text>, anchor: usize, place: Place) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > TREE_NODES_MAX {
            return Err(too_many_nodes(place));
        }
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            self.anchors[anchor] = Some(self.items.len() as u32);
        }
        self.items.push(Item { what, place });
        Ok(())
    }

    fn open(&mut self, what: What<'text>, anchor: usize, place: Place) -> Result<(), Problem> {
        if self.open.len() >= TREE_DEPTH_MAX {
            return Err(too_deep(place));
        }
        self.open.push(Open { position: self.items.len() as u32, anchor });
        self.push(what, anchor, place)
    }

    fn close(&mut self, place: Place) {
        let open = self.open.pop().expect("the parser ends only what it began");
        let here = self.items.len() as u32;
        let last_child_end = self.items.last().map_or(0, |item| item.place.end);
        let item = &mut self.items[open.position as usize];
        // The end of a block collection is an empty span before whatever follows; its last child ends it.
        let is_bracket = place.end > place.start && matches!(&self.text[place.start..place.end], "]" | "}");
        item.place.end = if is_bracket { place.end } else { last_child_end.max(item.place.start) };
        match &mut item.what {
            What::List { end } | What::Map { end } => *end = here,
            What::Scalar { .. } | What::Alias { .. } => unreachable!("only containers are opened"),
        }
    }

    fn too_many_tokens(&self) -> Problem {
        let place = self.items.last().map_or_else(|| self.index.at(0), |item| item.place);
        let message = format!("one bracket holds more than {FETCHES_PENDING_MAX} words and signs");
        error(&codes::TOO_MANY_NODES, Some(place), message).hint("split the definition, or move the data into a file")
    }

    fn finish(self) -> Result<Tape<'text>, Problem> {
        if self.items.is_empty() {
            let place = self.index.at(0);
            return Err(error(&codes::EMPTY, Some(place), "the text holds no workflow, only blanks or comments")
                .hint("begin with `name: my-workflow` and `steps:`"));
        }
        Ok(Tape { items: self.items, anchors: self.anchors })
    }
}

/// Bytes of the quoted scalar that `written` begins with, quotes included.
fn quoted_length(written: &str, quote: u8) -> usize {
    let bytes = written.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if quote == b'"' && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] != quote {
            at += 1;
        } else if quote == b'\'' && bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    written.len()
}

/// The error for a tree that is too large.
pub fn too_many_nodes(place: Place) -> Problem {
    let message = format!("the tree has more than {TREE_NODES_MAX} values here, aliases written out (TREE_NODES_MAX)");
    error(&codes::TOO_MANY_NODES, Some(place), message).hint("split the definition, or move the data into a file")
}

/// The error for a tree that is too deep.
pub fn too_deep(place: Place) -> Problem {
    let message = format!("lists and mappings nest deeper than {TREE_DEPTH_MAX} levels here (TREE_DEPTH_MAX)");
    error(&codes::TOO_DEEP, Some(place), message).hint("move the inner part into a workflow of its own")
}

fn tag_of(tag: Option<&ParserTag>, place: Place) -> Result<Tag, Problem> {
    let Some(tag) = tag else { return Ok(Tag::None) };
    Tag::parse(&tag.handle, &tag.suffix).ok_or_else(|| {
        let mut written = tag.to_string().replace("tag:yaml.org,2002:!", "!!");
        written.truncate(written.char_indices().nth(40).map_or(written.len(), |(at, _)| at));
        error(&codes::TAG, Some(place), format!("the tag `{written}` is not supported"))
            .hint("leave it out; `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq`, `!!map` are understood")
    })
}

/// The text for the scanner, with a meter: every token costs one call of `lookahead(4)`, so that a text
/// whose tokens would all be held back ends early instead of filling the memory.
struct Metered<'text, 'meter> {
    inner: StrInput<'text>,
    fetches: &'meter Cell<usize>,
}

impl Input for Metered<'_, '_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        if count == 4 {
            self.fetches.set(self.fetches.get() + 1);
            if self.fetches.get() > FETCHES_PENDING_MAX {
                self.inner = StrInput::new("");
            }
        }
        self.inner.lookahead(count);
    }
    #[inline]
    fn buflen(&self) -> usize {
        self.inner.buflen()
    }
    #[inline]
    fn bufmaxlen(&self) -> usize {
        self.inner.bufmaxlen()
    }
    #[inline]
    fn raw_read_ch(&mut self) -> char {
        self.inner.raw_read_ch()
    }
    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.inner.raw_read_non_breakz_ch()
    }
    #[inline]
    fn skip(&mut self) {
        self.inner.skip();
    }
    #[inline]
    fn skip_n(&mut self, count: usize) {
        self.inner.skip_n(count);
    }
    #[inline]
    fn peek(&self) -> char {
        self.inner.peek()
    }
    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.inner.peek_nth(n)
    }
    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.inner.peek_opt()
    }
    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        self.inner.next_can_be_plain_scalar(in_flow)
    }
    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        self.inner.next_is_blank_or_break()
    }
    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        self.inner.next_is_blank_or_breakz()
    }
    #[inline]
    fn next_is_blank(&self) -> bool {
        self.inner.next_is_blank()
    }
    #[inline]
    fn next_is_break(&self) -> bool {
        self.inner.next_is_break()
    }
    #[inline]
    fn next_is_breakz(&self) -> bool {
        self.inner.next_is_breakz()
    }
    #[inline]
    fn next_is_document_indicator(&self) -> bool {
        self.inner.next_is_document_indicator()
    }
    fn skip_ws_to_eol(&mut self, skip_tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        self.inner.skip_ws_to_eol(skip_tabs)
    }
    fn skip_while_non_breakz(&mut self) -> usize {
        self.inner.skip_while_non_breakz()
    }
    fn skip_while_blank(&mut self) -> usize {
        self.inner.skip_while_blank()
    }
}
