use super::Memory;
use crate::contract::{self, Fixture};
use crate::journal::Journal;
use crate::reader::Reader;

impl Fixture for Memory {
    fn journal(&mut self) -> &mut dyn Journal {
        self
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(self.clone())
    }

    /// There is nothing to close: a new owner finds what the old one left.
    fn reopen(&mut self) {}
}

#[test]
fn keeps_the_contract() {
    contract::run_all(Memory::new);
}
