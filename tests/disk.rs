//! A disk that is full, and one that turns read-only: nothing acknowledged is lost, and work goes on by itself.
//!
//! On a small ext4 in a file, mounted for the test; skipped with a line where this may not be done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::wait;

/// Each round waits for its file, so that the test decides when the disk is full.
const ROUNDS: &str = "
name: rounds
description: Rounds that the test lets go.
steps:
  - id: each
    foreach: [1, 2, 3, 4, 5, 6]
    max_parallel: 1
    steps:
      - id: a
        run: |
          echo x >> ran-${{ item }}
          while [ ! -e go-${{ item }} ]; do sleep 0.02; done
";

struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// An ext4 of 24 MiB at the place's data directory.
    fn mount(place: &Place) -> Option<Self> {
        let (image, folder) = (place.folder().join("image"), place.data().to_owned());
        fs::create_dir_all(&folder).expect("a folder can be made");
        let file = fs::File::create(&image).expect("a file can be made");
        file.set_len(24 * 1024 * 1024).expect("it can be long");
        let made = run("mkfs.ext4", &["-q", "-m", "0", &image.to_string_lossy()]);
        let mounted = made && run("mount", &["-o", "loop", &image.to_string_lossy(), &folder.to_string_lossy()]);
        if !mounted {
            eprintln!("skipped: a file system cannot be mounted here");
            return None;
        }
        fs::write(folder.join("config.toml"), "disk_reserve = \"0\"\n").expect("there is room");
        Some(Self { folder })
    }

    fn remount(&self, how: &str) -> bool {
        run("mount", &["-o", &format!("remount,{how}"), &self.folder.to_string_lossy()])
    }

    fn fill(&self) -> PathBuf {
        let filler = self.folder.join("filler");
        let mut file = fs::File::create(&filler).expect("a file can be made");
        let block = vec![0_u8; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        drop(file.sync_all());
        filler
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What still uses it is ended by its own owner's drop; a lazy unmount waits for that.
        run("umount", &["-l", &self.folder.to_string_lossy()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn exists(path: &Path) -> Option<()> {
    path.exists().then_some(())
}

/// Serves on `disk`, breaks it while a round runs, mends it, and expects the execution to come to its end with every
/// round done once.
fn breaks_and_goes_on(place: &Place, break_it: impl FnOnce(), mend_it: impl FnOnce(), codes: &[&str]) {
    let serve: Running = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || exists(&place.data().join("skep.sock")));
    place.write("rounds.yaml", ROUNDS);
    let started = place.json(&["run", "rounds.yaml", "--detach"], 0);
    let id = started["execution_id"].as_str().expect("an id is a text").to_owned();
    place.write("go-1", "");
    wait::until("the second round", wait::SOON, || exists(&place.work().join("ran-2")));
    break_it();
    let mut number = 0;
    let refused = wait::until("a refused start", wait::SOON, || {
        number += 1;
        place.write(
            "new.yaml",
            format!("name: new-{number}\ndescription: {}\nsteps: [{{id: a, run: 'true'}}]\n", "x".repeat(9_000)),
        );
        let answer = place.skep(&["run", "new.yaml", "--detach", "--format", "json"]);
        (answer.code == Some(1)).then(|| answer.value())
    });
    let code = refused["error"]["code"].as_str().unwrap_or_default().to_owned();
    assert!(codes.contains(&code.as_str()), "{refused}");
    assert!(refused["error"]["hint"].is_string(), "{refused}");
    for number in 2..=6 {
        place.write(&format!("go-{number}"), "");
    }
    wait::until("an error of the owner", wait::SOON, || {
        serve.errors_so_far().contains("could not be committed").then_some(())
    });
    mend_it();
    let status = wait::until("the end", wait::SOON, || {
        let answer = place.skep(&["status", &id, "--format", "json"]);
        let status = (answer.code == Some(0)).then(|| answer.value()["status"].clone())?;
        (status != "running").then_some(status)
    });
    assert_eq!(status, "completed", "{}", serve.errors_so_far());
    for number in [1, 3, 4, 5, 6] {
        let ran = place.read(&format!("ran-{number}"));
        assert!(!ran.is_empty(), "round {number}: {ran}");
    }
    assert_eq!(place.read("ran-1"), "x\n", "what was acknowledged before is not done again");
    place.skep(&["serve", "--stop"]).exits(0);
    drop(serve.end().exits(0));
    let verified = place.json(&["verify"], 0);
    assert_eq!(verified["whole"], true);
}

#[test]
fn a_full_disk_loses_nothing_and_work_goes_on_by_itself() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place) else { return };
    let filler = disk.folder.join("filler");
    let fill = || drop(disk.fill());
    breaks_and_goes_on(&place, fill, || fs::remove_file(filler).expect("it is there"), &["SKEP-T004", "SKEP-T017"]);
}

/// The kernel makes a file system read-only under a writer when it meets an error of the disk; `abort` asks for that.
#[test]
fn a_disk_that_turns_read_only_under_its_owner_loses_nothing() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place) else { return };
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || exists(&place.data().join("skep.sock")));
    place.write("rounds.yaml", ROUNDS);
    let started = place.json(&["run", "rounds.yaml", "--detach"], 0);
    let id = started["execution_id"].as_str().expect("an id is a text").to_owned();
    place.write("go-1", "");
    wait::until("the second round", wait::SOON, || exists(&place.work().join("ran-2")));
    if !disk.remount("abort") {
        eprintln!("skipped: this kernel cannot make a file system fail");
        return;
    }
    let refused = place.json(&["run", "rounds.yaml", "--detach"], 1);
    let code = refused["error"]["code"].as_str().unwrap_or_default();
    assert!(["SKEP-T005", "SKEP-T008", "SKEP-T017"].contains(&code), "{refused}");
    assert_eq!(place.json(&["status", &id], 0)["steps"]["each[0].a"]["status"], "completed", "it can be read");
    for number in 2..=6 {
        place.write(&format!("go-{number}"), "");
    }
    drop(serve.kill());
    wait::until("nobody to use the disk", wait::SOON, || {
        run("umount", &[&disk.folder.to_string_lossy()]).then_some(())
    });
    let image = place.folder().join("image");
    let mounted = run("mount", &["-o", "loop", &image.to_string_lossy(), &disk.folder.to_string_lossy()]);
    assert!(mounted, "it can be mounted again");
    assert_eq!(place.json(&["resume", &id], 0)["status"], "completed");
    assert_eq!(place.read("ran-1"), "x\n", "what was acknowledged before is not done again");
    assert_eq!(place.json(&["verify"], 0)["whole"], true);
}

#[test]
fn on_a_read_only_disk_nothing_starts_and_what_is_there_is_read() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place) else { return };
    let gate = "name: gate\ndescription: Asks.\nsteps: [{id: ask, approval: {message: 'Go?'}}]\n";
    place.run(gate, &[], 4);
    assert!(disk.remount("ro"), "nobody writes to it");
    let refused = place.json(&["run", "workflow.yaml"], 1);
    let code = refused["error"]["code"].as_str().unwrap_or_default();
    assert!(["SKEP-T005", "SKEP-T017"].contains(&code) && refused["error"]["hint"].is_string(), "{refused}");
    assert_eq!(place.status()["status"], "running");
    assert_eq!(place.json(&["verify"], 0)["whole"], true);
    assert!(disk.remount("rw"), "it can be written again");
    place.json(&["approve", "@latest"], 0);
    assert_eq!(place.status()["status"], "completed");
}
