//! Files that hold secrets: encrypted with age (age-encryption.org/v1), or plain and readable by nobody else.
//!
//! An encrypted configuration or secret file is taken everywhere a plain one is. The identity that opens it is named once for the
//! process: `--identity`, else `TRIM_IDENTITY_FILE`, else the systemd credential `trim-identity`.

mod error;
mod identity;
mod modes;
mod stream;

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{Decryptor, Encryptor};

pub use error::SealedError;
pub use identity::{credential, identity_file, use_identity};
pub use stream::{Opened, Sealing, open};

use crate::control::alert::secret::Secret;

/// How an encrypted file begins: in ASCII armor, and in binary.
const BEGINNINGS: [&[u8]; 2] = [b"-----BEGIN AGE ENCRYPTED FILE-----", b"age-encryption.org/"];
/// Longest content, bytes: a configuration or a secret is far below it.
const LONGEST: u64 = 16 << 20;

/// Who can open what is sealed.
#[derive(Debug)]
pub enum Lock {
    /// The holders of the identities of these recipients (`age1...`); at least one.
    Recipients(Vec<String>),
    /// Whoever knows this passphrase.
    Passphrase(Secret),
}

/// What opens something sealed.
#[derive(Debug)]
pub enum Key {
    /// The identities of the process.
    Identity,
    /// A passphrase.
    Passphrase(Secret),
}

/// Whether these bytes are the beginning of an encrypted file.
pub fn is_sealed(bytes: &[u8]) -> bool {
    BEGINNINGS
        .iter()
        .any(|beginning| bytes.trim_ascii_start().starts_with(beginning))
}

/// Encrypts, in ASCII armor.
///
/// # Errors
/// When a recipient is not understood.
pub fn seal(content: &[u8], lock: &Lock) -> Result<Vec<u8>, SealedError> {
    let encryptor = encryptor(lock)?;
    let write = || -> io::Result<Vec<u8>> {
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(content)?;
        writer.finish()?.finish()
    };
    write().map_err(|error| SealedError::Encrypt(error.to_string()))
}

fn encryptor(lock: &Lock) -> Result<Encryptor, SealedError> {
    let recipients = match lock {
        Lock::Passphrase(passphrase) => {
            return Ok(Encryptor::with_user_passphrase(SecretString::from(passphrase.reveal())));
        }
        Lock::Recipients(recipients) => recipients,
    };
    let parsed = recipients.iter().map(|text| recipient(text));
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    let all = parsed.iter().map(|recipient| recipient as &dyn age::Recipient);
    Encryptor::with_recipients(all).map_err(|error| SealedError::Encrypt(error.to_string()))
}

fn recipient(text: &str) -> Result<age::x25519::Recipient, SealedError> {
    let parsed = text.parse::<age::x25519::Recipient>();
    parsed.map_err(|problem| SealedError::Recipient {
        // An identity that is given by mistake is a secret.
        text: match text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            true => "an identity, which is secret (`age-keygen -y` prints its recipient)".to_owned(),
            false => text.to_owned(),
        },
        problem: problem.to_owned(),
    })
}

/// Decrypts the content of `path`.
///
/// # Errors
/// When there is no identity, or none that fits, or the passphrase is wrong, or the content is damaged.
pub fn unseal(content: &[u8], path: &Path, key: &Key) -> Result<Vec<u8>, SealedError> {
    let mut plain = Vec::new();
    decrypted(content.trim_ascii_start(), path, key)?
        .take(LONGEST)
        .read_to_end(&mut plain)
        .map_err(|error| SealedError::damaged(path, &error))?;
    Ok(plain)
}

/// What is in `sealed`, which is the content of `path`. Damage in it shows while it is read.
fn decrypted<R: Read>(sealed: R, path: &Path, key: &Key) -> Result<impl Read + use<R>, SealedError> {
    let failed = |error: age::DecryptError| SealedError::of(path, error);
    let decryptor = Decryptor::new(ArmoredReader::new(sealed)).map_err(failed)?;
    let opened = match key {
        Key::Passphrase(passphrase) if decryptor.is_scrypt() => {
            let identity = age::scrypt::Identity::new(SecretString::from(passphrase.reveal()));
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        }
        Key::Passphrase(_) => return Err(SealedError::NoPassphrase(path.into())),
        Key::Identity if decryptor.is_scrypt() => return Err(SealedError::NeedsPassphrase(path.into())),
        Key::Identity => {
            let identities = identity::identities(path)?;
            decryptor.decrypt(identities.iter().map(|identity| &**identity as &dyn age::Identity))
        }
    };
    opened.map_err(failed)
}

/// Reads a file that may be encrypted, such as a configuration.
///
/// # Errors
/// When it cannot be read or opened.
pub fn read(path: &Path) -> Result<Vec<u8>, SealedError> {
    let (content, _) = content(path)?;
    match is_sealed(&content) {
        true => unseal(&content, path, &Key::Identity),
        false => Ok(content),
    }
}

/// Reads a file that holds a secret: encrypted, or plain and closed to others.
///
/// # Errors
/// When it cannot be read or opened, or others may read it.
pub fn read_secret(path: &Path) -> Result<Vec<u8>, SealedError> {
    let (content, metadata) = content(path)?;
    if is_sealed(&content) {
        return unseal(&content, path, &Key::Identity);
    }
    modes::check(path, &metadata)?;
    Ok(content)
}

/// Whether a file that holds a plain secret is closed to others.
///
/// # Errors
/// When it cannot be read, or others may read or change it.
pub fn check_private(path: &Path) -> Result<(), SealedError> {
    let metadata = std::fs::metadata(path).map_err(SealedError::unreadable(path))?;
    modes::check(path, &metadata)
}

/// The content and what the system says of the very file it is from.
fn content(path: &Path) -> Result<(Vec<u8>, std::fs::Metadata), SealedError> {
    let unreadable = SealedError::unreadable(path);
    let read = || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let mut content = Vec::new();
        file.take(LONGEST).read_to_end(&mut content)?;
        Ok((content, metadata))
    };
    read().map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(sealed: &[u8], key: &Key) -> Result<Vec<u8>, SealedError> {
        unseal(sealed, Path::new("x.age"), key)
    }

    #[test]
    fn a_passphrase_opens_what_it_closed_and_another_does_not() {
        let sealed = seal(b"the content", &Lock::Passphrase(Secret::new("correct horse"))).unwrap();
        assert!(is_sealed(&sealed) && sealed.starts_with(BEGINNINGS[0]));
        assert!(!String::from_utf8(sealed.clone()).unwrap().contains("content"));
        let key = |text: &str| Key::Passphrase(Secret::new(text));
        assert_eq!(opened(&sealed, &key("correct horse")).unwrap(), b"the content");
        let wrong = opened(&sealed, &key("wrong horse")).unwrap_err().to_string();
        assert!(
            wrong.contains("x.age") && wrong.contains("passphrase") && !wrong.contains("horse"),
            "{wrong}"
        );
        let none = opened(&sealed, &Key::Identity).unwrap_err().to_string();
        assert!(none.contains("--recipient"), "{none}");
    }

    #[test]
    fn what_is_no_recipient_is_named_and_an_identity_is_not_repeated() {
        let refused = |text: &str| {
            seal(b"x", &Lock::Recipients(vec![text.to_owned()]))
                .unwrap_err()
                .to_string()
        };
        assert!(refused("age1nonsense").contains("age1nonsense"));
        let secret = "AGE-SECRET-KEY-1QQQQQ";
        assert!(!refused(secret).contains("1QQQQQ"), "{}", refused(secret));
    }

    #[test]
    fn plain_text_is_not_taken_for_sealed() {
        assert!(is_sealed(b"\n-----BEGIN AGE ENCRYPTED FILE-----\n") && is_sealed(b"age-encryption.org/v1\n"));
        assert!(!is_sealed(b"capture:\n") && !is_sealed(b""));
    }
}
