//! The spellings of the seeds become the canonical one: tree in, tree out, so that `lower` knows one
//! language. Every node that is made takes the place of what it stands for.
//!
//! ```text
//! Node --detect--> Canonical ----------------------------------> Node (untouched)
//!              \--> TemplateJson --template_json::rewrite------> Node
//!              \--> LibraryYaml  --library_yaml::rewrite-------> Node
//! ```
//! Every key of a spelling is rewritten or kept; a key that a spelling does not have is an error with what
//! was probably meant, and a key of another spelling is named as such. This module must not check values
//! that it only passes on: `lower` and `check` do. Neighbours: `tree` before it, `lower` behind it.

pub mod codes;
mod detect;
mod keys;
mod library_yaml;
mod make;
mod template_json;
#[cfg(test)]
mod tests;

pub use codes::ALL as CODES;
pub use detect::{Spelling, to_canonical};
