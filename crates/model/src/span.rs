//! Lengths of time and sizes as people write them: `300ms 10s 5m 8h 3d`, `512MiB`.

/// Reads a duration such as `300ms`, `10s`, `5m`, `8h`, `3d`, `1h30m`, in milliseconds.
///
/// A fraction is allowed in the last part (`1.5h`). A bare number is refused: its unit would be a guess.
pub fn parse_duration_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |at| at + digits);
        total += amount * unit_ms(&rest[digits..unit_end])?;
        rest = rest[unit_end..].trim_start();
    }
    // 10,000 years; beyond it the sum of an instant and a duration has no meaning.
    (total <= 3.2e14).then_some(total.round() as u64)
}

fn unit_ms(unit: &str) -> Option<f64> {
    match unit {
        "ms" => Some(1.0),
        "s" => Some(1_000.0),
        "m" | "min" => Some(60_000.0),
        "h" => Some(3_600_000.0),
        "d" => Some(86_400_000.0),
        "w" => Some(604_800_000.0),
        _ => None,
    }
}

/// Prints milliseconds the way `parse_duration_ms` reads them, exactly: `10s`, `1h30m`, `300ms`, `0s`.
pub fn print_duration_ms(milliseconds: u64) -> String {
    if milliseconds == 0 {
        return "0s".to_owned();
    }
    let mut rest = milliseconds;
    let mut text = String::new();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    text
}

/// Reads a size such as `512`, `64KiB`, `512MiB`, `1GiB`, `10MB`, in bytes.
pub fn parse_size_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let amount: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    amount.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_back() {
        for (text, ms) in [
            ("300ms", 300),
            ("10s", 10_000),
            ("5m", 300_000),
            ("8h", 28_800_000),
            ("3d", 259_200_000),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(parse_duration_ms(text), Some(ms), "{text}");
            assert_eq!(parse_duration_ms(&print_duration_ms(ms)), Some(ms));
        }
        for text in ["", "10", "ten s", "5x", "-3s", "s"] {
            assert_eq!(parse_duration_ms(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_read() {
        assert_eq!(parse_size_bytes("512MiB"), Some(536_870_912));
        assert_eq!(parse_size_bytes("12"), Some(12));
        assert_eq!(parse_size_bytes("12 apples"), None);
    }
}
