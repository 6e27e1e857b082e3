use std::sync::mpsc::{Receiver, Sender, channel};

use skep_model::ids::Position;

use super::*;
use crate::contract::{created, turn};
use crate::error::{Committed, Error, Trouble};
use crate::journal::{Journal, Write};
use crate::memory::Memory;
use crate::reader::Reader;

fn submissions(writes: impl IntoIterator<Item = Write>) -> Vec<Submission> {
    (0..).zip(writes).map(|(ticket, write)| Submission { ticket: Ticket(ticket), write }).collect()
}

/// Answers by ticket: a position, nothing, or a code.
fn answers(mut acks: Vec<Ack>) -> Vec<String> {
    acks.sort_by_key(|ack| ack.ticket);
    let answer = |ack: &Ack| match &ack.result {
        Ok(Some(position)) => position.0.to_string(),
        Ok(None) => "-".to_owned(),
        Err(error) => error.code().id.to_owned(),
    };
    acks.iter().map(answer).collect()
}

/// What happens to each commit, before or instead of the memory store.
enum Fate {
    Succeed,
    DiskFull,
    Panic,
}

/// A journal that tells when a commit begins and waits for its fate: tests decide what gathers meanwhile.
struct Gated {
    memory: Memory,
    began: Sender<usize>,
    fate: Receiver<Fate>,
}

impl Journal for Gated {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Option<Position>>, Error> {
        self.began.send(group.len()).unwrap();
        match self.fate.recv().unwrap() {
            Fate::Succeed => self.memory.commit(group),
            Fate::DiskFull => Err(Error::DiskFull(Trouble {
                attempt: "committing",
                file: "skep.db".into(),
                committed: Committed::Nothing,
                cause: "no space".into(),
            })),
            Fate::Panic => panic!("this panic belongs to a test"),
        }
    }
}

struct Bench {
    writer: WriterThread,
    memory: Memory,
    began: Receiver<usize>,
    fate: Sender<Fate>,
    acks: Receiver<Vec<Ack>>,
}

fn bench() -> Bench {
    let memory = Memory::new();
    let (began_sender, began) = channel();
    let (fate, fate_receiver) = channel();
    let (ack_sender, acks) = channel();
    let journal = Gated { memory: memory.clone(), began: began_sender, fate: fate_receiver };
    // The test may have dropped its end when a writer that is dropped answers.
    let acknowledge = move |acks| ack_sender.send(acks).unwrap_or_default();
    let writer = WriterThread::start(Box::new(journal), Box::new(acknowledge)).unwrap();
    Bench { writer, memory, began, fate, acks }
}

#[test]
fn what_gathers_during_a_commit_is_one_group_with_one_message() {
    let bench = bench();
    bench.writer.submit(submissions([created(1)])).unwrap();
    assert_eq!(bench.began.recv().unwrap(), 1);
    for seq in 1..=20 {
        bench.writer.submit([Submission { ticket: Ticket(seq), write: turn(1, seq) }]).unwrap();
    }
    bench.fate.send(Fate::Succeed).unwrap();
    assert_eq!(answers(bench.acks.recv().unwrap()), ["-"]);
    assert_eq!(bench.began.recv().unwrap(), 20);
    bench.fate.send(Fate::Succeed).unwrap();
    let expected: Vec<String> = (1..=20).map(|position| position.to_string()).collect();
    assert_eq!(answers(bench.acks.recv().unwrap()), expected);
    let stats = bench.writer.stats();
    assert_eq!((stats.commits, stats.turns, stats.rows), (2, 20, 1));
    let turns: usize = (1..=20).map(|seq| turn(1, seq).size_bytes()).sum();
    assert_eq!(stats.bytes as usize, turns + created(1).size_bytes());
}

#[test]
fn trouble_answers_the_whole_group_and_the_next_one_goes_on() {
    let bench = bench();
    bench.writer.submit(submissions([created(1), turn(1, 1)])).unwrap();
    bench.fate.send(Fate::DiskFull).unwrap();
    assert_eq!(answers(bench.acks.recv().unwrap()), ["SKEP-T004", "SKEP-T004"]);
    bench.writer.submit(submissions([created(1), turn(1, 1)])).unwrap();
    bench.fate.send(Fate::Succeed).unwrap();
    assert_eq!(answers(bench.acks.recv().unwrap()), ["-", "1"]);
    assert_eq!(bench.writer.stats().commits, 1);
}

#[test]
fn others_do_not_suffer_from_a_refused_write() {
    let mut memory = Memory::new();
    let mut stats = Stats::default();
    let group =
        submissions([created(1), turn(1, 1), turn(1, 1), created(2), turn(9, 1), turn(1, 2), turn(2, 2), created(1)]);
    let acks = commit_group(&mut memory, group, &mut stats);
    let expected = ["-", "1", "SKEP-T001", "-", "SKEP-T002", "2", "SKEP-T001", "SKEP-T003"];
    assert_eq!(answers(acks), expected);
    assert_eq!((stats.commits, stats.turns, stats.rows), (1, 2, 2));
    let acks = commit_group(&mut memory, submissions([turn(1, 1)]), &mut stats);
    assert_eq!(answers(acks), ["SKEP-T001"]);
    assert_eq!(stats.commits, 1);
}

#[test]
fn groups_are_bounded_by_rows_and_by_bytes() {
    let bench = bench();
    bench.writer.submit(submissions([created(1)])).unwrap();
    bench.began.recv().unwrap();
    let count = GROUP_ROWS_MAX as u64 + 10;
    bench.writer.submit(submissions((1..=count).map(|seq| turn(1, seq)))).unwrap();
    let large = (1..=2).map(|number| {
        let mut write = turn(1, count + number);
        write.turn.as_mut().unwrap().events = "x".repeat(GROUP_BYTES_MAX);
        write
    });
    bench.writer.submit(submissions(large)).unwrap();
    let mut groups = Vec::new();
    for _ in 0..4 {
        bench.fate.send(Fate::Succeed).unwrap();
        groups.push(bench.began.recv().unwrap());
    }
    bench.fate.send(Fate::Succeed).unwrap();
    assert_eq!(groups, [GROUP_ROWS_MAX, 10, 1, 1]);
    assert_eq!(bench.writer.close().map(|_| ()).ok(), Some(()));
    assert_eq!(bench.memory.last_position().unwrap(), Position(count as i64 + 2));
}

#[test]
fn closing_commits_what_was_submitted_and_gives_the_journal_back() {
    let (sender, acks) = channel();
    let memory = Memory::new();
    let acknowledge = move |acks| sender.send(acks).unwrap();
    let writer = WriterThread::start(Box::new(memory.clone()), Box::new(acknowledge)).unwrap();
    writer.submit(submissions([created(1), turn(1, 1)])).unwrap();
    let mut journal = writer.close().unwrap();
    assert_eq!(acks.iter().map(|acks| acks.len()).sum::<usize>(), 2);
    assert_eq!(journal.commit(&[turn(1, 2)]).unwrap(), [Some(Position(2))]);
}

#[test]
fn a_panic_leaves_nobody_without_an_answer() {
    let bench = bench();
    bench.writer.submit(submissions([created(1)])).unwrap();
    bench.began.recv().unwrap();
    bench.writer.submit(submissions([created(2), created(3)])).unwrap();
    bench.fate.send(Fate::Panic).unwrap();
    assert_eq!(answers(bench.acks.recv().unwrap()), ["SKEP-T015", "SKEP-T015", "SKEP-T015"]);
    assert_eq!(bench.writer.submit(submissions([created(4)])).unwrap_err().code().id, "SKEP-T015");
    assert!(bench.writer.close().is_err());
    assert_eq!(bench.memory.newest_execution().unwrap(), None);
}
