//! Figures and how they are shown.

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was done.
    pub work: String,
    /// What came out.
    pub measured: String,
    /// What the floor gave in the same run.
    pub floor: String,
    /// One beside the other.
    pub ratio: String,
    /// What it was to reach.
    pub target: String,
    /// How often it was measured; the figures are medians.
    pub repeats: usize,
}

/// The middle one; of an even number the lower of the two.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value that `share` of all values do not exceed; 0 without values.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// A whole number with separators.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A ratio.
pub fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// Seconds as milliseconds.
pub fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1_000.0)
}

/// The figures as Markdown.
pub fn table(figures: &[Figure]) -> String {
    let mut text =
        String::from("| work | measured | floor | ratio | to reach | repeats |\n|---|---|---|---|---|---|\n");
    for Figure { work, measured, floor, ratio, target, repeats } in figures {
        text.push_str(&format!("| {work} | {measured} | {floor} | {ratio} | {target} | {repeats} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_and_readable() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[]), median(&[4.0, 1.0])), (2.0, 0.0, 1.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.99), 4.0);
        assert_eq!((milliseconds(0.001_234), ratio(0.456)), ("1.23 ms".to_owned(), "0.46".to_owned()));
        let shown: Vec<String> = [0.4, 999.0, 1_000.0, 1_234_567.2].map(thousands).into();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
