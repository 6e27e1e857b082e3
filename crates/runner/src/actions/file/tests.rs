use serde_json::{Value, json};
use skep_model::error::Kind;

use crate::tests::{World, failure, outputs};

#[test]
fn a_file_through_its_life() {
    let world = World::new();
    let act = |with: Value| outputs(world.run_action("file", with));
    act(json!({"operation": "write", "path": "a/b.txt", "content": "one\n", "mode": "0640"}));
    let size = act(json!({"operation": "append", "path": "a/b.txt", "content": {"n": 1}}))["size_bytes"].clone();
    assert_eq!(size, json!(11));
    assert_eq!(act(json!({"operation": "read", "path": "a/b.txt"}))["content"], json!("one\n{\"n\":1}"));
    act(json!({"operation": "copy", "path": "a/b.txt", "to": "a/c.txt"}));
    act(json!({"operation": "move", "path": "a/c.txt", "to": "d/e.txt"}));
    assert_eq!(act(json!({"operation": "list", "path": "a"}))["entries"], json!(["b.txt"]));
    assert_eq!(act(json!({"operation": "exists", "path": "a/c.txt"}))["exists"], json!(false));
    assert_eq!(
        act(json!({"operation": "read", "path": "d/e.txt", "encoding": "base64"}))["content"],
        json!("b25lCnsibiI6MX0=")
    );
    act(json!({"operation": "write", "path": "a/b.txt", "content": "AP8=", "encoding": "base64"}));
    let there = std::fs::metadata(world.path("a/b.txt")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o777,
        0o640,
        "a new content keeps the mode"
    );
    act(json!({"operation": "mkdir", "path": "x/y"}));
    act(json!({"operation": "delete", "path": "x", "recursive": true}));
    act(json!({"operation": "delete", "path": "x", "missing_ok": true}));
    assert_eq!(std::fs::read_dir(world.path("a")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn failures() {
    let world = World::new();
    std::fs::create_dir_all(world.path("full/inner")).unwrap();
    std::fs::write(world.path("binary"), [0xff, 0xfe]).unwrap();
    std::fs::File::create(world.path("large")).unwrap().set_len(super::READ_BYTES_MAX + 1).unwrap();
    let check = |with: Value, kind: Kind, code: &str| {
        let failure = failure(world.run_action("file", with));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{}", failure.message);
    };
    check(json!({"operation": "read", "path": "none"}), Kind::NotFound, "SKEP-R020");
    check(json!({"operation": "delete", "path": "none"}), Kind::NotFound, "SKEP-R020");
    check(json!({"operation": "read", "path": "full"}), Kind::Invalid, "SKEP-R022");
    check(json!({"operation": "delete", "path": "full"}), Kind::Invalid, "SKEP-R022");
    check(json!({"operation": "read", "path": "binary"}), Kind::Invalid, "SKEP-R022");
    check(json!({"operation": "read", "path": "large"}), Kind::ResourceLimit, "SKEP-R023");
    check(
        json!({"operation": "write", "path": "binary", "content": "", "overwrite": false}),
        Kind::Invalid,
        "SKEP-R022",
    );
    check(json!({"operation": "write", "path": "x"}), Kind::Invalid, "SKEP-R011");
    check(json!({"operation": "copy", "path": "binary"}), Kind::Invalid, "SKEP-R011");
    check(json!({"operation": "read", "path": "x", "extra": 1}), Kind::Invalid, "SKEP-R011");
    assert!(world.path("full/inner").exists());
}
