//! The codes of this part, each with the page that `skep explain CODE` prints.
//!
//! A code is stable for ever: its meaning may be said better, never changed.

mod effects;
mod levels;
mod names;
mod paranoid;
mod values;

pub use effects::*;
pub use levels::*;
pub use names::*;
pub use paranoid::*;
use skep_model::code::Code;
pub use values::*;

/// Every code of this part.
pub const ALL: &[Code] = &[
    DEPENDENCY_UNKNOWN,
    DEPENDENCY_CYCLE,
    DEPENDENCY_OUTSIDE,
    DEPENDENCY_IN_SEQUENCE,
    STEP_TWICE,
    INPUT_UNKNOWN,
    STEP_UNKNOWN,
    STEP_HIDDEN,
    STEP_NOT_YET,
    OUTPUT_UNKNOWN,
    FIELD_UNKNOWN,
    ITEM_OUTSIDE_LOOP,
    OWN_OUTPUT_OUTSIDE,
    VARIABLE_UNKNOWN,
    NAME_UNKNOWN,
    INPUT_INVALID,
    DEFAULT_INVALID,
    REQUIRED_WITH_DEFAULT,
    JOIN_INVALID,
    NOT_FOR_THIS_KIND,
    LOOP_INVALID,
    WAIT_INVALID,
    EMPTY,
    TOO_LARGE,
    VALUE_INVALID,
    ACTION_UNKNOWN,
    ARGUMENT_INVALID,
    TIMEOUT_ZERO,
    TIMEOUT_UNUSUAL,
    RETRY_ZERO,
    RETRY_MANY,
    CONDITION_CONSTANT,
    INPUT_UNUSED,
    UNREACHABLE,
    NOT_BUILT,
    NO_EFFECT_YET,
    INPUT_MISSING,
    INPUT_NOT_DECLARED,
    INPUT_VALUE,
    COMPENSATION_STEP_INVALID,
    CONTRADICTION,
    SCHEMA_INVALID,
    GROUP_INVALID,
    CHILD_INVALID,
    CRITERION_INVALID,
    TYPE_UNFIT,
    COMPARISON_DECIDED,
    DANGEROUS_COMMAND,
    DANGEROUS_SQL,
    FAR_REACHING,
    HIGH_IMPACT,
    SECRET_WRITTEN,
    ROLLBACK_NONE,
    ROLLBACK_LITTLE,
    ROLLBACK_COVERAGE,
    INTERPRETER_MISSING,
    COMMAND_MISSING,
    FILE_MISSING,
    MEMORY_LOW,
    CPU_BUSY,
    DISK_FULL,
    HOST_UNREACHABLE,
    LOAD_HIGH,
    PROCESSES_MANY,
    OFTEN_FAILS,
    NEVER_REACHED,
    DEAD_END,
    WAITS_FOR_EVER,
    FAILS_BY_ITSELF,
    NEVER_ENDS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_have_pages() {
        for (index, code) in ALL.iter().enumerate() {
            assert!(code.id.starts_with("SKEP-C") && code.id.len() == 9, "{}", code.id);
            assert!(ALL[..index].iter().all(|earlier| earlier.id != code.id), "{} is listed twice", code.id);
            assert!(code.page.contains("**What to do:**") && code.page.contains("```"), "{}", code.id);
        }
    }
}
