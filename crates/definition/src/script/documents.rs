//! Here-documents.

use super::lexer::{Lexer, Quoting};
use super::reasons::Reason;

/// A here-document whose body begins after the next newline.
#[derive(Clone, Debug)]
pub(super) struct Document {
    mark: String,
    /// `<<-`: tabs at the begin of a line do not count.
    tabs: bool,
    /// The mark was quoted: nothing is expanded.
    quoted: bool,
    forbidden: Option<Reason>,
    /// Another interpreter reads it.
    handed: bool,
    /// The number of the command that reads it.
    pub said: Option<usize>,
}

impl Lexer<'_> {
    /// At `<<` or `<<-`, which is not `<<<`.
    pub(super) fn document_mark(&mut self) {
        self.at += 2;
        let tabs = self.starts_with("-");
        self.at += usize::from(tabs);
        while matches!(self.byte(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let start = self.at;
        let mut word = None;
        self.forbidding(Some(Reason::DocumentMark), |this| word = Some(this.word(false)));
        let word = word.expect("the word was just read");
        let written = &self.text[start..self.at];
        if word.spots.is_empty() && !written.contains('`') {
            // `$X` as a mark is not expanded: the mark is the text itself.
            let mark = word.literal.unwrap_or_else(|| written.replace(['"', '\'', '\\'], ""));
            let quoted = written.contains(['"', '\'', '\\']);
            self.pending.push(Document {
                mark,
                tabs,
                quoted,
                forbidden: self.forbidden,
                handed: self.handed,
                said: None,
            });
        } else {
            self.unclear(start);
        }
    }

    /// The documents of this line turn out to be read by another interpreter.
    pub(super) fn hand_documents(&mut self, from: usize) {
        for document in self.pending.iter_mut().skip(from) {
            document.handed = true;
        }
    }

    /// At a newline: the bodies of the documents of this line follow.
    pub(super) fn newline(&mut self) {
        self.at += 1;
        for document in std::mem::take(&mut self.pending) {
            self.body(&document);
        }
    }

    fn body(&mut self, document: &Document) {
        let start = self.at;
        let (end, after) = self.end_of_body(document);
        if let Some(said) = document.said.and_then(|said| self.said.get_mut(said)) {
            said.texts.push(self.text[start..end].to_owned());
        }
        let (limit, handed) = (self.limit, self.handed);
        let forbidden = std::mem::replace(&mut self.forbidden, document.forbidden);
        let bare_forbidden = self.bare_forbidden.take();
        (self.limit, self.handed) = (end, document.handed);
        if document.quoted {
            self.forbidding(Some(Reason::QuotedDocument), Self::plain_body);
        } else {
            let unclear = self.unclear_from;
            self.expanded_body();
            // A bracket that the body leaves open cannot reach beyond the body.
            if self.unclear_from != unclear && self.unclear_from >= start {
                self.refuse_unclear();
                self.unclear_from = unclear;
            }
        }
        (self.limit, self.handed) = (limit, handed);
        (self.forbidden, self.bare_forbidden) = (forbidden, bare_forbidden);
        self.at = after;
    }

    fn plain_body(&mut self) {
        while self.at < self.limit {
            if !self.dollar_of_ours(Quoting::Double) {
                self.step();
            }
        }
    }

    fn expanded_body(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b'$' | b'`' => self.in_quotes(),
                b'\\' => self.escape(),
                _ => self.step(),
            }
        }
    }

    /// Where the body ends, and where the script goes on after the line with the mark.
    fn end_of_body(&self, document: &Document) -> (usize, usize) {
        let mut line_start = self.at;
        let mut joined = false;
        while line_start < self.limit {
            let line_end = self.text[line_start..self.limit].find('\n').map_or(self.limit, |index| line_start + index);
            let line = &self.text[line_start..line_end];
            let compared = if document.tabs { line.trim_start_matches('\t') } else { line };
            let after = (line_end + 1).min(self.limit);
            if compared == document.mark && !joined {
                return (line_start, after);
            }
            let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
            joined = !document.quoted && backslashes % 2 == 1;
            line_start = line_end + 1;
        }
        (self.limit, self.limit)
    }
}
