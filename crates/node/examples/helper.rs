//! The spawner alone, for the crate's own tests: they are a test harness and cannot be the helper themselves.

fn main() -> std::process::ExitCode {
    skep_runner::spawner::main()
}
