//! What is on a token: finding it, logging in, the Root of Trust and its fingerprint, the signing key, the mark of a
//! completed ceremony.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use ring::digest::{SHA256, digest};
use secret::Secret;
use zeroize::Zeroizing;

use crate::error::{Doing, Fault, Kind};
use crate::key_pair::bare_point;
use crate::limits::{MAX_PIN_FILE_LEN, WRAPPED_KEY_LEN};
use crate::template;

/// The slot whose initialized token has this label.
///
/// # Errors
/// A member fault where there is none, an operator fault where there are two: labels must not be left to chance.
pub(crate) fn find_slot(library: &Pkcs11, label: &str) -> Result<Slot, Fault> {
    const DOING: &str = "find the token";
    match slots_labelled(library, label).doing(DOING)?.as_slice() {
        [slot] => Ok(*slot),
        [] => Err(Fault::new(Kind::Member, DOING, format!("there is no token with the label {label:?}"))),
        _ => Err(Fault::new(Kind::Operator, DOING, format!("two tokens have the label {label:?}"))),
    }
}

/// Every slot whose initialized token has this label.
pub(crate) fn slots_labelled(library: &Pkcs11, label: &str) -> Result<Vec<Slot>, Pkcs11Error> {
    let mut found = Vec::new();
    for slot in library.get_slots_with_token()? {
        // A token beside ours that does not answer is none of our business.
        let Ok(info) = library.get_token_info(slot) else { continue };
        if info.token_initialized() && info.label() == label {
            found.push(slot);
        }
    }
    Ok(found)
}

/// Logs in as the crypto user with the PIN in `pin_file`.
///
/// # Errors
/// An operator fault for a wrong PIN or a PIN file that cannot be read: another try could lock the token.
pub(crate) fn log_in(session: &Session, pin_file: &Path) -> Result<(), Fault> {
    let pin = AuthPin::new(pin_text(pin_file)?.as_str().into());
    match session.login(UserType::User, Some(&pin)) {
        // The login belongs to the process and token, not to the session.
        Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(error).doing("log in"),
    }
}

/// The text of a PIN file, without a trailing newline.
fn pin_text(pin_file: &Path) -> Result<Zeroizing<String>, Fault> {
    let fault =
        |cause: String| Fault::new(Kind::Operator, "read the PIN file", format!("{}: {cause}", pin_file.display()));
    let file = File::open(pin_file).map_err(|error| fault(error.to_string()))?;
    let about = file.metadata().map_err(|error| fault(error.to_string()))?;
    if about.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %pin_file.display(), "the PIN file can be read by others than its owner");
    }
    let len = about.len();
    if len > MAX_PIN_FILE_LEN {
        return Err(fault(format!("{len} bytes are not a PIN")));
    }
    // One byte of room, so that reading to the end does not grow the buffer and leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(len).unwrap_or(0) + 1));
    file.take(len).read_to_string(&mut text).map_err(|error| fault(error.to_string()))?;
    let len = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(len);
    if text.is_empty() {
        return Err(fault("the file is empty".into()));
    }
    Ok(text)
}

/// A PIN from memory.
pub(crate) fn pin_of(secret: &Secret) -> Result<AuthPin, Fault> {
    let text = std::str::from_utf8(secret.expose())
        .map_err(|_| Fault::new(Kind::Operator, "read the PIN", "it is not UTF-8"))?;
    Ok(AuthPin::new(text.into()))
}

/// The Root of Trust, if the token has exactly one; `None` if it has none.
pub(crate) fn find_root(session: &Session) -> Result<Option<ObjectHandle>, Fault> {
    find_one(session, "find the Root of Trust", ObjectClass::SECRET_KEY, template::ROT_LABEL)
}

/// The private half of the signing key for checkpoints.
pub(crate) fn find_signing_key(session: &Session) -> Result<Option<ObjectHandle>, Fault> {
    find_one(session, "find the checkpoint key", ObjectClass::PRIVATE_KEY, template::AUDIT_LABEL)
}

/// The fingerprint that the mark of a completed ceremony carries.
pub(crate) fn completed_mark(session: &Session) -> Result<Option<Vec<u8>>, Fault> {
    const DOING: &str = "find the mark of a completed ceremony";
    let Some(mark) = find_one(session, DOING, ObjectClass::DATA, template::COMPLETED_LABEL)? else { return Ok(None) };
    let values = session.get_attributes(mark, &[AttributeType::Value]).doing(DOING)?;
    Ok(values.into_iter().find_map(|value| match value {
        Attribute::Value(bytes) => Some(bytes),
        _ => None,
    }))
}

fn find_one(
    session: &Session,
    doing: &'static str,
    class: ObjectClass,
    label: &[u8],
) -> Result<Option<ObjectHandle>, Fault> {
    match find_all(session, class, label).doing(doing)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        more => Err(Fault::new(Kind::Operator, doing, format!("the token has {} of them", more.len()))),
    }
}

/// Every token object of this class and label.
pub(crate) fn find_all(session: &Session, class: ObjectClass, label: &[u8]) -> Result<Vec<ObjectHandle>, Pkcs11Error> {
    session.find_objects(&[Attribute::Class(class), Attribute::Token(true), Attribute::Label(label.to_vec())])
}

/// The public half of the signing key as a SEC 1 uncompressed point.
pub(crate) fn checkpoint_key(session: &Session) -> Result<Option<[u8; 65]>, Fault> {
    const DOING: &str = "read the checkpoint key";
    let Some(public) = find_one(session, DOING, ObjectClass::PUBLIC_KEY, template::AUDIT_LABEL)? else {
        return Ok(None);
    };
    let values = session.get_attributes(public, &[AttributeType::EcPoint]).doing(DOING)?;
    let point = values.into_iter().find_map(|value| match value {
        Attribute::EcPoint(bytes) => uncompressed_point(&bytes),
        _ => None,
    });
    point.map(Some).ok_or_else(|| Fault::new(Kind::Operator, DOING, "it is not a P-256 point"))
}

/// A `CKA_EC_POINT` as an uncompressed point of P-256.
fn uncompressed_point(bytes: &[u8]) -> Option<[u8; 65]> {
    let point: [u8; 65] = bare_point(bytes, 65)?.try_into().ok()?;
    (point[0] == 0x04).then_some(point)
}

/// The constant key, imported for as long as `session` lasts.
pub(crate) fn import_constant(session: &Session) -> Result<ObjectHandle, Fault> {
    session.create_object(&template::constant_key()).doing("import the constant of the fingerprint")
}

/// The fingerprint of a Root of Trust: SHA-256 of the constant wrapped under it.
pub(crate) fn fingerprint(session: &Session, root: ObjectHandle, constant: ObjectHandle) -> Result<[u8; 32], Fault> {
    const DOING: &str = "take the fingerprint of the Root of Trust";
    let wrapped = session.wrap_key(&Mechanism::AesKeyWrap, root, constant).doing(DOING)?;
    if wrapped.len() != WRAPPED_KEY_LEN {
        return Err(Fault::new(Kind::Member, DOING, format!("{} bytes came back", wrapped.len())));
    }
    Ok(fingerprint_of(&wrapped))
}

/// The fingerprint from the wrapped constant.
pub(crate) fn fingerprint_of(wrapped_constant: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, wrapped_constant).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn points_are_read_bare_and_as_octet_strings() {
        let mut point = [7; 65];
        point[0] = 4;
        assert_eq!(uncompressed_point(&point), Some(point));
        let mut wrapped = vec![0x04, 0x41];
        wrapped.extend_from_slice(&point);
        assert_eq!(uncompressed_point(&wrapped), Some(point));
        assert_eq!(uncompressed_point(&wrapped[..66]), None);
        assert_eq!(uncompressed_point(&[2; 65]), None);
        assert_eq!(uncompressed_point(&[]), None);
    }

    #[test]
    fn a_pin_file_is_read_without_its_newline() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"1234-5678\r\n").unwrap();
        assert_eq!(pin_text(file.path()).unwrap().as_str(), "1234-5678");
    }

    #[test]
    fn a_pin_file_that_is_none_is_an_operator_fault() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(pin_text(file.path()).unwrap_err().kind, Kind::Operator);
        file.write_all(&[b'1'; 600]).unwrap();
        assert_eq!(pin_text(file.path()).unwrap_err().kind, Kind::Operator);
        assert_eq!(pin_text(Path::new("/nowhere/pin")).unwrap_err().kind, Kind::Operator);
    }
}
