//! Any text is a script: every expression in it becomes a variable, or is refused with its place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_definition::script;

const SHELLS: [&str; 4] = ["bash", "sh", "zsh", "python3"];

fuzz_target!(|input: (u8, &str)| {
    let (shell, text) = input;
    let shell = SHELLS[usize::from(shell) % SHELLS.len()];
    let placed = script::place(text, shell);
    for problem in &placed.problems {
        assert!(text.get(problem.offset..problem.offset + problem.length).is_some(), "a place outside the script");
    }
    for (name, value) in &placed.values {
        assert!(value.starts_with("${{") && text.contains(value.as_str()), "a value that nobody wrote: {value}");
        assert!(placed.text.contains(name.as_str()), "a variable that nothing reads: {name}");
    }
    if !text.contains("${{") {
        assert_eq!(placed.text, text, "a script without expressions stays as it is");
    }
});
