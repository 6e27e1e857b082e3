//! The shape of what is kept as written: right types, known keys.

use super::read::{Field, Lowering};
use crate::keys::{Key, Type};
use crate::tree::{Content, Node};

impl Lowering {
    /// Compares a field with its key's type, reports what differs, and says whether it fits.
    pub fn check_shape(&mut self, field: Field<'_>) -> bool {
        let fits = fits(field.node, &field.key.of);
        if fits {
            self.check_inside(field.node, &field.key.of, field.key.name)
        } else {
            self.wrong_type(field)
        }
        fits
    }

    /// Compares what a value holds, once its own type is right. `name` is its key.
    fn check_inside(&mut self, node: &Node, of: &Type, name: &str) {
        match of {
            Type::Object(table) => self.check_object(node, table, name),
            Type::Objects(table) => {
                for item in node.as_list().unwrap_or_default() {
                    self.check_object(item, table, name);
                }
            }
            Type::ObjectMap(table) => {
                for entry in node.as_map().unwrap_or_default().iter().filter(|entry| !entry.value.is_null()) {
                    self.check_object(&entry.value, table, &format!("{name}.{}", entry.key));
                }
            }
            Type::Duration => _ = self.duration_of(node, name),
            Type::Words(words) => _ = self.word_of(node, name, words),
            Type::Either(types) => {
                if let Some(of) = types.iter().find(|of| fits(node, of)) {
                    self.check_inside(node, of, name);
                }
            }
            Type::Text
            | Type::Boolean
            | Type::Integer { .. }
            | Type::Number
            | Type::Texts
            | Type::TextMap
            | Type::ValueMap
            | Type::Values
            | Type::Any
            | Type::Steps
            | Type::Branches => {}
        }
    }

    fn check_object(&mut self, node: &Node, table: &'static [Key], name: &str) {
        let Some(fields) = self.fields(node, table, &format!("`{name}`")) else { return };
        for key in table {
            if let Some(field) = fields.get(key.name) {
                self.check_shape(field);
            }
        }
    }
}

/// True if the value is of this type at its top. Words and lengths of time are judged by [`Lowering::check_shape`],
/// which has better words for them; a template may stand for a number or boolean that is kept as written.
fn fits(node: &Node, of: &Type) -> bool {
    let is_template = node.as_text().is_some_and(|text| text.contains("${{"));
    match of {
        Type::Text | Type::Words(_) | Type::Duration => node.scalar_text().is_some(),
        Type::Boolean => is_template || matches!(node.content, Content::Bool(_)),
        Type::Integer { min, max } => {
            is_template || matches!(node.content, Content::Integer(number) if (*min..=*max).contains(&number))
        }
        Type::Number => is_template || matches!(node.content, Content::Integer(_) | Content::Float(..)),
        Type::Texts => {
            node.scalar_text().is_some()
                || node.as_list().is_some_and(|items| items.iter().all(|item| item.scalar_text().is_some()))
        }
        Type::TextMap | Type::ValueMap | Type::Object(_) | Type::Branches => node.as_map().is_some(),
        Type::ObjectMap(_) => node
            .as_map()
            .is_some_and(|entries| entries.iter().all(|entry| entry.value.is_null() || entry.value.as_map().is_some())),
        Type::Values | Type::Steps => node.as_list().is_some(),
        Type::Objects(_) => node.as_list().is_some_and(|items| items.iter().all(|item| item.as_map().is_some())),
        Type::Any => true,
        Type::Either(types) => types.iter().any(|of| fits(node, of)),
    }
}
