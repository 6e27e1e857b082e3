//! The page that holds the figures: what stands between two markers is generated, the rest is written by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

/// Replaces what stands between the markers of `file`.
///
/// # Errors
/// The file cannot be read or written, or lacks a marker.
pub fn write(file: &Path, generated: &str) -> Result<()> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("reading {shown}"))?;
    let text = replaced(&text, generated).with_context(|| format!("{shown} lacks `{BEGIN}` or `{END}` after it"))?;
    fs::write(file, text).with_context(|| format!("writing {shown}"))
}

fn replaced(text: &str, generated: &str) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    Some(format!("{}\n\n{}\n\n{}", &text[..begin], generated.trim(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = format!("# Page\n\n{BEGIN}\nold\n{END}\n\nafter\n");
        let first = replaced(&page, "\nnew\n").unwrap();
        assert_eq!(first, format!("# Page\n\n{BEGIN}\n\nnew\n\n{END}\n\nafter\n"));
        assert_eq!(replaced(&first, "new").unwrap(), first);
    }

    #[test]
    fn a_page_without_markers_in_their_order_is_left_alone() {
        for page in ["", BEGIN, END, &format!("{END}\n{BEGIN}")] {
            assert_eq!(replaced(page, "new"), None, "{page}");
        }
    }
}
