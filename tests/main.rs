//! The end-to-end tests: the real binary, real processes, real kills.
//!
//! ```text
//! support   places (a data and a work directory), answers, journals, processes, bounded waits
//! kill      what durability means, under hundreds of kills      resume     going on after one
//! tree      everything that a step leaves behind is stopped     commits    one commit per script
//! contract  what programs rely on                               injection  values stay values
//! damage    what verify names and repair mends          disk       full and read-only disks
//! api       the HTTP API, under a kill
//! keeping   copies, the archive, what is cleaned up
//! access    keys and users: what is shown once, what is not shown
//! audit     who did what, sealed; kills of the owner, hands on the files
//! corpus    every bad and good definition                       docs       every block of the pages
//! undone    a world that is what it was, under hundreds of kills
//! shared    breakers, groups and keys over several executions
//! ```
//! They must not look inside a crate: the journal is read through its public port, everything else through the
//! command line. Nothing here waits for time to pass; it waits for a file, a process or an answer, with a bound.

mod access;
mod api;
mod audit;
mod commits;
mod contract;
mod corpus;
mod damage;
mod disk;
mod docs;
mod injection;
mod keeping;
mod kill;
mod resume;
mod shared;
mod support;
mod tree;
mod undone;
