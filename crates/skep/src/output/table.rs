//! Plain tables.

/// Columns as wide as their widest cell; the last one is not filled up. Cells hold no line breaks.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let heading: Vec<String> = heading.iter().map(ToString::to_string).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in lines {
        let mut filled = String::new();
        for (cell, width_max) in line.iter().zip(&widths) {
            filled.push_str(cell);
            filled.push_str(&" ".repeat(width_max - width(cell) + 2));
        }
        text.push_str(filled.trim_end());
        text.push('\n');
    }
    text
}

/// Characters that a terminal shows.
pub(super) fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|part| part.chars().count()).sum()
}
