//! `keys`: the master keys of a service, which goes on running.

mod place;
mod status;
#[cfg(test)]
mod tests;

use std::path::Path;

use server::randomness::SystemRandom;
use server::rotation::{Rewrapped, Rotation};
use server::sealing::{KeyId, MasterKey, MasterKeys, SealingError};
use store::{Actor, Audit, AuditVia};

use crate::arguments::{CreateKeyArguments, KeysArguments, KeysCommand};
use crate::clock;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, grouped};
use place::Opened;

pub(crate) async fn run(command: &KeysCommand) -> Outcome {
    match command {
        KeysCommand::Create(arguments) => create(arguments),
        KeysCommand::Rotate(arguments) => rotate(arguments).await,
        KeysCommand::Status(arguments) => status::run(arguments).await,
        KeysCommand::Retire(arguments) => retire(arguments).await,
    }
}

impl From<SealingError> for Failure {
    fn from(error: SealingError) -> Self {
        Self::from_error(&error)
    }
}

fn create(arguments: &CreateKeyArguments) -> Outcome {
    let key = MasterKey::create_file(&arguments.file, &SystemRandom)?;
    let mut page = Page::with_line(format!("{} holds the new master key {}.", arguments.file.display(), key.id()));
    page.line("Keep a copy of it apart from the catalog: stored credentials cannot be read without it.");
    page.print()?;
    Ok(Status::Complete)
}

/// A rotation that was interrupted is brought to its end first; a new key is made when everything is under the current one.
async fn rotate(arguments: &KeysArguments) -> Outcome {
    let mut opened = Opened::open(arguments).await?;
    let counts = opened.counts().await?;
    let older = counts.iter().any(|(id, secrets)| opened.is_older(id) && *secrets > 0);
    let mut page = Page::default();
    if older {
        page.line(format!("Secrets are still under older keys: they are brought under the key {}.", opened.keys.current().id()));
    } else {
        let path = opened.place.file().ok_or_else(by_hand)?;
        opened.keys = MasterKeys::prepend_to_file(path, &SystemRandom)?;
        page.line(format!("The new current key is {}, in {}.", opened.keys.current().id(), path.display()));
    }
    let (store, keys, audit) = (&opened.store, &opened.keys, &audit());
    let done = Rotation { store, keys, random: &SystemRandom, audit, now_ms: clock::now_ms() }.rewrap_all().await?;
    page.line(format!("Secrets brought under it: {}.", grouped(done.wrapped)));
    page.print()?;
    opened.store.close().await;
    left(&done)
}

fn left(done: &Rewrapped) -> Outcome {
    if done.left.is_empty() {
        return Ok(Status::Complete);
    }
    let listed: Vec<_> = done.left.iter().map(|left| format!("    {}: {}", left.of, left.reason)).collect();
    Err(Failure::failed(
        format!("what does not open was left as it is ({}):\n{}", done.left.len(), listed.join("\n")),
        "Put the missing key into the key file as a further line and repeat the rotation, or enter these secrets again.",
    ))
}

/// What a program cannot do for whoever keeps the key in a variable.
fn by_hand() -> Failure {
    Failure::failed(
        "the master key is in a variable (`master_key.variable`), which this program cannot change",
        "Make a new key with `openssl rand -base64 32`. Set the variable to NEW,OLD (the new key, a comma, the one before) and \
         start every replica again with it. Then run `isinglass keys rotate` with the same variable: it brings every secret \
         under the new key. When `isinglass keys status` shows none under the old one, take that out of the variable.",
    )
}

async fn retire(arguments: &KeysArguments) -> Outcome {
    let opened = Opened::open(arguments).await?;
    let counts = opened.counts().await?;
    opened.store.close().await;
    let older: Vec<KeyId> = opened.keys.all().skip(1).map(MasterKey::id).collect();
    if older.is_empty() {
        Page::with_line(format!("There are no older keys: {} is the only one.", opened.keys.current().id())).print()?;
        return Ok(Status::Complete);
    }
    let used: Vec<String> = counts
        .iter()
        .filter(|(id, _)| older.iter().any(|key| key.to_string() == **id))
        .map(|(id, secrets)| format!("{} under {id}", grouped(*secrets)))
        .collect();
    if !used.is_empty() {
        let message = format!("secrets are still under older keys: {}", used.join(", "));
        return Err(Failure::failed(message, "Run `isinglass keys rotate` first: it brings every secret under the current key."));
    }
    let path = opened.place.file().ok_or_else(|| {
        Failure::failed(
            "no secret is under an older key, but the keys are in a variable, which this program cannot change",
            "Take everything but the first key out of the variable.",
        )
    })?;
    drop_keys(path, &older)
}

fn drop_keys(path: &Path, older: &[KeyId]) -> Outcome {
    MasterKeys::remove_from_file(path, older, &SystemRandom)?;
    let listed: Vec<_> = older.iter().map(ToString::to_string).collect();
    let mut page = Page::with_line(format!("Dropped from {}: {}.", path.display(), listed.join(", ")));
    page.line("Backups of the catalog from before the rotation still need them: keep a copy as long as those.");
    page.print()?;
    Ok(Status::Complete)
}

fn audit() -> Audit {
    let actor = Actor::System { name: "isinglass keys".to_owned() };
    Audit { actor, via: AuditVia::CommandLine, address: None, request_id: None }
}
