//! What people and programs see. Nothing here asks or changes anything: it gets views and rows, and makes text.

mod live;
mod page;
mod paint;
mod print;
pub mod rollback;
mod sarif;
pub mod simulation;
mod spinner;
mod table;
mod words;

#[cfg(test)]
mod tests;

pub use live::Display;
pub use page::{end_of, page};
pub use paint::{Paint, paint};
pub use print::{failure, note, print, print_json, print_line, print_text, prompt, warnings};
pub use sarif::sarif;
pub use spinner::Spinner;
pub use table::table;
pub use words::{now, short_moment, status_words};
