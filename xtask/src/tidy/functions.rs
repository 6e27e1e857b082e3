//! Measures a Rust file: its lines and its functions, tests left out.

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Item, Signature};

/// What a file measures.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Lines, without items under `#[cfg(test)]`.
    pub lines: usize,
    /// Functions that are no tests.
    pub functions: Vec<Function>,
    /// Names of modules that only tests have and that lie in files of their own.
    pub test_modules: Vec<String>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// `name`, or `Type::name` in an `impl` or a trait.
    pub name: String,
    /// The line it begins in, from 1.
    pub line: usize,
    /// From `fn` to the closing brace, both lines included.
    pub lines: usize,
}

/// Measures a source text.
///
/// # Errors
/// It is no valid Rust.
pub fn measure(text: &str) -> syn::Result<Measured> {
    let file = syn::parse_file(text)?;
    let mut visitor = Visitor::default();
    visitor.visit_file(&file);
    let mut measured = visitor.measured;
    measured.lines = text.lines().count().saturating_sub(visitor.tests);
    Ok(measured)
}

#[derive(Default)]
struct Visitor {
    /// Lines of test items.
    tests: usize,
    /// Name of the `impl`, trait or function around.
    scope: Vec<String>,
    measured: Measured,
}

impl Visitor {
    fn function(&mut self, signature: &Signature, body: &Block) {
        let begin = signature.span().start();
        let mut name = self.scope.last().cloned().unwrap_or_default();
        name.push_str(&signature.ident.to_string());
        let lines = length(begin, body.span().end());
        self.measured.functions.push(Function { name, line: begin.line, lines });
    }

    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.scope.push(format!("{name}::"));
        visit(self);
        self.scope.pop();
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Some(span) = test_span(item) {
            self.tests += length(span.start(), span.end());
            if let Item::Mod(syn::ItemMod { ident, content: None, .. }) = item {
                self.measured.test_modules.push(ident.to_string());
            }
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        self.within(item.sig.ident.to_string(), |inner| visit::visit_item_fn(inner, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(type_name(&item.self_ty), |inner| visit::visit_item_impl(inner, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |inner| visit::visit_item_trait(inner, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

fn length(begin: LineColumn, end: LineColumn) -> usize {
    end.line + 1 - begin.line
}

fn type_name(self_type: &syn::Type) -> String {
    match self_type {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::from("impl"),
    }
}

/// Where an item stands that only tests have: one under `#[cfg(test)]`, or a `#[test]` function.
fn test_span(item: &Item) -> Option<Span> {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => return None,
    };
    attributes.iter().any(marks_test).then(|| item.span())
}

fn marks_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test")
        || (attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r##"//! Docs with fn not_one() { }.
struct Thing;
impl Thing {
    /// Docs do not count.
    fn short(&self) -> &str { "}" }
    fn long(&self) -> char {
        let _text = r#"fn { " "#;
        '{'
    }
}
trait Way { fn none(); fn given() {} }
#[cfg(test)]
mod tests {
    fn helper() {}
}
#[cfg(test)]
mod generated;
"##;

    #[test]
    fn functions_are_measured_and_tests_are_not() {
        let measured = measure(SOURCE).unwrap();
        assert_eq!(measured.lines, 11);
        assert_eq!(measured.test_modules, ["generated"]);
        let functions: Vec<(&str, usize, usize)> =
            measured.functions.iter().map(|function| (function.name.as_str(), function.line, function.lines)).collect();
        assert_eq!(functions, [("Thing::short", 5, 1), ("Thing::long", 6, 4), ("Way::given", 11, 1)]);
    }

    #[test]
    fn a_file_that_does_not_parse_is_an_error() {
        assert!(measure("fn broken( {").is_err());
    }
}
