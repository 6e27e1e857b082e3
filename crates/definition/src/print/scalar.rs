//! Texts: plain where every reader of YAML 1.1 and 1.2 takes them for the same text, else quoted.

/// Characters that mean something at the beginning of a plain text.
const INDICATORS: &[char] =
    &['-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '=', '<', '~'];

/// Words that some reader takes for a boolean or for nothing, in any case.
const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"];

/// A text on one line; `in_flow` inside brackets, where commas and brackets end a plain text.
pub fn inline(text: &str, in_flow: bool) -> String {
    if is_plain(text, in_flow) {
        text.to_owned()
    } else if text.chars().any(needs_escape) || !text.contains(['"', '\\']) || text.contains('\'') {
        double_quoted(text)
    } else {
        format!("'{text}'")
    }
}

/// The text of several lines as a block (header and lines without indentation), if it can be one.
pub fn block(text: &str) -> Option<(&'static str, Vec<&str>)> {
    let body = text.trim_end_matches('\n');
    // A first line that begins with a blank would need an indentation indicator, which nobody reads.
    let is_awkward = body.is_empty() || body.starts_with([' ', '\t', '\n']);
    if !text.contains('\n') || is_awkward || text.chars().any(|letter| letter != '\n' && needs_escape(letter)) {
        return None;
    }
    let header = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    let kept = if header == "|+" { &text[..text.len() - 1] } else { body };
    Some((header, kept.split('\n').collect()))
}

fn is_plain(text: &str, in_flow: bool) -> bool {
    let breaks = |letter: char| needs_escape(letter) || (in_flow && matches!(letter, ',' | '[' | ']' | '{' | '}'));
    !text.is_empty()
        && !text.starts_with(INDICATORS)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(breaks)
        && !WORDS.contains(&text.to_lowercase().as_str())
        && !looks_like_number_or_date(text)
}

/// Numbers, times and dates of any version of YAML; `1.2.0` and `10s` are none.
fn looks_like_number_or_date(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '.'));
    if !begins || is_dotted_triple(text) {
        return false;
    }
    let numeric =
        |letter: char| letter.is_ascii_digit() || matches!(letter, '_' | ':' | '.' | 'e' | 'E' | '+' | '-' | 'o');
    let is_hexadecimal =
        text.starts_with("0x") && text[2..].chars().all(|letter| letter.is_ascii_hexdigit() || letter == '_');
    let is_date =
        text.len() >= 8 && text.as_bytes()[4] == b'-' && text.bytes().take(4).all(|byte| byte.is_ascii_digit());
    text.chars().all(numeric) || is_hexadecimal || is_date
}

fn is_dotted_triple(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() >= 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Characters that a person cannot see, or that some reader takes for a line break.
fn needs_escape(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if needs_escape(letter) => quoted.push_str(&escape(letter)),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(letter: char) -> String {
    let code = u32::from(letter);
    if code <= 0xff { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") }
}
