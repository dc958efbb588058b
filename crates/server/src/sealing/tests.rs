//! What sealing promises, and one value as it was written once: a change of the format cannot go unseen.

use super::{KeyId, MasterKey, MasterKeys, Purpose, Sealed, SealingContext, SealingError, SecretBytes};
use crate::randomness::SystemRandom;
use crate::randomness::testing::{Broken, Counting};

const CONTEXT: SealingContext<'static> = SealingContext { credential_id: "cred-7", version: 3 };
const PLAINTEXT: &[u8] = b"{\"password\":\"hunter2\"}";
/// Master key of bytes 0x07, data key 0x01…, nonces 0x02… and 0x03…, sealed by version 1 of the format.
const GOLDEN: &str = "014bb06f8e4e3a7715010202020202020202020202021bb5e8065aeab4261b5187b6e383cd7bcb1269fb71b72bb5c70bf2481b90ba72c9dfca577c72ec541bbcf34a34b2397c01030303030303030303030303834364fb8cf74006df98c45dee7151c6cc56d37fa5b25acaa845c3d171f838ff09d4754461c2";

fn keys(byte: u8) -> MasterKeys {
    MasterKeys::new(MasterKey::from_bytes([byte; 32]), vec![])
}

fn plaintext() -> SecretBytes {
    SecretBytes::new(PLAINTEXT.to_vec())
}

fn sealed() -> Sealed {
    keys(7).seal(&plaintext(), CONTEXT, &Counting::default()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_format_is_the_one_that_is_in_databases() {
    assert_eq!(hex(&sealed().to_bytes()), GOLDEN);
    let stored = Sealed::from_bytes(&unhex(GOLDEN)).unwrap();
    assert_eq!(keys(7).open(&stored, CONTEXT).unwrap().expose(), PLAINTEXT);
}

#[test]
fn what_is_sealed_by_chance_opens_and_differs_each_time() {
    let (first, second) =
        (keys(7).seal(&plaintext(), CONTEXT, &SystemRandom).unwrap(), keys(7).seal(&plaintext(), CONTEXT, &SystemRandom).unwrap());
    assert_ne!(first.ciphertext, second.ciphertext);
    assert_ne!(first.wrapped_data_key, second.wrapped_data_key);
    assert_eq!(keys(7).open(&first, CONTEXT).unwrap(), keys(7).open(&second, CONTEXT).unwrap());
}

#[test]
fn a_change_of_any_bit_is_noticed() {
    let bytes = sealed().to_bytes();
    for position in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[position / 8] ^= 1 << (position % 8);
        assert!(Sealed::from_bytes(&changed).and_then(|sealed| keys(7).open(&sealed, CONTEXT)).is_err(), "bit {position}");
    }
    for length in 0..bytes.len() {
        assert!(Sealed::from_bytes(&bytes[..length]).and_then(|sealed| keys(7).open(&sealed, CONTEXT)).is_err(), "length {length}");
    }
}

#[test]
fn another_credential_or_version_does_not_open_it() {
    for context in [SealingContext { credential_id: "cred-8", ..CONTEXT }, SealingContext { version: 2, ..CONTEXT }] {
        assert!(matches!(keys(7).open(&sealed(), context), Err(SealingError::DoesNotOpen)));
        assert!(matches!(keys(7).rewrap(&sealed(), context, &SystemRandom), Err(SealingError::DoesNotOpen)));
    }
}

#[test]
fn a_missing_key_is_named_with_what_to_do() {
    let error = keys(8).open(&sealed(), CONTEXT).unwrap_err().to_string();
    assert!(error.contains(&format!("sealed with the master key {}", keys(7).current().id())), "{error}");
    assert!(error.contains(&keys(8).current().id().to_string()) && error.contains("older master key"), "{error}");
}

#[test]
fn rotation_wraps_the_data_key_anew_and_leaves_the_ciphertext() {
    let rotating = MasterKeys::new(MasterKey::from_bytes([8; 32]), vec![MasterKey::from_bytes([7; 32])]);
    assert!(rotating.needs_rewrap(&sealed()) && !keys(7).needs_rewrap(&sealed()));
    let rewrapped = rotating.rewrap(&sealed(), CONTEXT, &SystemRandom).unwrap();
    assert_eq!(rewrapped.ciphertext, sealed().ciphertext);
    assert!(!rotating.needs_rewrap(&rewrapped));
    assert_eq!(keys(8).open(&rewrapped, CONTEXT).unwrap().expose(), PLAINTEXT);
    assert!(matches!(keys(7).open(&rewrapped, CONTEXT), Err(SealingError::MissingKey { .. })));
}

#[test]
fn without_chance_nothing_is_sealed() {
    assert!(matches!(keys(7).seal(&plaintext(), CONTEXT, &Broken), Err(SealingError::Random(_))));
}

#[test]
fn a_long_plaintext_is_refused_by_its_length() {
    let long = SecretBytes::new(vec![0; super::PLAINTEXT_BYTES_MAX + 1]);
    assert!(matches!(keys(7).seal(&long, CONTEXT, &SystemRandom), Err(SealingError::TooLong { bytes: 65_537 })));
}

#[test]
fn nothing_secret_is_printed() {
    let keys = MasterKeys::new(MasterKey::from_bytes(*b"sixteen letters sixteen letters!"), vec![]);
    let derived = keys.derive(Purpose::Other).unwrap();
    let printed = format!("{keys:?} {:?} {:?} {:?}", keys.current(), plaintext(), derived);
    assert!(printed.contains(&keys.current().id().to_string()) && printed.contains("***"), "{printed}");
    assert!(!printed.contains("hunter2") && !printed.contains("sixteen") && !printed.contains("115"), "{printed}");
    let error = MasterKey::from_text("not-a-key-but-secret", "the environment variable KEY").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("but-secret"));
    assert!(error.to_string().starts_with("the environment variable KEY holds no master key"), "{error}");
}

#[test]
fn keys_are_read_as_base64_of_either_alphabet_and_as_hex() {
    let expected = MasterKey::from_bytes([0xfb; 32]).id();
    let texts = [
        "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=\n".to_owned(),
        "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s".to_owned(),
        "fb".repeat(32),
        "FB".repeat(32),
    ];
    for text in texts {
        assert_eq!(MasterKey::from_text(&text, "a test").unwrap().id(), expected, "{text}");
    }
    for text in ["", "c2hvcnQ=", "!", &"00".repeat(32), &"fb".repeat(33), &"+b".repeat(32)] {
        assert!(matches!(MasterKey::from_text(text, "a test"), Err(SealingError::NotAKey { .. })), "{text}");
    }
}

#[test]
fn a_key_id_survives_its_text() {
    let id = keys(7).current().id();
    assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
    assert!("xyz".parse::<KeyId>().is_err());
}

#[test]
fn derived_keys_open_only_for_their_purpose_and_subject() {
    let master = MasterKey::from_bytes([7; 32]);
    let key = master.derive(Purpose::SignInTransaction).unwrap();
    let bytes = key.seal(b"state", b"about", &SystemRandom).unwrap();
    assert_eq!(key.open(&bytes, b"about").unwrap().expose(), b"state");
    assert!(key.open(&bytes, b"else").is_err());
    assert!(master.derive(Purpose::Other).unwrap().open(&bytes, b"about").is_err());
}
