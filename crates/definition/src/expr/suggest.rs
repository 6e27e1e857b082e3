//! "Did you mean".

/// Names listed in a hint.
const LISTED_MAX: usize = 12;

/// A hint about a missing name among `names`: what was meant, else what exists.
pub(crate) fn hint<'a>(name: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = crate::suggest::nearest(name, names.clone()) {
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
