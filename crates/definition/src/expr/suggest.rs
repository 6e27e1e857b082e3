//! "Did you mean".

/// The candidate that `name` was probably meant to be.
fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Half of a short name, three letters of a long one: further away it is another word.
    let furthest = (name.chars().count() / 2).clamp(1, 3);
    candidates
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= name.len() + furthest)
        .map(|candidate| (strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= furthest)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names compared for one suggestion: a value with more keys than this is data, not a record with a misspelled field.
const CANDIDATES_MAX: usize = 1_000;
/// Names listed in a hint.
const LISTED_MAX: usize = 12;

/// A hint about a missing name among `names`: what was meant, else what exists.
pub(crate) fn hint<'a>(name: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = closest(name, names.clone()) {
        return format!("did you mean `{meant}`?");
    }
    let all: Vec<&str> = names.into_iter().take(LISTED_MAX + 1).collect();
    match all.as_slice() {
        [] => "there are none".to_owned(),
        _ => {
            let shown: Vec<String> = all.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
            let more = if all.len() > LISTED_MAX { " and more" } else { "" };
            format!("there are {}{more}", shown.join(", "))
        }
    }
}
