//! A crash at every point of the way from records to segment, head and mark: nothing that was sealed is lost, nothing
//! is there twice, and no crash is taken for somebody's hand.

use super::*;

/// Turns that were sealed before the batch that a crash hits, and with it.
const BEFORE: i64 = 3;
const AFTER: i64 = 6;
/// Every length is opened; appending syncs, so that only every so many go on from there.
const GOES_ON_EVERY: usize = 29;

/// The files before a batch, and after it.
fn states(bench: &Bench, before: i64, after: i64) -> (Files, Files) {
    let (mut log, _) = bench.open();
    // All in one segment: another test is about the next one.
    log.set_segment_bytes_max(1 << 20);
    append(&mut log, 1, before);
    let old = bench.files();
    append(&mut log, before + 1, after);
    (old, bench.files())
}

/// Opens what a crash left, and expects that it is not taken for tampering and that what was sealed is there.
fn opens(bench: &Bench, files: &Files, what: &str) -> (Log, Found) {
    bench.put(files);
    let verified = verify(&bench.place);
    assert!(verified.is_whole(), "{what} is no tampering: {verified:?}");
    let (log, found) = bench.open();
    assert_eq!(found.damage, None, "{what}");
    assert!(log.cursor().position >= BEFORE, "{what}: what was sealed is there");
    (log, found)
}

/// The same, then follows the journal from the cursor on, and expects every turn once.
fn goes_on(bench: &Bench, files: &Files, what: &str) -> Found {
    let (mut log, found) = opens(bench, files, what);
    let next = log.cursor().position + 1;
    append(&mut log, next, AFTER + 3);
    let verified = verify(&bench.place);
    assert!(verified.is_whole(), "{what}: {verified:?}");
    assert_eq!(turns(&bench.records()), (1..=AFTER + 3).collect::<Vec<_>>(), "{what}");
    found
}

#[test]
fn a_crash_at_every_byte_of_an_append() {
    let bench = Bench::new();
    let (old, new) = states(&bench, BEFORE, AFTER);
    let name = "audit/000001.jsonl";
    let (from, to) = (old[name].len(), new[name].len());
    let mut cut = 0;
    for length in from..=to {
        let mut files = old.clone();
        files.insert(name.to_owned(), new[name][..length].to_vec());
        let is_line = new[name][..length].ends_with(b"\n");
        let what = format!("{length} of {to} bytes");
        let is_chosen = is_line || length % GOES_ON_EVERY == 0;
        let found = if is_chosen { goes_on(&bench, &files, &what) } else { opens(&bench, &files, &what).1 };
        assert_eq!(found.cut_bytes == 0, is_line, "{length}: {found:?}");
        cut += u64::from(found.cut_bytes > 0);
    }
    assert!(cut > 500, "{cut} lengths end within a record");
}

/// What a loss of power leaves of pages that were not synced.
#[test]
fn bytes_that_never_reached_the_disk() {
    let bench = Bench::new();
    let (old, new) = states(&bench, BEFORE, AFTER);
    let name = "audit/000001.jsonl";
    for at in (old[name].len()..new[name].len()).step_by(97) {
        let mut files = old.clone();
        let mut bytes = new[name].clone();
        bytes[at..].fill(0);
        files.insert(name.to_owned(), bytes);
        goes_on(&bench, &files, &format!("zeros from byte {at}"));
    }
}

#[test]
fn a_crash_between_segment_head_and_mark() {
    let bench = Bench::new();
    let (old, new) = states(&bench, BEFORE, AFTER);
    for (what, names) in [
        ("before the head", &["audit/head.json", "audit.key.mark"][..]),
        ("between head and mark", &["audit.key.mark"][..]),
        ("after the mark", &[]),
    ] {
        let mut files = new.clone();
        names.iter().for_each(|name| drop(files.insert((*name).to_owned(), old[*name].clone())));
        assert_eq!(goes_on(&bench, &files, what), Found::default(), "{what}");
    }
    let mut files = old.clone();
    files.insert("audit/.new-head.json".to_owned(), b"{half".to_vec());
    goes_on(&bench, &files, "within the head's temporary file");
}

#[test]
fn a_crash_at_every_byte_of_a_rotation() {
    let bench = Bench::new();
    let (mut log, _) = bench.open();
    log.set_segment_bytes_max(1);
    append(&mut log, 1, BEFORE);
    let old = bench.files();
    append(&mut log, BEFORE + 1, BEFORE + 1);
    let new = bench.files();
    let added: Vec<&String> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    assert_eq!(added.len(), 1, "one segment begins: {added:?}");
    for length in 0..=new[added[0]].len() {
        let mut files = old.clone();
        files.insert(added[0].clone(), new[added[0]][..length].to_vec());
        let what = format!("{length} bytes of a new segment");
        match length % GOES_ON_EVERY == 0 || length + 1 >= new[added[0]].len() {
            true => drop(goes_on(&bench, &files, &what)),
            false => drop(opens(&bench, &files, &what)),
        }
    }
}

#[test]
fn a_crash_while_the_first_log_is_made() {
    let bench = Bench::new();
    drop(bench.open());
    let made = bench.files();
    // The order in which they come: mark, head, key.
    for count in 0..=3 {
        let there = &["audit.key.mark", "audit/head.json", "audit.key"][..count];
        let files: Files = made.clone().into_iter().filter(|(name, _)| there.contains(&name.as_str())).collect();
        bench.put(&files);
        let (mut log, found) = bench.open();
        assert_eq!(found, Found::default(), "{there:?}");
        append(&mut log, 1, 3);
        assert!(bench.is_whole(), "{there:?}");
    }
}
