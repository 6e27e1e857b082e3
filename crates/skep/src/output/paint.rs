//! Colours, as marks in the text. Printing takes them out where they are not wanted (pipes, NO_COLOR).

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// It went well.
    Good,
    /// It failed.
    Bad,
    /// A person should look.
    Attention,
    /// It is being done.
    Active,
    /// Less important.
    Faint,
    /// A heading.
    Strong,
}

/// `text` with its colour.
pub fn paint(paint: Paint, text: &str) -> String {
    let code = match paint {
        Paint::Good => "32",
        Paint::Bad => "31",
        Paint::Attention => "33",
        Paint::Active => "36",
        Paint::Faint => "2",
        Paint::Strong => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}
