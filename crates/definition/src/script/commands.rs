//! Lists of commands: which word is the name of a command, and which commands evaluate their words.

use super::expansions::declared_name;
use super::lexer::{Lexer, Quoting, Verdict, Word};
use super::reasons::Reason;
use super::said::{Said, Spoken};
use super::shells::{Evaluator, Family, base_name, evaluator, is_opening, is_unclear, is_wrapper, takes_names};

/// What ends a list of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Script,
    /// `)`.
    Bracket,
    /// `;;`, `;&`, `;;&` or `esac`.
    CaseItem,
}

/// How a list of commands ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// At the end of what was to be read.
    Text,
    /// At what it was to end with.
    Found,
    /// At `esac` instead of `;;`.
    Esac,
}

/// What is known of the command that is being read.
#[derive(Debug, Default)]
struct Command {
    /// Its name; empty if the name is expanded.
    name: Option<String>,
    wrapped: bool,
    /// An option of a declaration was seen.
    option: bool,
    evaluator: Option<Evaluator>,
    /// The next word is the text of a program, or the name of a variable.
    next: Option<Reason>,
    /// Documents that were pending when it began.
    documents: usize,
    operands: Vec<Word>,
    /// All of it, for those who ask what a script calls.
    said: Said,
}

impl Lexer<'_> {
    /// The commands of the script, or of a substitution up to its `)`.
    pub(super) fn list(&mut self, end: End) {
        let start = self.at;
        let outer = std::mem::take(&mut self.pending);
        let handed = std::mem::take(&mut self.handed);
        let ended = self.commands(end);
        self.handed = handed;
        if end == End::Script {
            return;
        }
        let lines = self.text[start..self.at].contains('\n');
        if ended == Ended::Text || (lines && !outer.is_empty()) {
            self.unclear(start);
        }
        if !self.pending.is_empty() {
            // Their bodies were to come before the bracket: shells disagree where they are.
            self.unclear(self.at);
        }
        self.pending.splice(0..0, outer);
    }

    fn commands(&mut self, end: End) -> Ended {
        let mut command = self.fresh();
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' => {
                    self.finish(&mut command);
                    self.newline();
                }
                b'#' => self.comment(),
                b';' | b'&' | b'|' => {
                    if self.separator(&mut command, end) {
                        return Ended::Found;
                    }
                }
                b')' => {
                    self.at += 1;
                    self.finish(&mut command);
                    if end == End::Bracket {
                        return Ended::Found;
                    }
                }
                b'(' => self.bracket(&mut command),
                b'<' | b'>' => self.redirection(&mut command),
                b'\\' if self.starts_with("\\\n") => self.at += 2,
                _ => {
                    if self.next_word(&mut command) && end == End::CaseItem {
                        return Ended::Esac;
                    }
                }
            }
        }
        self.finish(&mut command);
        Ended::Text
    }

    fn fresh(&self) -> Command {
        Command { documents: self.pending.len(), ..Command::default() }
    }

    pub(super) fn comment(&mut self) {
        let end = self.rest().find('\n').map_or(self.limit, |index| self.at + index);
        while self.at < end {
            let before = self.spots.len();
            if !self.dollar_of_ours(Quoting::Bare) {
                self.step();
            } else if self.spots[before].verdict != Verdict::Escape {
                let spot = &mut self.spots[before];
                spot.verdict = Verdict::Comment;
                spot.end = spot.end.min(end);
            }
        }
        self.at = end;
    }

    /// `;`, `&`, `|` and their doubles; true if it ends an item of a `case`.
    fn separator(&mut self, command: &mut Command, end: End) -> bool {
        if self.starts_with("&>") {
            self.at += 1;
            self.redirection(command);
            return false;
        }
        let said = self.finish(command);
        if self.starts_with("|") && !self.starts_with("||") {
            command.said.from = said;
        }
        let item = [";;&", ";;", ";&"].into_iter().find(|mark| self.starts_with(mark));
        if let Some(mark) = item
            && end == End::CaseItem
        {
            self.at += mark.len();
            return true;
        }
        self.at += if self.starts_with("||") || self.starts_with("&&") || self.starts_with("|&") { 2 } else { 1 };
        false
    }

    /// `(` outside of a word: arithmetic, a subshell, or the brackets of a function.
    fn bracket(&mut self, command: &mut Command) {
        if self.starts_with("((") && command.name.is_none() {
            self.arithmetic();
            return;
        }
        let start = self.at;
        self.at += 1;
        if let Some(name) = command.name.take() {
            self.functions.push(name);
        }
        let mut ended = Ended::Found;
        self.nested(|this| ended = this.commands(End::Bracket));
        if ended == Ended::Text {
            self.unclear(start);
        }
        *command = self.fresh();
    }

    fn redirection(&mut self, command: &mut Command) {
        if self.starts_with("<<<") {
            self.at += 3;
            self.skip_blanks();
            let word = self.read_word(false);
            command.said.texts.push(word.skeleton.clone());
            command.operands.push(Word { literal: None, plain: false, ..word });
        } else if self.starts_with("<<") {
            self.document_mark();
        } else if self.starts_with("<(") || self.starts_with(">(") {
            self.at += 2;
            let program = command.evaluator.is_some() || matches!(command.name.as_deref(), Some("source" | "."));
            self.forbidding(program.then_some(Reason::ProgramText), Self::substitution);
        } else {
            let writes = self.byte() == Some(b'>');
            while matches!(self.byte(), Some(b'<' | b'>' | b'&' | b'|')) {
                self.at += 1;
            }
            self.skip_blanks();
            if self.byte().is_some_and(|byte| !super::lexer::is_end_of_word(byte)) {
                let word = self.read_word(false);
                if writes {
                    command.said.targets.push(word.skeleton);
                }
            }
        }
    }

    pub(super) fn skip_blanks(&mut self) {
        loop {
            if matches!(self.byte(), Some(b' ' | b'\t')) {
                self.at += 1;
            } else if self.starts_with("\\\n") {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    fn read_word(&mut self, assignable: bool) -> Word {
        let mut word = Word::default();
        self.nested(|this| word = this.word(assignable));
        word
    }

    /// Reads a word of a command and what it means for the words after it; true after `esac`.
    fn next_word(&mut self, command: &mut Command) -> bool {
        let next = command.next.take();
        let reason = next.or_else(|| self.reason_of(command));
        let mut word = Word::default();
        self.forbidding(reason, |this| word = this.read_word(command.name.is_none()));
        let literal = word.literal.clone().unwrap_or_default();
        if word.plain && is_descriptor(&literal) && matches!(self.byte(), Some(b'<' | b'>')) {
            command.next = next;
            return false;
        }
        if command.name.is_none() && word.plain {
            match literal.as_str() {
                "esac" => return true,
                "case" => return self.restart(command, Self::case),
                "for" | "select" => return self.restart(command, Self::loop_head),
                "function" => return self.restart(command, Self::function_name),
                "[[" => return self.restart(command, Self::conditional),
                _ if is_opening(&literal) => {
                    command.wrapped = false;
                    return false;
                }
                _ if is_unclear(&literal, self.family) => self.unclear(word.start),
                _ => {}
            }
        }
        if next == Some(Reason::ProgramText) && literal.starts_with(['-', '+']) {
            // `bash -c -e TEXT`: more options may come before the text.
            command.next = next;
        }
        self.know(command, word);
        false
    }

    fn restart(&mut self, command: &mut Command, read: fn(&mut Self)) -> bool {
        self.nested(read);
        *command = self.fresh();
        false
    }

    /// What a word says about its command. What is expanded in it counts as empty: `$DIR/bash`, `${NONE}eval`.
    fn know(&mut self, command: &mut Command, word: Word) {
        let literal = word.skeleton.as_str();
        command.said.words.push(Spoken::of(&word, self.at));
        if command.evaluator.is_some_and(|evaluator| evaluator.takes_text_after(literal)) {
            command.next = Some(Reason::ProgramText);
        }
        if command.evaluator.is_some_and(|evaluator| evaluator.is_text_itself(literal))
            || self.is_joined_text(command, &word)
        {
            self.refuse(&word, Reason::ProgramText);
        }
        let named = evaluator(literal).filter(|found| *found != Evaluator::Script || command.name.is_none());
        command.evaluator = command.evaluator.or(named);
        match &command.name {
            None if word.assigned.is_some() => {}
            None if is_wrapper(literal) || may_vanish(&word) => command.wrapped = true,
            None if command.wrapped && literal.starts_with('-') => {}
            None => self.name(command, &word),
            Some(name) => {
                command.next = command.next.or_else(|| next_of(name, literal));
                let before = command.operands.last().and_then(|word| word.literal.as_deref()).unwrap_or_default();
                if takes_names(name) && !takes_a_value(before) {
                    self.refuse(&word, Reason::VariableName);
                }
                command.option |= literal.starts_with(['-', '+']);
                if is_declaration(name) && command.operands.iter().any(is_integer_option) {
                    self.integers.extend(declared_name(literal).map(str::to_owned));
                }
                command.operands.push(word);
            }
        }
    }

    /// `-cTEXT` where the text holds a value.
    fn is_joined_text(&self, command: &Command, word: &Word) -> bool {
        let before = self.spots[word.spots.clone()].first().map_or("", |first| &self.text[word.start..first.start]);
        let before = before.trim_start_matches(['"', '\'']);
        command.evaluator.is_some_and(|evaluator| evaluator.is_text_itself(before))
    }

    fn name(&mut self, command: &mut Command, word: &Word) {
        for spot in &mut self.spots[word.spots.clone()] {
            if let Verdict::Place(quoting) = spot.verdict
                && !self.text[word.start..spot.start].contains("$(")
            {
                spot.verdict = Verdict::CommandName(quoting);
            }
        }
        let name = base_name(&word.skeleton);
        command.name = Some(name.to_owned());
        if name == "ssh" {
            self.handed = true;
        }
    }

    /// Why the next word of a command cannot hold a value.
    fn reason_of(&self, command: &Command) -> Option<Reason> {
        match command.name.as_deref()? {
            "eval" | "alias" => Some(Reason::Evaluated),
            "trap" => Some(Reason::Trap),
            "let" => Some(Reason::Arithmetic),
            "declare" | "typeset" => Some(Reason::Declaration),
            "local" | "export" | "readonly" if command.option => Some(Reason::Declaration),
            "integer" if self.family == Family::Korn => Some(Reason::Declaration),
            "unset" => Some(Reason::VariableName),
            _ => None,
        }
    }

    pub(super) fn refuse(&mut self, word: &Word, reason: Reason) {
        for spot in &mut self.spots[word.spots.clone()] {
            if !matches!(spot.verdict, Verdict::Escape | Verdict::NeverClosed | Verdict::Refuse(_)) {
                spot.verdict = Verdict::Refuse(reason);
            }
        }
    }

    /// Everything since the unclear place is refused.
    pub(super) fn refuse_unclear(&mut self) {
        let from = self.unclear_from;
        for spot in self.spots.iter_mut().filter(|spot| spot.start >= from) {
            if matches!(spot.verdict, Verdict::Place(_) | Verdict::CommandName(_) | Verdict::Handed(_)) {
                spot.verdict = Verdict::Refuse(Reason::Unclear);
            }
        }
    }

    /// A command is complete: it is kept, and its documents belong to it. Gives its number.
    fn keep(&mut self, command: &mut Command) -> Option<usize> {
        let said = std::mem::take(&mut command.said);
        if said.words.is_empty() && said.targets.is_empty() {
            return None;
        }
        let number = self.said.len();
        for document in self.pending.iter_mut().skip(command.documents) {
            document.said = Some(number);
        }
        self.said.push(said);
        Some(number)
    }

    /// A command is complete.
    fn finish(&mut self, command: &mut Command) -> Option<usize> {
        let reads_program = command.evaluator.is_some() && is_interpreter(command);
        if reads_program || command.name.as_deref() == Some("ssh") {
            self.hand_documents(command.documents);
            for word in &command.operands {
                if word.literal.is_none() && !word.plain && word.spots.len() == 1 && self.is_here_string(word) {
                    self.hand(word.spots.clone());
                }
            }
        }
        if matches!(command.name.as_deref(), Some("[" | "test")) && self.family == Family::Korn {
            self.arithmetic_operands(&command.operands);
        }
        self.handed = false;
        let from = command.said.from;
        let said = self.keep(command);
        *command = self.fresh();
        if said.is_none() {
            // A newline after `|`: the command is still to come.
            command.said.from = from;
        }
        said
    }

    fn is_here_string(&self, word: &Word) -> bool {
        let start = self.spots[word.spots.start].start;
        self.text[..start].trim_end_matches(['"', ' ', '\t']).ends_with("<<<")
    }

    fn hand(&mut self, spots: std::ops::Range<usize>) {
        for spot in &mut self.spots[spots] {
            if let Verdict::Place(quoting) = spot.verdict {
                spot.verdict = Verdict::Handed(quoting);
            }
        }
    }

    /// Operands of arithmetic comparisons, and names of variables after `-v`.
    pub(super) fn arithmetic_operands(&mut self, words: &[Word]) {
        for (index, word) in words.iter().enumerate() {
            let literal = word.literal.as_deref().unwrap_or_default();
            let reason = match literal {
                "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => Reason::Arithmetic,
                "-v" | "-R" => Reason::VariableName,
                _ => continue,
            };
            let before = index.checked_sub(1).filter(|_| reason == Reason::Arithmetic);
            for operand in before.into_iter().chain([index + 1]).filter_map(|index| words.get(index)) {
                self.refuse(operand, reason);
            }
        }
    }

    /// `case WORD in (PATTERN | PATTERN) commands ;; .. esac`, after `case`.
    fn case(&mut self) {
        self.skip_blanks();
        self.read_word(false);
        self.skip_lines();
        let word = self.read_word(false);
        if word.literal.as_deref() != Some("in") {
            return;
        }
        loop {
            self.skip_lines();
            self.at += usize::from(self.byte() == Some(b'('));
            if self.at >= self.limit || self.patterns() {
                return;
            }
            if self.commands(End::CaseItem) != Ended::Found {
                return;
            }
        }
    }

    /// The patterns of an item and their `)`; true at `esac`.
    fn patterns(&mut self) -> bool {
        let mut first = true;
        loop {
            self.skip_lines();
            match self.byte() {
                None => return true,
                Some(b')') => {
                    self.at += 1;
                    return false;
                }
                Some(byte) if super::lexer::is_end_of_word(byte) => self.at += 1,
                Some(_) => {
                    let mut word = Word::default();
                    self.forbidding_bare(Some(Reason::Pattern), |this| word = this.read_word(false));
                    if first && word.plain && word.literal.as_deref() == Some("esac") {
                        return true;
                    }
                    first = false;
                }
            }
        }
    }

    /// Blanks, newlines and comments.
    pub(super) fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            match self.byte() {
                Some(b'\n') => self.newline(),
                Some(b'#') => self.comment(),
                Some(_) | None => return,
            }
        }
    }

    /// After `for`: the variable or the arithmetic. What follows are plain words.
    fn loop_head(&mut self) {
        self.skip_blanks();
        if self.starts_with("((") {
            return self.arithmetic();
        }
        self.forbidding(Some(Reason::VariableName), |this| drop(this.read_word(false)));
        self.skip_lines();
        if self.starts_with("in ") || self.starts_with("in\t") {
            self.at += 2;
            while self.byte().is_some_and(|byte| !matches!(byte, b';' | b'\n' | b'&' | b'|' | b')')) {
                self.skip_blanks();
                match self.byte() {
                    Some(b'#') => self.comment(),
                    Some(byte) if !super::lexer::is_end_of_word(byte) => drop(self.read_word(false)),
                    Some(b'<' | b'>' | b'(') => self.at += 1,
                    Some(_) | None => {}
                }
            }
        }
    }

    fn function_name(&mut self) {
        self.skip_blanks();
        let word = self.read_word(false);
        self.functions.push(word.skeleton);
    }
}

/// The command runs the interpreter without naming a script file: what it reads is its program.
fn is_interpreter(command: &Command) -> bool {
    let named = command.name.as_deref().is_some_and(|name| evaluator(name).is_some());
    let file = command.operands.iter().any(|word| word.literal.as_deref().is_some_and(is_file_operand));
    if named { !file } else { true }
}

fn is_file_operand(word: &str) -> bool {
    !word.is_empty() && !word.starts_with(['-', '+'])
}

/// `$SUDO` before a command: without a value it is no word at all, and the next word is the name.
fn may_vanish(word: &Word) -> bool {
    word.literal.is_none() && word.plain && word.skeleton.is_empty() && word.spots.is_empty()
}

/// `2` of `2>file`, `{fd}` of `{fd}>file`.
fn is_descriptor(word: &str) -> bool {
    !word.is_empty() && (word.bytes().all(|byte| byte.is_ascii_digit()) || word.starts_with('{') && word.ends_with('}'))
}

/// `-p` of `read -p PROMPT` and its like.
fn takes_a_value(option: &str) -> bool {
    option.starts_with('-') && option.ends_with(['p', 'd', 'i', 't', 'n', 'N', 'u', 'C', 'c', 'O', 's'])
}

fn is_declaration(name: &str) -> bool {
    matches!(name, "declare" | "typeset" | "local" | "export" | "readonly" | "integer")
}

fn is_integer_option(word: &Word) -> bool {
    word.literal.as_deref().is_some_and(|option| option.starts_with('-') && option.contains('i'))
}

/// What the word after this one is.
fn next_of(name: &str, literal: &str) -> Option<Reason> {
    match (name, literal) {
        ("printf" | "wait", "-v" | "-p") => Some(Reason::VariableName),
        ("test" | "[", "-v" | "-R") => Some(Reason::VariableName),
        _ => None,
    }
}
