//! Cases about keys and users.

use skep_model::ids::Hash;
use skep_model::time::Timestamp;

use super::Fixture;
use super::cases::commit;
use super::samples::{access, created, key, key_row, user, user_row, write};
use crate::access::{AccessChange, KeyRow};
use crate::error::Error;

pub(super) fn a_key_is_found_by_name_and_by_hash(store: &mut dyn Fixture) {
    let mut late = key_row("late");
    late.expires_at = Some(Timestamp(99));
    commit(store, &[write(key("ci")), access(AccessChange::KeyCreated(late.clone()))]);
    store.reopen();
    let reader = store.reader();
    assert_eq!(reader.keys().unwrap(), [key_row("ci"), late.clone()]);
    assert_eq!(reader.key("ci").unwrap(), Some(key_row("ci")));
    assert_eq!(reader.key_by_hash(Hash::of(b"secret of late")).unwrap(), Some(late));
    assert_eq!((reader.key("c").unwrap(), reader.key("CI").unwrap()), (None, None));
    assert_eq!(reader.key_by_hash(Hash::of(b"ci")).unwrap(), None);
}

pub(super) fn a_key_is_used_and_revoked_once(store: &mut dyn Fixture) {
    let used = |at| access(AccessChange::KeyUsed { name: "ci".to_owned(), at: Timestamp(at) });
    let revoked = |name: &str, at| access(AccessChange::KeyRevoked { name: name.to_owned(), at: Timestamp(at) });
    let found = |store: &dyn Fixture| -> KeyRow { store.reader().key("ci").unwrap().unwrap() };
    commit(store, &[used(1), revoked("ci", 1)]);
    assert_eq!(store.reader().keys().unwrap(), [], "there is no key to change");
    commit(store, &[write(key("ci")), write(key("other")), used(50), used(40)]);
    assert_eq!(found(store).last_used_at, Some(Timestamp(50)), "an older use changes nothing");
    commit(store, &[used(60), revoked("ci", 70), revoked("ci", 80), revoked("none", 80)]);
    store.reopen();
    let row = found(store);
    assert_eq!((row.last_used_at, row.revoked_at), (Some(Timestamp(60)), Some(Timestamp(70))));
    assert_eq!(store.reader().key("other").unwrap(), Some(key_row("other")));
}

pub(super) fn names_of_keys_and_users_are_taken_for_ever(store: &mut dyn Fixture) {
    commit(store, &[write(key("ci")), write(user("ada"))]);
    commit(store, &[access(AccessChange::KeyRevoked { name: "ci".to_owned(), at: Timestamp(5) })]);
    let mut same_secret = key_row("copy");
    same_secret.hash = key_row("ci").hash;
    for (bad, says) in [
        (write(key("ci")), "key `ci`"),
        (access(AccessChange::KeyCreated(same_secret)), "key `copy`"),
        (write(user("ada")), "user `ada`"),
    ] {
        let error = store.journal().commit(&[created(7), bad]).unwrap_err();
        assert!(matches!(error, Error::NameTaken { write: 1, .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!((error.code().id, error.culprit()), ("SKEP-T025", Some(1)));
    }
    let twice = [write(key("new")), write(key("new"))];
    assert_eq!(store.journal().commit(&twice).unwrap_err().culprit(), Some(1));
    let twice = [write(user("new")), write(user("new"))];
    assert_eq!(store.journal().commit(&twice).unwrap_err().culprit(), Some(1));
    let reader = store.reader();
    assert_eq!((reader.keys().unwrap().len(), reader.users().unwrap().len()), (1, 1), "all of it or nothing");
    drop(reader);
    // A key and a user are different things.
    commit(store, &[write(key("ada")), write(user("ci"))]);
}

pub(super) fn users_change(store: &mut dyn Fixture) {
    let disabled = |name: &str, disabled| access(AccessChange::UserDisabled { name: name.to_owned(), disabled });
    let password =
        |name: &str, text: &str| access(AccessChange::PasswordSet { name: name.to_owned(), password: text.to_owned() });
    let mut none = user_row("bob");
    none.password = None;
    commit(store, &[write(user("ada")), access(AccessChange::UserCreated(none.clone()))]);
    assert_eq!(store.reader().users().unwrap(), [user_row("ada"), none]);
    commit(
        store,
        &[disabled("ada", true), password("bob", "$argon2id$new"), disabled("eve", true), password("eve", "x")],
    );
    store.reopen();
    let reader = store.reader();
    let (ada, bob) = (reader.user("ada").unwrap().unwrap(), reader.user("bob").unwrap().unwrap());
    assert_eq!((ada.disabled, ada.password), (true, user_row("ada").password));
    assert_eq!((bob.disabled, bob.password.as_deref()), (false, Some("$argon2id$new")));
    assert_eq!(reader.user("eve").unwrap(), None);
    drop(reader);
    commit(store, &[disabled("ada", false)]);
    assert!(!store.reader().user("ada").unwrap().unwrap().disabled);
}
