//! Processor time by thread: what a figure is made of, also on a machine that has other things to do.

use std::collections::BTreeMap;
use std::fs;

/// Nanoseconds that each thread of this process has run, by the thread's name.
pub fn by_thread() -> BTreeMap<String, u64> {
    let mut times = BTreeMap::new();
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return times };
    for task in tasks.flatten() {
        let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let ran: u64 = read("schedstat").split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
        *times.entry(read("comm").trim().to_owned()).or_default() += ran;
    }
    times
}

/// What was added since `before`, divided by `count`, in microseconds: `driver 4.1, writer 2.0`.
pub fn shares(before: &BTreeMap<String, u64>, count: u64) -> String {
    let mut shares = Vec::new();
    for (name, ran) in by_thread() {
        let nanoseconds = ran.saturating_sub(before.get(&name).copied().unwrap_or(0));
        let each = nanoseconds as f64 / 1_000.0 / count.max(1) as f64;
        if each >= 0.05 {
            shares.push(format!("{} {each:.2}", name.trim_start_matches("skep-")));
        }
    }
    shares.join(", ")
}
