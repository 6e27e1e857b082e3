//! The world that workflows change: a folder, a database, and a server that keeps things.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use crate::support::place::Place;
use crate::support::repository;

/// Everything that can be seen of a world: files with their contents, rows, things on the server.
pub type Seen = BTreeSet<String>;

/// A world of its own.
pub struct World {
    pub place: Place,
    database: Connection,
    things: Arc<Mutex<BTreeSet<String>>>,
    url: String,
}

impl World {
    pub fn new() -> Self {
        let place = Place::new();
        place.write("world.yaml", definition());
        place.write("settings", "old\n");
        let database = Connection::open(place.work().join("world.db")).expect("a database can be made");
        let made = database.execute_batch(
            "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO things VALUES (0, 'was there')",
        );
        made.expect("a table can be made");
        let things = Arc::new(Mutex::new(BTreeSet::from(["/things/old".to_owned()])));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let kept = Arc::clone(&things);
        std::thread::spawn(move || serve(&listener, &kept));
        Self { place, database, things, url }
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What there is now.
    pub fn look(&mut self) -> Seen {
        let mut seen = Seen::new();
        look_below(&self.place.work(), "", &mut seen);
        let mut rows = self.database.prepare("SELECT id, name FROM things").expect("the table is there");
        let rows = rows.query_map([], |row| Ok(format!("row {} {}", row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
        seen.extend(rows.expect("it can be read").map(|row| row.expect("a row can be read")));
        seen.extend(lock(&self.things).iter().map(|thing| format!("server {thing}")));
        seen
    }
}

/// Steps that change one place each, so that a crash never leaves half of two; doing and undoing can be repeated.
pub fn definition() -> String {
    let text = fs::read_to_string(repository::path("tests/undone/world.yaml"));
    text.expect("the workflow lies beside the test")
}

fn look_below(folder: &Path, name: &str, seen: &mut Seen) {
    for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{name}/{file}");
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => {
                seen.insert(format!("folder {name}"));
                look_below(&entry.path(), &name, seen);
            }
            false if file.starts_with("world.db") || file == "world.yaml" => {}
            false => drop(seen.insert(format!("file {name} {:?}", fs::read(entry.path()).unwrap_or_default()))),
        }
    }
}

fn serve(listener: &TcpListener, things: &Mutex<BTreeSet<String>>) {
    for stream in listener.incoming().flatten() {
        // Whoever asked may be dead by now.
        drop(answer(stream, things));
    }
}

/// `PUT PATH` keeps a thing, `DELETE PATH` takes it away.
fn answer(stream: TcpStream, things: &Mutex<BTreeSet<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = request.split(' ');
    match (words.next(), words.next()) {
        (Some("PUT"), Some(path)) => drop(lock(things).insert(path.to_owned())),
        (Some("DELETE"), Some(path)) => drop(lock(things).remove(path)),
        _ => {}
    }
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
