//! Expressions: `${{ .. }}` inside the strings of a definition.
//!
//! ```text
//! JSON value --template (splitter)--> texts and expressions
//! expression --lexer--> tokens --parser--> syntax tree, references      (compile: all problems at once)
//! syntax tree --walk--> value                                            (paths and literals: no machine)
//! syntax tree --lower--> minijinja expression --machine--> value         (everything else)
//! ```
//!
//! The grammar is that of Jinja expressions, without statements. minijinja runs the lowered form: it brings the
//! short circuits and the fuel. Every operator, filter and access is an operation of ours, because each of them
//! must check kinds, name what is missing, know its place and stay inside the budget of memory.
//!
//! What a person may write:
//! - literals `1 2.5 'text' "text" true false null [1, 2] {'a': 1}`; names with `.name`, `['name']`, `[0]`,
//!   `[-1]`, `[from:to]`
//! - `+ - * / // % ~ == != < <= > >= in`, `not in`, `and or not`, `A if CONDITION else B`
//! - filters `value | NAME(..)`, methods `value.NAME(..)`, tests `value is NAME` (see [`operations`]), `range(..)`
//! - `success() failure() always() cancelled()`
//! - a missing key, an access on null and a comparison of unlike kinds are errors; `m.get('k', default)`,
//!   `'k' in m`, `m.k is defined` and `m.k | default(x)` ask first (`default` also replaces null)
//! - `$${{` stands for the characters `${{`, in every template and script
//!
//! This module must not know workflows: names are resolved by the [`Scope`] of the caller.
//! Neighbours: `engine` evaluates; `check` reads [`Template::references`]; `script` shares the splitter.

// An error carries its place and its remedy; it is made once and shown to a person, never on a hot path.
#![allow(clippy::result_large_err)]

pub mod codes;
mod error;
mod examine;
mod lexer;
mod lower;
mod machine;
mod names;
mod operand;
pub mod operations;
mod parser;
mod scope;
mod suggest;
pub(crate) mod syntax;
mod template;
mod text;
mod walk;

#[cfg(test)]
mod tests;

pub use error::Error;
pub(crate) use examine::{Examined, examine};
pub use names::Names;
pub use scope::{Scope, ScopeError, StatusFlags};
pub use syntax::Reference;
pub use template::Template;
pub(crate) use template::expression_end;
