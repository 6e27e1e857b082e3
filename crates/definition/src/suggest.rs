//! "Did you mean ..?": the known word that is nearest to an unknown one.
//!
//! This module must not know what the words name. Neighbours: every part of this crate that reports an
//! unknown key, step, input, output or action.

/// The candidate that `word` was most likely meant to be; `None` if none is near.
///
/// Near means: the only one that begins so, equal but for case and `-`/`_`, or at most a third of its letters
/// wrong (a swap counts once).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer texts are no slips, and comparing them costs their product.
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let folded = fold(word);
    let allowed = folded.chars().count().div_ceil(3);
    let mut begun = Vec::new();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(CANDIDATES_MAX) {
        let other = fold(candidate);
        if folded.len() >= PREFIX_BYTES_MIN && other.starts_with(&folded) {
            begun.push(candidate);
        }
        let distance = distance_within(&folded, &other, allowed);
        if let Some(distance) = distance
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    match begun.as_slice() {
        [only] => Some(only),
        _ => best.map(|(_, candidate)| candidate),
    }
}

/// No word of the language, and hardly a name, is longer.
const WORD_BYTES_MAX: usize = 64;
/// The beginning of a word stands for it (`expo`) from this length on.
const PREFIX_BYTES_MIN: usize = 3;
/// Words compared for one suggestion: more of them are data, not names that one misspells.
const CANDIDATES_MAX: usize = 1_000;

/// The sentence ``did you mean `X`?``, if a candidate is near.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// ``did you mean `X`?``, else the list of what there is (at most ten names), else `None`.
pub fn meant_or_known<'a>(
    word: &str,
    what: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    did_you_mean(word, candidates.clone()).or_else(|| {
        let listed = list_names(candidates);
        (!listed.is_empty()).then(|| format!("{what}: {listed}"))
    })
}

/// Names in backticks, separated by commas; more than ten are counted.
pub fn list_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    /// More would bury the message.
    const SHOWN_MAX: usize = 10;
    let mut shown = Vec::new();
    let mut rest = 0;
    for name in names {
        if shown.len() < SHOWN_MAX {
            shown.push(format!("`{name}`"));
        } else {
            rest += 1;
        }
    }
    let listed = shown.join(", ");
    if rest == 0 { listed } else { format!("{listed} and {rest} more") }
}

fn fold(word: &str) -> String {
    word.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The distance of two folded words, if it is at most `allowed`. The difference of their lengths is a
/// lower bound and spares most of the work.
fn distance_within(word: &str, candidate: &str, allowed: usize) -> Option<usize> {
    let (longer, shorter) = (word.len().max(candidate.len()), word.len().min(candidate.len()));
    // Four bytes is the longest character, so this never drops a near one.
    if longer - shorter > allowed * 4 {
        return None;
    }
    let distance = strsim::osa_distance(word, candidate);
    (distance <= allowed).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found() {
        let known = ["depends_on", "description", "build", "test_unit", "deploy"];
        for (word, expect) in [
            ("depend_on", Some("depends_on")),
            ("dependsOn", Some("depends_on")),
            ("biuld", Some("build")),
            ("test-unit", Some("test_unit")),
            ("BUILD", Some("build")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
    }

    #[test]
    fn a_list_is_bounded() {
        let names: Vec<String> = (0..12).map(|number| format!("n{number}")).collect();
        let listed = list_names(names.iter().map(String::as_str));
        assert!(listed.ends_with("`n9` and 2 more"), "{listed}");
        assert_eq!(meant_or_known("x", "known names", std::iter::empty()), None);
    }
}
