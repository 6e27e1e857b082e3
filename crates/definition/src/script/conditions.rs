//! `[[ .. ]]`.

use super::lexer::{Lexer, Word, is_end_of_word};
use super::reasons::Reason;
use super::shells::Family;

impl Lexer<'_> {
    /// After `[[`, up to and with `]]`.
    pub(super) fn conditional(&mut self) {
        let start = self.at;
        let mut words: Vec<Word> = Vec::new();
        loop {
            self.skip_lines();
            let Some(byte) = self.byte() else { break };
            if is_end_of_word(byte) {
                self.at += 1;
                words.push(Word::default());
                continue;
            }
            let word = self.operand_of_condition(words.last().and_then(|word| word.literal.as_deref()));
            if word.plain && word.literal.as_deref() == Some("]]") {
                return self.arithmetic_operands(&words);
            }
            words.push(word);
        }
        self.unclear(start);
    }

    fn operand_of_condition(&mut self, operator: Option<&str>) -> Word {
        let mut word = Word::default();
        match operator {
            Some("=~") if self.family == Family::Korn => {
                self.forbidding(Some(Reason::Pattern), |this| word = this.regular_expression());
            }
            Some("=~") => self.forbidding_bare(Some(Reason::Pattern), |this| word = this.regular_expression()),
            Some("==" | "=" | "!=") => {
                self.forbidding_bare(Some(Reason::Pattern), |this| this.nested(|this| word = this.word(false)));
            }
            Some(_) | None => self.nested(|this| word = this.word(false)),
        }
        word
    }

    /// A regular expression: brackets and bars belong to it, blanks end it outside of brackets.
    fn regular_expression(&mut self) -> Word {
        let first = self.spots.len();
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'(' | b')' | b'|' | b'<' | b'>' | b';' => {
                    depth += usize::from(byte == b'(');
                    depth = depth.saturating_sub(usize::from(byte == b')'));
                    self.at += 1;
                }
                b' ' | b'\t' | b'\n' | b'&' if depth == 0 => break,
                b' ' | b'\t' | b'\n' | b'&' => self.at += 1,
                _ => self.nested(|this| drop(this.word(false))),
            }
        }
        Word { spots: first..self.spots.len(), ..Word::default() }
    }
}
