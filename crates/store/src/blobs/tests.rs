use std::fs;

use serde_json::json;
use skep_model::ids::Hash;
use skep_model::payload::NewBlob;

use super::{Blobs, Error, FolderBlobs, MemoryBlobs};
use crate::data_dir::DataDir;

fn check_port(blobs: &dyn Blobs) {
    let blob = NewBlob::of(&json!({"image": "x".repeat(100_000)}));
    let name = blob.reference.blob;
    assert!(!blobs.contains(name).unwrap());
    assert_eq!(blobs.get(name).unwrap(), None);
    blobs.put(&blob).unwrap();
    blobs.put(&blob).unwrap();
    assert!(blobs.contains(name).unwrap());
    assert_eq!(blobs.get(name).unwrap().as_ref(), Some(&blob.bytes));
    let mut misnamed = NewBlob::of(&json!(1));
    misnamed.bytes.push(b'0');
    assert!(matches!(blobs.put(&misnamed).unwrap_err(), Error::Misnamed { size_bytes: 2, .. }));
    assert!(!blobs.contains(misnamed.reference.blob).unwrap());
}

fn folder() -> (tempfile::TempDir, DataDir) {
    let place = tempfile::tempdir().unwrap();
    let directory = DataDir::create(place.path()).unwrap();
    (place, directory)
}

#[test]
fn both_keep_the_port() {
    let (_place, directory) = folder();
    check_port(&MemoryBlobs::new());
    check_port(&FolderBlobs::new(&directory));
}

#[test]
fn a_blob_lies_under_its_hash_and_nothing_else_is_left() {
    let (_place, directory) = folder();
    let blob = NewBlob::of(&json!("value"));
    FolderBlobs::new(&directory).put(&blob).unwrap();
    let digits = blob.reference.blob.to_string();
    let folder = directory.blobs().join(&digits[..2]);
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [std::ffi::OsString::from(&digits[2..])]);
    assert_eq!(fs::read(folder.join(&digits[2..])).unwrap(), blob.bytes);
}

#[test]
fn many_are_stored_at_once_whole_or_with_an_error() {
    let (_place, directory) = folder();
    let blobs = FolderBlobs::new(&directory);
    let many: Vec<NewBlob> = (0..300).map(|number| NewBlob::of(&json!({"number": number % 200}))).collect();
    blobs.put_all(&many.iter().collect::<Vec<_>>()).unwrap();
    blobs.put_all(&[]).unwrap();
    for blob in &many {
        assert_eq!(blobs.get(blob.reference.blob).unwrap().as_ref(), Some(&blob.bytes));
    }
    assert_eq!(blobs.remove_unfinished().unwrap(), 0);
    // What cannot be stored is told, whichever of many it is.
    let other: Vec<NewBlob> = (0..20).map(|number| NewBlob::of(&json!([number]))).collect();
    let digits = other[7].reference.blob.to_string();
    let place = directory.blobs().join(&digits[..2]).join(&digits[2..]);
    fs::create_dir_all(&place).unwrap();
    let error = blobs.put_all(&other.iter().collect::<Vec<_>>()).unwrap_err();
    assert!(error.to_string().contains(&place.display().to_string()), "{error}");
}

#[test]
fn damage_is_found_and_mended() {
    let (_place, directory) = folder();
    let blobs = FolderBlobs::new(&directory);
    let blob = NewBlob::of(&json!("value"));
    let name = blob.reference.blob;
    blobs.put(&blob).unwrap();
    let digits = name.to_string();
    fs::write(directory.blobs().join(&digits[..2]).join(&digits[2..]), "\"valve\"").unwrap();
    let error = blobs.get(name).unwrap_err();
    assert!(matches!(&error, Error::Damaged { hash, .. } if *hash == name), "{error}");
    assert_eq!(error.code().id, "SKEP-T018");
    blobs.put(&blob).unwrap();
    assert_eq!(blobs.get(name).unwrap().as_ref(), Some(&blob.bytes));
}

#[test]
fn what_a_dead_owner_left_unfinished_is_removed() {
    let (_place, directory) = folder();
    let blobs = FolderBlobs::new(&directory);
    assert_eq!(blobs.remove_unfinished().unwrap(), 0);
    let blob = NewBlob::of(&json!("value"));
    blobs.put(&blob).unwrap();
    let folder = directory.blobs().join(&blob.reference.blob.to_string()[..2]);
    fs::write(folder.join(".new-1-0"), "half").unwrap();
    fs::write(directory.blobs().join("a note of a person"), "").unwrap();
    assert_eq!(blobs.remove_unfinished().unwrap(), 1);
    assert!(blobs.contains(blob.reference.blob).unwrap());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (_place, directory) = folder();
    let blob = NewBlob::of(&json!("value"));
    let folder = directory.blobs().join(&blob.reference.blob.to_string()[..2]);
    fs::write(&folder, "").unwrap();
    let error = FolderBlobs::new(&directory).put(&blob).unwrap_err();
    assert_eq!(error.code().id, "SKEP-T017");
    assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
    assert_eq!(Hash::of(&blob.bytes), blob.reference.blob);
}
