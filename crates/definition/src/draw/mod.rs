//! A workflow as a picture: a tree for the terminal, Mermaid for documents, DOT for Graphviz.
//!
//! Drawing needs no valid workflow: what cannot be resolved is left out, and `check` says why. This module
//! must not judge, and prints no secrets beyond what the definition itself says.
//! Neighbours: `outline` gives numbers and nesting, the CLI prints the result.

mod dot;
mod flow;
mod mermaid;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use dot::dot;
pub use mermaid::mermaid;
pub use text::text;
