//! YAML and JSON as one tree in which every node knows its place.
//!
//! This module must not know any workflow key. Dialects rewrite trees; `lower` reads them.

use skep_model::problem::Place;

/// A node of the tree. Aliases are expanded, anchors gone, duplicate keys were reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it holds.
    pub content: Content,
    /// Where it stands; nodes that a dialect makes take the place of what they stand for.
    pub place: Place,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false` and no other word (YAML 1.2).
    Bool(bool),
    /// An integer that fits 64 bits.
    Integer(i64),
    /// Any other number, with its text as written (`1.10`).
    Float(f64, String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the text.
    Map(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key; YAML keys that are not text become their text.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub value: Node,
}
