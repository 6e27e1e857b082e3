//! What an expression can do with values: operators, filters, methods, tests and functions, all over plain JSON.
//!
//! | form | names |
//! |---|---|
//! | filter `v \| NAME` | `length count lower upper trim replace split lines join default first last keys values items sort reverse unique round int float string tojson fromjson abs min max sum map selectattr rejectattr` |
//! | method `v.NAME(..)` | `get keys values items startswith endswith contains lower upper strip split splitlines replace join` |
//! | test `v is NAME` | `defined undefined none null string number integer float boolean list mapping even odd startingwith endingwith containing` |
//! | function | `range success failure always cancelled` |
//!
//! Each operation charges what it reads and makes to the budget before it makes it, so that no expression
//! can ask for more memory or time than the budget allows. Operations must not know places: they give a
//! `Trouble`, the machine adds the place.

mod access;
mod arithmetic;
mod budget;
mod compare;
mod lists;
mod maps;
mod numbers;
mod table;
mod texts;
mod types;

pub(crate) use access::{index, slice};
pub(crate) use arithmetic::{chain, negate};
pub(crate) use budget::{Budget, Weigh};
pub(crate) use compare::{compare, natural, same};
pub(crate) use table::{Call, Form, Named, find, find_any, names};
pub(crate) use types::{describe, is_true};
