//! `file`: one operation on one file or folder.
//!
//! What is written whole is written beside its place, synchronized and renamed, so a reader sees the old or the
//! new content and never a part; a crash leaves the old one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Action;
use skep_model::error::{Failure, Kind};

use super::context::{Context, Result};
use crate::codes;

/// Bytes that `read` returns at most: an output of a step, not a way to move archives (`copy` has no bound).
const READ_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Names that `list` returns at most.
const ENTRIES_MAX: usize = 10_000;
/// Bytes copied between two looks at a cancel.
const COPY_CHUNK_BYTES: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    operation: Operation,
    path: String,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    overwrite: Option<bool>,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    missing_ok: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Read,
    Write,
    Append,
    Copy,
    Move,
    Delete,
    Exists,
    List,
    Mkdir,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    #[default]
    Text,
    Base64,
}

pub(super) fn entry() -> Action {
    Action {
        summary: "Read, write, copy, move, delete or list a file or folder".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "operation": {"enum": ["read", "write", "append", "copy", "move", "delete", "exists", "list", "mkdir"]},
                "path": {"type": "string", "description": "relative paths begin at the execution's base directory"},
                "to": {"type": "string", "description": "target of copy and move"},
                "content": {"description": "of write and append: text; any other value is written as JSON"},
                "encoding": {"enum": ["text", "base64"], "default": "text", "description": "of content"},
                "mode": {"type": "string", "pattern": "^[0-7]{3,4}$", "description": "permissions, octal, in quotes: \"0644\""},
                "overwrite": {"type": "boolean", "default": true, "description": "false: fail if the target exists"},
                "recursive": {"type": "boolean", "default": false, "description": "delete a folder with its content"},
                "missing_ok": {"type": "boolean", "default": false, "description": "delete: a missing path is fine"},
            },
            "required": ["operation", "path"],
            "additionalProperties": false,
        }),
        outputs: ["path", "content", "size_bytes", "exists", "entries"].map(str::to_owned).to_vec(),
        read_only: false,
    }
}

/// What an operation found out; the rest of the outputs is null.
#[derive(Default)]
struct Found {
    content: Option<String>,
    size_bytes: Option<u64>,
    exists: Option<bool>,
    entries: Option<Vec<String>>,
}

pub(super) fn perform(context: &Context) -> Result {
    let arguments: Arguments = context.arguments()?;
    let path = context.path(&arguments.path)?;
    let found = match arguments.operation {
        Operation::Read => read(&path, arguments.encoding)?,
        Operation::Write => write(context, &arguments, &path)?,
        Operation::Append => append(context, &arguments, &path)?,
        Operation::Copy => copy(context, &path, &target(context, &arguments)?)?,
        Operation::Move => rename(context, &path, &target(context, &arguments)?)?,
        Operation::Delete => delete(&arguments, &path)?,
        Operation::Exists => exists(&path),
        Operation::List => list(&path)?,
        Operation::Mkdir => {
            fs::create_dir_all(&path).map_err(|problem| failed("create the folder", &path, &problem))?;
            Found { exists: Some(true), ..Found::default() }
        }
    };
    Ok(Map::from_iter([
        ("path".to_owned(), json!(path.to_string_lossy())),
        ("content".to_owned(), json!(found.content)),
        ("size_bytes".to_owned(), json!(found.size_bytes)),
        ("exists".to_owned(), json!(found.exists)),
        ("entries".to_owned(), json!(found.entries)),
    ]))
}

fn failed(doing: &str, path: &Path, problem: &io::Error) -> Failure {
    let message = format!("could not {doing} {}: {problem}", path.display());
    let (kind, code, hint) = match problem.kind() {
        io::ErrorKind::NotFound => {
            (Kind::NotFound, codes::FILE_MISSING, "see the path; relative ones begin at the base directory")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (Kind::Permission, codes::FILE_DENIED, "see the owner and the mode of the file and of its folder")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Kind::ResourceLimit, codes::FILE_TOO_LARGE, "free some space and run the step again")
        }
        io::ErrorKind::Interrupted => (Kind::Timeout, codes::ACTION_TIMEOUT, "the step was stopped"),
        _ => (Kind::Invalid, codes::FILE_UNUSABLE, "see what is at that path: file, folder, or something else"),
    };
    Failure::new(kind, code, message).with_hint(hint)
}

fn too_large(path: &Path) -> Failure {
    let message = format!("{} is larger than {READ_BYTES_MAX} bytes, the most that `read` returns", path.display());
    Failure::new(Kind::ResourceLimit, codes::FILE_TOO_LARGE, message)
        .with_hint("pass the path to the next step instead, or read a part of it in a script")
}

fn read(path: &Path, encoding: Encoding) -> std::result::Result<Found, Failure> {
    let whole = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(READ_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = whole().map_err(|problem| failed("read", path, &problem))?;
    let size = bytes.len() as u64;
    if size > READ_BYTES_MAX {
        return Err(too_large(path));
    }
    let content = match encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Text => String::from_utf8(bytes).map_err(|_| {
            let message = format!("{} is not UTF-8 text", path.display());
            Failure::new(Kind::Invalid, codes::FILE_UNUSABLE, message).with_hint("read it with `encoding: base64`")
        })?,
    };
    Ok(Found { content: Some(content), size_bytes: Some(size), exists: Some(true), entries: None })
}

fn content(context: &Context, arguments: &Arguments) -> std::result::Result<Vec<u8>, Failure> {
    let text = match &arguments.content {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => return Err(context.invalid("this operation needs `content`")),
    };
    match arguments.encoding {
        Encoding::Text => Ok(text.into_bytes()),
        Encoding::Base64 => STANDARD
            .decode(text.trim())
            .map_err(|problem| context.invalid(&format!("`content` is not base64: {problem}"))),
    }
}

fn mode(context: &Context, arguments: &Arguments) -> std::result::Result<Option<u32>, Failure> {
    let parse = |text: &String| {
        u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .ok_or_else(|| context.invalid("`mode` is octal, such as \"0644\""))
    };
    arguments.mode.as_ref().map(parse).transpose()
}

fn write(context: &Context, arguments: &Arguments, path: &Path) -> std::result::Result<Found, Failure> {
    let bytes = content(context, arguments)?;
    let mode = mode(context, arguments)?;
    refuse_existing(arguments, path)?;
    replace(context, path, mode, |file| file.write_all(&bytes)).map_err(|problem| failed("write", path, &problem))?;
    Ok(Found { size_bytes: Some(bytes.len() as u64), exists: Some(true), ..Found::default() })
}

fn refuse_existing(arguments: &Arguments, path: &Path) -> std::result::Result<(), Failure> {
    if arguments.overwrite == Some(false) && path.symlink_metadata().is_ok() {
        let message = format!("{} exists, and `overwrite` is false", path.display());
        return Err(Failure::new(Kind::Invalid, codes::FILE_UNUSABLE, message)
            .with_hint("choose another path, or allow `overwrite`"));
    }
    Ok(())
}

/// Writes a new file beside `path` and puts it there. It keeps the permissions of what it replaces.
fn replace(
    context: &Context,
    path: &Path,
    mode: Option<u32>,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let beside = folder.join(format!(".skep-{}", context.task.token));
    let put = || {
        let mut file = File::create(&beside)?;
        fill(&mut file)?;
        let mode = mode.or_else(|| fs::metadata(path).ok().map(|there| there.permissions().mode()));
        if let Some(mode) = mode {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    put().inspect_err(|_| {
        // What is left of a failed write helps nobody; the error itself is what matters.
        let _ = fs::remove_file(&beside);
    })
}

fn append(context: &Context, arguments: &Arguments, path: &Path) -> std::result::Result<Found, Failure> {
    let bytes = content(context, arguments)?;
    let add = || -> io::Result<u64> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options().append(true).create(true).open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    };
    let size = add().map_err(|problem| failed("append to", path, &problem))?;
    Ok(Found { size_bytes: Some(size), exists: Some(true), ..Found::default() })
}

fn target(context: &Context, arguments: &Arguments) -> std::result::Result<PathBuf, Failure> {
    let to = arguments.to.as_deref().ok_or_else(|| context.invalid("this operation needs `to`"))?;
    let to = context.path(to)?;
    refuse_existing(arguments, &to)?;
    Ok(to)
}

fn copy(context: &Context, from: &Path, to: &Path) -> std::result::Result<Found, Failure> {
    let size = copy_whole(context, from, to)
        .map_err(|problem| failed(&format!("copy to {}", to.display()), from, &problem))?;
    Ok(Found { size_bytes: Some(size), exists: Some(true), ..Found::default() })
}

fn copy_whole(context: &Context, from: &Path, to: &Path) -> io::Result<u64> {
    let mut source = File::open(from)?;
    let there = source.metadata()?;
    if there.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, and `copy` takes a file"));
    }
    let mut size = 0;
    replace(context, to, Some(there.permissions().mode()), |target| {
        let mut chunk = vec![0; COPY_CHUNK_BYTES];
        loop {
            if context.cancel.is_asked() {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped"));
            }
            let count = source.read(&mut chunk)?;
            if count == 0 {
                return Ok(());
            }
            target.write_all(&chunk[..count])?;
            size += count as u64;
        }
    })?;
    Ok(size)
}

fn rename(context: &Context, from: &Path, to: &Path) -> std::result::Result<Found, Failure> {
    let shift = || -> io::Result<()> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        match fs::rename(from, to) {
            Err(problem) if problem.kind() == io::ErrorKind::CrossesDevices => {
                copy_whole(context, from, to)?;
                fs::remove_file(from)
            }
            done => done,
        }
    };
    shift().map_err(|problem| failed(&format!("move to {}", to.display()), from, &problem))?;
    Ok(Found { exists: Some(false), ..Found::default() })
}

fn delete(arguments: &Arguments, path: &Path) -> std::result::Result<Found, Failure> {
    let remove = || match path.symlink_metadata()?.is_dir() {
        true if arguments.recursive => fs::remove_dir_all(path),
        true => fs::remove_dir(path),
        false => fs::remove_file(path),
    };
    match remove() {
        Err(problem) if problem.kind() == io::ErrorKind::NotFound && arguments.missing_ok => {}
        Err(problem) if problem.kind() == io::ErrorKind::DirectoryNotEmpty => {
            return Err(
                failed("delete", path, &problem).with_hint("add `recursive: true` to delete a folder with its content")
            );
        }
        done => done.map_err(|problem| failed("delete", path, &problem))?,
    }
    Ok(Found { exists: Some(false), ..Found::default() })
}

fn exists(path: &Path) -> Found {
    let there = path.symlink_metadata().ok();
    Found { exists: Some(there.is_some()), size_bytes: there.map(|there| there.len()), ..Found::default() }
}

fn list(path: &Path) -> std::result::Result<Found, Failure> {
    let names = || -> io::Result<Vec<String>> {
        let entries = fs::read_dir(path)?.take(ENTRIES_MAX + 1);
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut entries = names().map_err(|problem| failed("list", path, &problem))?;
    if entries.len() > ENTRIES_MAX {
        let message = format!("{} has more than {ENTRIES_MAX} entries, the most that `list` returns", path.display());
        return Err(Failure::new(Kind::ResourceLimit, codes::FILE_TOO_LARGE, message)
            .with_hint("list it in a script, with a pattern"));
    }
    entries.sort();
    Ok(Found { exists: Some(true), entries: Some(entries), ..Found::default() })
}

#[cfg(test)]
mod tests;
