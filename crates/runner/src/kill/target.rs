//! Which processes belong to a delivery.

use std::collections::{HashMap, HashSet};

use super::processes::{Key, Mark, Process};

/// The main process of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Main {
    pub pid: u32,
    pub started_ticks: u64,
}

/// What a hunt may not hit and what it needs to judge orphans.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Never touched: this process and those above it.
    pub protected: HashSet<u32>,
    /// The spawner, if there is one: it adopts every orphan.
    pub spawner: Option<u32>,
    /// Deliveries with a local process that have not ended yet.
    pub live: Vec<(String, Main)>,
}

/// What is hunted, and everything that was ever seen to belong to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// Token of the delivery.
    token: Option<String>,
    /// Everything below this process (not itself) belongs to it.
    root: Option<u32>,
    /// Every process that was found to belong to it, by pid: a process that loses its parent or its
    /// environment between two looks stays known.
    known: HashMap<u32, u64>,
}

impl Target {
    /// The delivery with this token and, where known, this main process.
    pub fn delivery(token: &str, main: Option<Main>) -> Self {
        let known = main.map(|main| (main.pid, main.started_ticks)).into_iter().collect();
        Self { token: Some(token.to_owned()), root: None, known }
    }

    /// Everything below a process, but not itself.
    pub fn below(root: u32) -> Self {
        Self { token: None, root: Some(root), known: HashMap::new() }
    }

    /// Token of the delivery; empty for a target that is none.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The living processes that belong to it, by one look.
    pub fn members(&mut self, processes: &[Process], around: &Surroundings) -> Vec<Key> {
        let present: HashMap<u32, u64> =
            processes.iter().map(|found| (found.key.pid, found.key.started_ticks)).collect();
        let mut members: HashSet<u32> = HashSet::new();
        loop {
            let size = members.len();
            for process in processes {
                let pid = process.key.pid;
                if !members.contains(&pid)
                    && !around.protected.contains(&pid)
                    && self.owns(process, &members, &present, around)
                {
                    members.insert(pid);
                    self.known.insert(pid, process.key.started_ticks);
                }
            }
            if members.len() == size {
                return processes.iter().map(|found| found.key).filter(|key| members.contains(&key.pid)).collect();
            }
        }
    }

    fn owns(
        &self,
        process: &Process,
        members: &HashSet<u32>,
        present: &HashMap<u32, u64>,
        around: &Surroundings,
    ) -> bool {
        let known = self.known.get(&process.key.pid) == Some(&process.key.started_ticks);
        let carries = matches!(&process.mark, Mark::Delivery(token) if self.token.as_ref() == Some(token));
        let descends = members.contains(&process.parent) || self.root == Some(process.parent);
        known || carries || descends || self.in_session(process, present) || self.is_orphan(process, around)
    }

    /// A session that one of ours leads or led. Its number cannot be used anew while somebody is in it, unless
    /// it had become free first: then its leader is present and not one that we know.
    fn in_session(&self, process: &Process, present: &HashMap<u32, u64>) -> bool {
        let Some(started_ticks) = self.known.get(&process.session) else { return false };
        present.get(&process.session).is_none_or(|leader| leader == started_ticks)
    }

    /// An orphan that the spawner adopted and that bears no mark: it cleared its environment. It is ours unless
    /// it could as well come from another delivery that has not ended; that one's end will get it.
    fn is_orphan(&self, process: &Process, around: &Surroundings) -> bool {
        let adopted = around.spawner == Some(process.parent) && process.mark == Mark::None;
        let elsewhere = |(token, main): &(String, Main)| {
            main.pid == process.key.pid || (token != self.token() && main.started_ticks <= process.key.started_ticks)
        };
        self.token.is_some() && adopted && !around.live.iter().any(elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, session: u32, token: &str) -> Process {
        let mark = if token.is_empty() { Mark::None } else { Mark::Delivery(token.to_owned()) };
        Process { key: Key { pid, started_ticks: u64::from(pid) }, parent, group: session, session, mark }
    }

    fn main(pid: u32) -> Main {
        Main { pid, started_ticks: u64::from(pid) }
    }

    fn found(target: &mut Target, processes: &[Process], around: &Surroundings) -> Vec<u32> {
        target.members(processes, around).iter().map(|key| key.pid).collect()
    }

    #[test]
    fn carriers_descendants_and_sessions_belong() {
        let processes = [
            process(10, 2, 10, "a"),
            process(11, 10, 10, ""),
            process(12, 2, 10, ""),
            process(13, 12, 13, ""),
            process(20, 2, 20, "b"),
            process(21, 20, 20, ""),
        ];
        let mut target = Target::delivery("a", Some(main(10)));
        assert_eq!(found(&mut target, &processes, &Surroundings::default()), [10, 11, 12, 13]);
    }

    #[test]
    fn what_was_seen_once_stays_known_without_parent_and_environment() {
        let mut target = Target::delivery("a", Some(main(10)));
        let first = [process(10, 2, 10, "a"), process(11, 10, 11, "")];
        found(&mut target, &first, &Surroundings::default());
        let second = [process(11, 1, 11, ""), process(12, 1, 11, "")];
        assert_eq!(found(&mut target, &second, &Surroundings::default()), [11, 12]);
    }

    #[test]
    fn a_pid_that_is_used_again_is_another_process() {
        let mut target = Target::delivery("a", Some(Main { pid: 10, started_ticks: 5 }));
        let processes = [process(10, 1, 10, ""), process(11, 10, 10, "")];
        assert!(found(&mut target, &processes, &Surroundings::default()).is_empty());
    }

    #[test]
    fn an_orphan_without_a_mark_belongs_to_the_last_delivery_that_it_can_come_from() {
        let processes = [process(30, 2, 30, "")];
        let check = |live: &[(&str, u32)], expect: &[u32]| {
            let live = live.iter().map(|(token, pid)| ((*token).to_owned(), main(*pid))).collect();
            let around = Surroundings { protected: [2].into(), spawner: Some(2), live };
            assert_eq!(found(&mut Target::delivery("a", Some(main(10))), &processes, &around), expect);
        };
        check(&[("a", 10)], &[30]);
        check(&[("a", 10), ("b", 20)], &[]);
        check(&[("a", 10), ("b", 40)], &[30]);
        check(&[("a", 10), ("b", 30)], &[]);
    }

    #[test]
    fn the_protected_are_never_members() {
        let processes = [process(10, 2, 10, "a"), process(11, 10, 10, "a")];
        let around = Surroundings { protected: [11].into(), ..Surroundings::default() };
        assert_eq!(found(&mut Target::delivery("a", None), &processes, &around), [10]);
    }
}
