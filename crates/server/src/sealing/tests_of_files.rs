//! Key files: who may read them, how they are replaced, and that a service which runs follows.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{KEYS_MAX, KeyFileState, KeyRing, MasterKey, MasterKeys, SealingContext, SealingError, SecretBytes};
use crate::clock::Clock;
use crate::randomness::SystemRandom;

const CONTEXT: SealingContext<'static> = SealingContext { credential_id: "7", version: 1 };

#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn key_file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    MasterKey::create_file(&path, &SystemRandom).unwrap();
    (directory, path)
}

fn ids(keys: &MasterKeys) -> Vec<String> {
    keys.all().map(|key| key.id().to_string()).collect()
}

#[test]
fn a_key_file_is_made_once_for_its_owner_only_and_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    let (made, state) = MasterKeys::from_file_or_create(&path, &SystemRandom).unwrap();
    assert_eq!((state, mode(&path)), (KeyFileState::Created, 0o600));
    assert!(matches!(MasterKey::create_file(&path, &SystemRandom), Err(SealingError::FileExists { .. })));
    let (read, state) = MasterKeys::from_file_or_create(&path, &SystemRandom).unwrap();
    assert_eq!((ids(&read), state), (ids(&made), KeyFileState::Found));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn a_key_file_that_others_may_read_is_refused_with_the_command_that_helps() {
    let (_directory, path) = key_file();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = MasterKeys::from_file(&path).unwrap_err().to_string();
    assert!(error.contains("mode 0644") && error.contains(&format!("chmod 600 {}", path.display())), "{error}");
}

#[test]
fn a_key_file_in_no_directory_is_an_error_with_its_path() {
    let error = MasterKey::create_file(Path::new("/nowhere/at/all/key"), &SystemRandom).unwrap_err().to_string();
    assert!(error.starts_with("cannot create the master key file /nowhere/at/all/key"), "{error}");
}

#[test]
fn the_first_line_is_the_current_key_and_comments_and_repetitions_say_nothing() {
    let key = |byte: u8| MasterKey::from_bytes([byte; 32]);
    let text = format!("# made, in spring\n\n{}\n  # until June\n{}\n{0}\n", "01".repeat(32), "02".repeat(32));
    let keys = MasterKeys::from_text(&text, "a test").unwrap();
    assert_eq!(ids(&keys), [key(1).id().to_string(), key(2).id().to_string()]);
    let commas = MasterKeys::from_text(&format!("{},{}", "01".repeat(32), "02".repeat(32)), "a test").unwrap();
    assert_eq!(ids(&commas), ids(&keys));
    let many = |count: usize| (1..=count).map(|byte| format!("{byte:02x}").repeat(32) + "\n").collect::<String>();
    assert_eq!(ids(&MasterKeys::from_text(&many(KEYS_MAX), "a test").unwrap()).len(), KEYS_MAX);
    let error = MasterKeys::from_text(&many(KEYS_MAX + 1), "a test").unwrap_err();
    assert!(matches!(error, SealingError::TooManyKeys { .. }) && error.to_string().contains("more than 16"), "{error}");
    for text in ["", "# nothing\n", "no key", &format!("{}\nno key", "01".repeat(32))] {
        assert!(matches!(MasterKeys::from_text(text, "a test"), Err(SealingError::NotAKey { .. })), "{text}");
    }
}

#[test]
fn rotation_puts_a_key_first_and_retiring_takes_older_ones_out() {
    let (directory, path) = key_file();
    let before = MasterKeys::from_file(&path).unwrap();
    let text = format!("# the first one\n{}", std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();

    let rotated = MasterKeys::prepend_to_file(&link, &SystemRandom).unwrap();
    assert_eq!(ids(&rotated)[1..], ids(&before));
    assert_eq!((ids(&MasterKeys::from_file(&path).unwrap()), mode(&path)), (ids(&rotated), 0o400));
    assert!(link.is_symlink(), "what the link leads to was replaced");

    let all: Vec<_> = rotated.all().map(MasterKey::id).collect();
    let left = MasterKeys::remove_from_file(&path, &all, &SystemRandom).unwrap();
    assert_eq!(ids(&left), ids(&rotated)[..1], "the current key stays whatever is asked for");
    assert!(std::fs::read_to_string(&path).unwrap().contains("# the first one"));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "nothing unfinished is left");
}

#[test]
fn two_rotations_at_once_both_leave_their_key() {
    let (_directory, path) = key_file();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..3).for_each(|_| drop(MasterKeys::prepend_to_file(&path, &SystemRandom).unwrap())));
        }
    });
    assert_eq!(ids(&MasterKeys::from_file(&path).unwrap()).len(), 13);
}

#[test]
fn a_service_that_runs_opens_and_seals_with_keys_that_came_later() {
    let (_directory, path) = key_file();
    let ring = KeyRing::of_file(&path, Arc::new(Hand::default())).unwrap();
    let secret = SecretBytes::new(b"hunter2".to_vec());
    let old = ring.seal(&secret, CONTEXT, &SystemRandom).unwrap();
    let rotated = MasterKeys::prepend_to_file(&path, &SystemRandom).unwrap();
    let new = rotated.rewrap(&old, CONTEXT, &SystemRandom).unwrap();
    assert_ne!(old.key_id, new.key_id);
    assert_eq!(ring.open(&new, CONTEXT).unwrap(), secret);
    assert_eq!(ring.open(&old, CONTEXT).unwrap(), secret);

    let other = KeyRing::of_file(&path, Arc::new(Hand::default())).unwrap();
    MasterKeys::prepend_to_file(&path, &SystemRandom).unwrap();
    let sealed = other.seal(&secret, CONTEXT, &SystemRandom).unwrap();
    assert_eq!(sealed.key_id, MasterKeys::from_file(&path).unwrap().current().id(), "never with a key that may be retired");
}

#[test]
fn a_key_that_is_nowhere_is_looked_for_once_a_second() {
    let (_directory, path) = key_file();
    let clock = Arc::new(Hand::default());
    let ring = KeyRing::of_file(&path, clock.clone()).unwrap();
    let foreign = MasterKeys::new(MasterKey::from_bytes([9; 32]), vec![]);
    let sealed = foreign.seal(&SecretBytes::new(vec![1]), CONTEXT, &SystemRandom).unwrap();
    let missing = |ring: &KeyRing| matches!(ring.open(&sealed, CONTEXT), Err(SealingError::MissingKey { .. }));
    let same = |ring: &KeyRing, keys: &Arc<MasterKeys>| Arc::ptr_eq(&ring.keys(), keys);
    let first = ring.keys();
    assert!(missing(&ring) && !same(&ring, &first), "it was read again");
    let second = ring.keys();
    assert!(missing(&ring) && same(&ring, &second), "but not at once");
    clock.0.store(1000, Ordering::Relaxed);
    assert!(missing(&ring) && !same(&ring, &second));
}

#[test]
fn keys_that_cannot_be_read_any_more_open_but_do_not_seal() {
    let (_directory, path) = key_file();
    let ring = KeyRing::of_file(&path, Arc::new(Hand::default())).unwrap();
    let secret = SecretBytes::new(vec![1]);
    let sealed = ring.seal(&secret, CONTEXT, &SystemRandom).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ring.open(&sealed, CONTEXT).unwrap(), secret);
    assert!(matches!(ring.seal(&secret, CONTEXT, &SystemRandom), Err(SealingError::File { doing: "read", .. })));
}
