//! A secret is seen in its resolved value, when that is asked for, and nowhere else.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::harness::{context, multi, open, single, try_open};
use super::stand_ins::{CANARY, KEY, KINDS, Situation};
use super::suite::opened;
use crate::{Field, check, resolve};

/// Everything that is logged, by whichever crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Logs of this thread at the most detailed level, until the guard is dropped.
fn capture() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    (log, guard)
}

/// What signs in to the stand-ins; no log shows it either.
const TOKENS: &[&str] =
    &["base-secret", "secret-id-1", "hvs.token-1", "client-secret-1", "entra-token-1", "google-token-1", "account-token-1"];

#[tokio::test]
async fn a_secret_is_in_no_log_no_error_and_no_debug_output_of_any_store() {
    let (log, _guard) = capture();
    let mut printed = String::new();
    for kind in KINDS {
        for situation in [
            Situation::Found,
            Situation::NoEntry,
            Situation::Denied,
            Situation::SignInRefused,
            Situation::Outage,
            Situation::Malformed,
            Situation::Slow,
            Situation::TooLong,
        ] {
            let (_server, _folder, opened) = opened(kind, situation).await;
            let store = opened.store();
            let resolved = resolve(store, &multi(kind.entry, &[KEY])).await;
            if let Ok(resolved) = &resolved {
                assert_eq!(resolved.get(&Field::new(KEY)).unwrap().expose(), CANARY, "{}", kind.name);
            }
            let displayed = resolved.as_ref().err().map(ToString::to_string);
            printed.push_str(&format!("{store:?} {resolved:?} {displayed:?} {:?}\n", check(store).await));
        }
    }
    let logged = log.text();
    for kind in KINDS {
        assert!(logged.contains(&format!("kind=\"{}\"", kind.name)), "the log of {} was captured", kind.name);
        assert!(!logged.contains(kind.entry), "the log names an entry of {}", kind.name);
    }
    assert!(printed.contains("***") && printed.contains("Denied"), "{printed}");
    for secret in TOKENS.iter().chain([&CANARY]) {
        assert!(!printed.contains(secret), "{secret} was printed");
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} was logged");
    }
}

#[tokio::test]
async fn a_secret_of_this_machine_is_in_no_log_and_no_output_either() {
    let (log, _guard) = capture();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("single"), CANARY).unwrap();
    std::fs::write(at("keys"), format!("{{\"{KEY}\":\"{CANARY}\"}}")).unwrap();
    std::fs::write(at("broken"), format!("{{\"{KEY}\":\"{CANARY}\",")).unwrap();
    let files = open(&format!("kind = \"files\"\ndirectory = {:?}", folder.path()), &[]).await;
    std::fs::set_permissions(at("single"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let broken = format!("[\"{CANARY}\"]");
    let variables = try_open("kind = \"environment\"", context(&[("SINGLE", CANARY), ("BROKEN", &broken)])).await.unwrap();
    let mut printed = String::new();
    for (store, reference, is_found) in [
        (files.store(), single(&["single"]), true),
        (files.store(), multi("keys", &[KEY]), true),
        (files.store(), multi("keys", &["absent"]), false),
        (files.store(), multi("broken", &[KEY]), false),
        (files.store(), multi("single", &[KEY]), false),
        (variables.store(), single(&["SINGLE"]), true),
        (variables.store(), multi("SINGLE", &[KEY]), false),
        (variables.store(), multi("BROKEN", &[KEY]), false),
    ] {
        let resolved = resolve(store, &reference).await;
        assert_eq!(resolved.is_ok(), is_found, "{reference:?}: {resolved:?}");
        printed.push_str(&format!("{store:?} {resolved:?} {:?}", resolved.as_ref().err().map(ToString::to_string)));
    }
    assert!(printed.contains("***") && !printed.contains(CANARY), "{printed}");
    assert!(log.text().contains("secret store asked") && !log.text().contains(CANARY));
    assert!(log.text().contains("everybody on this machine may read an entry"));
}
