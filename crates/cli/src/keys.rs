//! `spaceport keys`: the master keys that everything secret in the database is sealed with.

use std::time::Duration;

use serde_json::json;
use spaceport_platform::random::Random;
use spaceport_platform::time::SystemClock;
use spaceport_server::random::SecureRandom;
use spaceport_server::ring::RingFile;
use spaceport_server::rotation::{Rotated, finish};
use spaceport_server::start::{Existing, existing};
use spaceport_store::{MasterKey, Store, StoreError};

use crate::options::{KeysCommand, Options};
use crate::say;

/// How long a running server gets to notice a new key and to finish with it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Does what is asked with the ring of the data folder.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn keys(options: &Options, command: &KeysCommand) -> Result<(), String> {
    let settings = options.settings()?;
    let ring = RingFile::of(&settings.data);
    let random = SecureRandom::default();
    let opened = existing(&settings).await?;
    let done = match (command, &opened) {
        (KeysCommand::List, _) => list(options, &ring, &opened).await,
        (KeysCommand::Add, _) => add(options, &ring, &random),
        (KeysCommand::Rotate, Existing::Opened(store)) => rotate(options, &ring, store, &random).await,
        (KeysCommand::Rotate, Existing::InUse(_)) => rotate_by_server(options, &ring, &random).await,
    };
    if let Existing::Opened(store) = opened {
        store.close().await;
    }
    done
}

async fn list(options: &Options, ring: &RingFile, opened: &Existing) -> Result<(), String> {
    let ids: Vec<String> = ring.read()?.iter().map(MasterKey::id).collect();
    let found = match opened {
        Existing::Opened(store) => {
            let read = store.read(|tx| Ok::<_, StoreError>((tx.sealing_key()?, tx.sealed_by()?)));
            Some(read.await.map_err(|error| format!("The database cannot be asked: {error}"))?)
        }
        Existing::InUse(_) => None,
    };
    let count = |id: &String| {
        let (_, counts) = found.as_ref()?;
        Some(counts.iter().find(|(known, _)| known == id).map_or(0, |(_, count)| *count))
    };
    let seals = |id: &String| found.as_ref().map(|(sealing, _)| sealing == id);
    if options.json {
        let keys: Vec<_> =
            ids.iter().map(|id| json!({ "id": id, "seals": seals(id), "sealedValues": count(id) })).collect();
        say(&json!({ "keys": keys }).to_string());
        return Ok(());
    }
    say(&format!("Keys in {}, the newest first:", ring.path().display()));
    for id in &ids {
        say(&match (seals(id), count(id)) {
            (Some(true), Some(count)) => format!("  {id}   seals new values; {count} values are sealed with it"),
            (_, Some(count)) => format!("  {id}   {count} values are sealed with it"),
            _ => format!("  {id}"),
        });
    }
    if found.is_none() {
        say("A running server uses the database, so it cannot be said here which values they seal.");
    }
    Ok(())
}

fn add(options: &Options, ring: &RingFile, random: &dyn Random) -> Result<(), String> {
    let id = ring.add(random)?;
    if options.json {
        say(&json!({ "added": id }).to_string());
        return Ok(());
    }
    say(&format!("Added the key {id} to {}. Nothing is sealed with it yet.", ring.path().display()));
    say("Next: copy master.key to every node, then run `spaceport keys rotate` on one of them.");
    Ok(())
}

async fn rotate(options: &Options, ring: &RingFile, store: &Store, random: &dyn Random) -> Result<(), String> {
    let sealing = store.read(|tx| tx.sealing_key()).await.map_err(|error: StoreError| error.to_string())?;
    // A newer key than the one in use was added on purpose, or by a rotation that was cut off.
    if ring.read()?.first().is_some_and(|key| key.id() == sealing) {
        ring.add(random)?;
    }
    report(options, ring, &finish(store, ring, &SystemClock, random).await?);
    Ok(())
}

/// The running server has a SQLite database for itself: it gets the new key by the file and does the rest.
async fn rotate_by_server(options: &Options, ring: &RingFile, random: &dyn Random) -> Result<(), String> {
    let before: Vec<String> = ring.read()?.iter().map(MasterKey::id).collect();
    let key = match before.as_slice() {
        [_] => ring.add(random)?,
        // Somebody else has asked for a rotation that is not finished.
        several => several.first().cloned().unwrap_or_default(),
    };
    if !options.json {
        say("A server uses the database; it rotates the key now, beside its other work.");
    }
    let finished = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(200));
        loop {
            ticks.tick().await;
            let ids: Vec<String> = ring.read()?.iter().map(MasterKey::id).collect();
            if ids.len() == 1 && ids.first() == Some(&key) {
                return Ok::<_, String>(());
            }
        }
    };
    match tokio::time::timeout(PATIENCE, finished).await {
        Ok(done) => done?,
        Err(_) => {
            return Err(format!(
                "The process that uses the database has not finished the rotation to the key {key}; its log says why. \
                 Nothing is lost: it goes on when the server is started again."
            ));
        }
    }
    report(
        options,
        ring,
        &Rotated { retired: before.into_iter().filter(|id| *id != key).collect(), key, resealed: None },
    );
    Ok(())
}

fn report(options: &Options, ring: &RingFile, rotated: &Rotated) {
    if options.json {
        let Rotated { key, resealed, retired } = rotated;
        say(&json!({ "key": key, "resealedValues": resealed, "retired": retired }).to_string());
        return;
    }
    if let Some(resealed) = rotated.resealed {
        say(&format!("Sealed {resealed} values anew."));
    }
    say(&format!(
        "The key {} seals now; retired from {}: {}.",
        rotated.key,
        ring.path().display(),
        rotated.retired.join(", ")
    ));
    say(
        "Keep a copy of the new master.key. Backups of the database made until now need the old one: keep it with them.",
    );
    say("Other nodes of the same database: copy master.key to each of them, to retire the old key there too.");
}
