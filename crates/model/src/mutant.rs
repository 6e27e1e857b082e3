//! Planted bugs, for the simulator to find: `if mutant!("name") { .. }` stands where a bug would be.
//!
//! Without the feature `mutants`, which only the simulator asks for, the macro is the word `false` and nothing of it
//! is in a binary.

/// True if the planted bug of this name is switched on in this thread.
#[cfg(feature = "mutants")]
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        $crate::mutant::is_on($name)
    };
}

/// True if the planted bug of this name is switched on in this thread.
#[cfg(not(feature = "mutants"))]
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        false
    };
}

#[cfg(feature = "mutants")]
thread_local! {
    static ON: std::cell::Cell<Option<&'static str>> = const { std::cell::Cell::new(None) };
}

/// Switches one planted bug on in this thread, or all off.
#[cfg(feature = "mutants")]
pub fn switch(name: Option<&'static str>) {
    ON.set(name);
}

/// True if the planted bug of this name is switched on in this thread.
#[cfg(feature = "mutants")]
pub fn is_on(name: &str) -> bool {
    ON.get() == Some(name)
}
