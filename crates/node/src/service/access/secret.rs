//! Secrets of keys, and hashes of passwords.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use skep_model::access::Secret;
use skep_model::ids::Hash;
use skep_model::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};

use crate::error::Error;

/// How every secret begins, so that scanners of repositories find a leaked one.
const MARK: &str = "skep_";
/// What seed 000 has in the place of a key.
pub(super) const PLACEHOLDER: &str = "your-api-key";
/// Characters of a secret that are kept for people to tell keys apart.
const PREFIX_LENGTH: usize = 8;
/// Random bytes of a secret: nobody guesses 256 bits, so a plain hash of it is enough.
const SECRET_BYTES: usize = 32;
const SALT_BYTES: usize = argon2::RECOMMENDED_SALT_LEN;

/// A new secret: `skep_` and 43 characters for 32 random bytes of the system.
pub(super) fn new() -> Result<Secret, Error> {
    Ok(Secret::new(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?))))
}

/// How it begins.
pub(super) fn prefix(secret: &Secret) -> String {
    secret.expose().chars().take(PREFIX_LENGTH).collect()
}

/// What the store knows it by.
pub(super) fn hash(secret: &str) -> Hash {
    Hash::of(secret.as_bytes())
}

/// The argon2id hash of a password with a new salt, as PHC text, with the costs that the crate recommends (19 MiB, two
/// passes). Takes some tens of milliseconds.
pub(super) fn hash_password(password: &Secret) -> Result<String, Error> {
    check_password(password)?;
    let salt = random::<SALT_BYTES>()?;
    let hash: PasswordHash =
        Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(unhashed)?;
    Ok(hash.to_string())
}

/// True if `password` is the one of `stored`. Without one it takes as long, and is false.
pub(super) fn is_password(password: &Secret, stored: Option<&str>) -> Result<bool, Error> {
    // What can be no password is not hashed: its length says it already.
    if password.expose().len() > PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    let (argon2, bytes) = (Argon2::default(), password.expose().as_bytes());
    let Some(stored) = stored else {
        let mut out = [0; argon2::Params::DEFAULT_OUTPUT_LEN];
        let hashed = argon2.hash_password_into(bytes, &[0; SALT_BYTES], &mut out);
        return hashed.map(|()| false).map_err(|error| Error::Runner(error.to_string()));
    };
    match argon2.verify_password(bytes, stored) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::damaged(&"a password", error)),
    }
}

fn check_password(password: &Secret) -> Result<(), Error> {
    let length = password.expose().len();
    if (PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&length) {
        return Ok(());
    }
    Err(Error::BadRequest {
        message: format!("a password of {length} bytes is not taken"),
        hint: format!("use {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes; four words are easy to remember"),
    })
}

fn random<const COUNT: usize>() -> Result<[u8; COUNT], Error> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| Error::Runner(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

fn unhashed(error: HashError) -> Error {
    Error::Runner(format!("the password could not be hashed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_unlike() {
        let (one, other) = (new().unwrap(), new().unwrap());
        for secret in [&one, &other] {
            let rest = secret.expose().strip_prefix(MARK).unwrap();
            assert_eq!((rest.len(), URL_SAFE_NO_PAD.decode(rest).unwrap().len()), (43, SECRET_BYTES));
            assert!(secret.expose().starts_with(&prefix(secret)) && prefix(secret).len() == 8);
        }
        assert_ne!(one, other);
        assert_ne!(hash(one.expose()), hash(other.expose()));
    }

    #[test]
    fn a_password_is_known_by_its_hash() {
        let secret = Secret::new("correct horse");
        let (stored, again) = (hash_password(&secret).unwrap(), hash_password(&secret).unwrap());
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, again, "each has a salt of its own");
        for (password, is_it) in [("correct horse", true), ("correct horsf", false), ("", false)] {
            assert_eq!(is_password(&Secret::new(password), Some(&stored)).unwrap(), is_it, "{password}");
            assert!(!is_password(&Secret::new(password), None).unwrap());
        }
        let long = Secret::new("x".repeat(PASSWORD_BYTES_MAX + 1));
        assert!(!is_password(&long, Some(&stored)).unwrap());
        assert!(matches!(is_password(&secret, Some("nonsense")), Err(Error::Damaged { .. })));
    }

    #[test]
    fn what_is_too_short_or_too_long_is_no_password() {
        for length in [0, PASSWORD_BYTES_MIN - 1, PASSWORD_BYTES_MAX + 1] {
            let error = hash_password(&Secret::new("x".repeat(length))).unwrap_err();
            assert!(matches!(error, Error::BadRequest { .. }), "{error}");
        }
    }
}
