//! Which workflows fit what somebody is about to do: a plain ranking by the words of their text and tags.

use std::collections::BTreeSet;

use super::templates::Template;

/// Weight of words in name and tags, and of those in description and category.
const STRONG: f64 = 0.6;
const WEAK: f64 = 0.4;
/// Below this a workflow does not fit.
const CONFIDENCE_MIN: f64 = 0.2;
/// Words that say nothing about what is meant.
const COMMON: [&str; 24] = [
    "a", "an", "and", "are", "at", "be", "by", "do", "for", "from", "has", "in", "is", "it", "my", "of", "on", "or",
    "our", "the", "to", "we", "what", "with",
];
/// Letters that two words must share at their beginning to be forms of the same one: `deploy`, `deployment`.
const STEM: usize = 5;

/// A workflow that may fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// Its path in the library.
    pub workflow: String,
    /// Its name.
    pub name: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// The words by which it was found; empty: it was not, and is one of those that succeed most often.
    pub because: Vec<String>,
}

/// The templates that fit `words` best, at most `limit`; with nothing that fits, those that are used and succeed most.
pub fn suggest(templates: &[Template], words: &str, limit: usize) -> Vec<Suggestion> {
    let wanted = words_of(words);
    let mut found: Vec<Suggestion> = templates.iter().filter_map(|template| fit(template, &wanted)).collect();
    if found.is_empty() {
        found = templates.iter().map(popular).collect();
    }
    found.sort_by(|left, right| {
        right.confidence.total_cmp(&left.confidence).then_with(|| left.workflow.cmp(&right.workflow))
    });
    found.truncate(limit);
    found
}

fn fit(template: &Template, wanted: &BTreeSet<String>) -> Option<Suggestion> {
    if wanted.is_empty() {
        return None;
    }
    let strong = words_of(&format!("{} {}", template.entry.name, template.tags.join(" ")));
    let weak = words_of(&format!("{} {} {}", template.entry.description, template.category, template.entry.path));
    let share = |words: &BTreeSet<String>| {
        wanted.iter().filter(|word| words.iter().any(|other| alike(word, other))).count() as f64 / wanted.len() as f64
    };
    let confidence = STRONG * share(&strong) + WEAK * share(&weak);
    let is_in = |word: &&String| strong.iter().chain(&weak).any(|other| alike(word, other));
    (confidence >= CONFIDENCE_MIN).then(|| Suggestion {
        workflow: template.entry.path.clone(),
        name: template.entry.name.clone(),
        confidence,
        because: wanted.iter().filter(is_in).cloned().collect(),
    })
}

/// What succeeds and is used, as a share of what always succeeds and is used all the time.
fn popular(template: &Template) -> Suggestion {
    let usage = &template.usage;
    let used = usage.executions as f64 / (usage.executions as f64 + 10.0);
    Suggestion {
        workflow: template.entry.path.clone(),
        name: template.entry.name.clone(),
        confidence: CONFIDENCE_MIN * used * usage.success_rate().unwrap_or(0.0),
        because: Vec::new(),
    }
}

fn words_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| word.chars().count() > 1 && !COMMON.contains(&word.as_str())).collect()
}

/// The same word, or another form of it.
fn alike(left: &str, right: &str) -> bool {
    let shared = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
    left == right || shared >= STEM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_alike_and_common_words_say_nothing() {
        assert!(alike("deploy", "deployment") && alike("incident", "incidents"));
        assert!(!alike("data", "database") && !alike("log", "login"));
        assert_eq!(words_of("What is the Data-base of us?"), BTreeSet::from(["base", "data", "us"].map(String::from)));
    }
}
