//! The first start: master key, database, administrator, host; and what refuses to start.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use spaceport_platform::access::{Grant, Owner, Principal};
use spaceport_platform::application::{Application, SecretKind};
use spaceport_platform::audit::{AuditChange, AuditEntry, AuditTarget};
use spaceport_platform::context::Context;
use spaceport_platform::directory::organization::Organization;
use spaceport_platform::id::{Id, ProfileId, random_text};
use spaceport_platform::profile::Profile;
use spaceport_platform::random::Random;
use spaceport_platform::right::Right;
use spaceport_platform::scope::Scope;
use spaceport_platform::secret::Secret;
use spaceport_platform::server_key::{Algorithm, KeyState};
use spaceport_platform::time::{Clock, Timestamp};
use spaceport_store::{NewToken, Store, StoreError, Tx};

use crate::api::application::SECRET_LENGTH;
use crate::config::Settings;
use crate::http::caller::token_hash;
use crate::keys::{NewKey, uuid};
use crate::oauth::permanent;
use crate::oauth::signing;
use crate::ring::RingFile;
use crate::services::KeySource;

/// Characters of the secret in a link that works once: 285 bits.
pub(crate) const LINK_CODE: usize = 48;
/// How long the one-time administrator link works.
const LINK_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the first start made. Shown once, stored nowhere in clear.
pub struct FirstStart {
    /// Permanent token of the administrator.
    pub admin_token: String,
    /// Client id of the host.
    pub host_client_id: String,
    /// Client secret of the host.
    pub host_client_secret: String,
    /// Secret of the one-time administrator link.
    pub link_code: String,
}

/// Opens the database of a data folder, making what is missing on the first start.
///
/// # Errors
/// A sentence that says what to do.
pub async fn open(
    settings: &Settings,
    clock: &dyn Clock,
    random: &dyn Random,
    keys: &KeySource,
) -> Result<(Store, Option<FirstStart>), String> {
    prepare_folder(&settings.data)?;
    let ring = RingFile::of(&settings.data);
    let database = sqlite_file(&settings.database_url);
    let fresh = match (ring.exists(), database.as_ref().map(|file| file.exists())) {
        (false, Some(true)) => return Err(missing_key(&settings.data, "is set up already")),
        (true, Some(false)) => {
            return Err(format!(
                "{} holds master.key but there is no database at {}. Restore the database file from a backup; to start anew, move \
                 master.key away first.",
                settings.data.display(),
                database.unwrap_or_default().display()
            ));
        }
        (true, _) => {
            if let Some(exposed) = ring.exposed() {
                tracing::warn!("{exposed}");
            }
            false
        }
        (false, _) => {
            ring.create(random)?;
            true
        }
    };
    let store = match Store::open(&settings.database_url, ring.sealer()?).await {
        Ok(store) => store,
        Err(error) => {
            if fresh {
                // The key was made for a database that cannot use it; leave nothing half done.
                let _ = fs::remove_file(ring.path());
                if matches!(error, StoreError::WrongMasterKey) {
                    return Err(missing_key(&settings.data, "belongs to another data folder"));
                }
            }
            return Err(closed(&settings.data, &error));
        }
    };
    let first = first_start(&store, settings.access_token_algorithm, clock.now(), random, keys)
        .await
        .map_err(|error| format!("The first start failed: {error}"))?;
    complete(&store, clock.now(), random)
        .await
        .map_err(|error: StoreError| format!("The database could not be brought up to date: {error}"))?;
    Ok((store, first))
}

/// Adds what databases of earlier versions lack: the organization, and rights of the host that came later.
async fn complete(store: &Store, now: Timestamp, random: &dyn Random) -> Result<(), StoreError> {
    let organization = Organization {
        id: random_text(12, random),
        name: "Organization".to_owned(),
        slogan: None,
        logo: None,
        created_at: now,
    };
    let work = move |tx: &mut Tx<'_>| {
        if tx.organization()?.is_none() {
            tx.save_organization(&organization)?;
        }
        let rights = tx.new_host_rights(&Right::HOST)?;
        for host in tx.applications_holding(&Right::PUBLISH_EVENTS)? {
            for right in &rights {
                let grant = Grant { right: right.clone(), context: Context::Global };
                tx.grant(&Principal::Application(host.clone()), &grant, now)?;
            }
        }
        Ok(())
    };
    store.write(work).await
}

/// A database that somebody has set up before.
pub enum Existing {
    /// Opened.
    Opened(Store),
    /// A process has it for itself; says which file.
    InUse(String),
}

/// Opens the database of a data folder that is set up already, and makes nothing.
///
/// # Errors
/// A sentence that says what to do.
pub async fn existing(settings: &Settings) -> Result<Existing, String> {
    let ring = RingFile::of(&settings.data);
    let database = sqlite_file(&settings.database_url);
    if !ring.exists() || database.is_some_and(|file| !file.exists()) {
        return Err(format!("{} is not set up yet: run `spaceport init` first.", settings.data.display()));
    }
    match Store::open(&settings.database_url, ring.sealer()?).await {
        Ok(store) => Ok(Existing::Opened(store)),
        Err(StoreError::InUse(sentence)) => Ok(Existing::InUse(sentence)),
        Err(error) => Err(closed(&settings.data, &error)),
    }
}

fn missing_key(data: &Path, state: &str) -> String {
    format!(
        "The database {state}, but {} holds no master.key, without which its secrets cannot be read. Copy the master.key that \
         belongs to the database there, or name another database.",
        data.display()
    )
}

/// Why the database did not open.
fn closed(data: &Path, error: &StoreError) -> String {
    match error {
        StoreError::Unreachable(_) => format!("The database cannot be opened. {error}"),
        StoreError::WrongMasterKey => format!(
            "The database cannot be opened: {error}. Copy the master.key of the folder that the database was made with to {}, or \
             name another database.",
            data.display()
        ),
        _ => format!("The database cannot be opened: {error}"),
    }
}

fn prepare_folder(data: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("The data folder {} cannot be made: {error}", data.display());
    if data.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data).map_err(failed)
}

fn sqlite_file(url: &str) -> Option<PathBuf> {
    url.strip_prefix("sqlite:").map(PathBuf::from)
}

async fn first_start(
    store: &Store,
    algorithm: Algorithm,
    now: Timestamp,
    random: &dyn Random,
    keys: &KeySource,
) -> Result<Option<FirstStart>, String> {
    let begun = store.read(|tx| tx.server_key_facts()).await.map_err(|error: StoreError| error.to_string())?;
    if !begun.is_empty() {
        return Ok(None);
    }
    let first = FirstStart {
        admin_token: permanent::make(random),
        host_client_id: uuid(random),
        host_client_secret: random_text(SECRET_LENGTH, random),
        link_code: random_text(LINK_CODE, random),
    };
    let (server_key_id, server_key) = (Id::generate(now, random), signing::generate(algorithm, keys)?);
    let host_key = NewKey::make(Id::generate(now, random), keys, now)?;
    let profile =
        Profile { first_name: "Administrator".to_owned(), ..Profile::new(Id::generate(now, random), "admin", now) };
    let host = host(&first.host_client_id, profile.id.clone(), now, random);
    let token = NewToken {
        hash: token_hash(&first.admin_token),
        id: Id::generate(now, random),
        name: "first start".to_owned(),
        scope: Scope::Everything.to_string(),
        created_at: now,
        expires_at: None,
    };
    let (link, secret) = (token_hash(&first.link_code), Secret::new(first.host_client_secret.as_str()));
    let signing_key = Secret::new(random_text(SECRET_LENGTH, random));
    let made_by_itself = |target, field, value: &str| {
        let change = AuditChange::between(field, None, Some(value));
        AuditEntry::of_server(Id::generate(now, random), now, "server.first_start", target, change)
    };
    let entries = [
        made_by_itself(AuditTarget::other("profile", profile.id.as_str()), "username", &profile.username),
        made_by_itself(AuditTarget::application(&host.id), "name", &host.name),
    ];
    let made = store
        .write(move |tx| {
            // Another node may have been first between the look and now.
            if !tx.insert_server_key(&server_key_id, algorithm, KeyState::Active, &server_key, now)? {
                return Ok(false);
            }
            let administrator = Principal::User(profile.id.clone());
            tx.insert_profile(&profile)?;
            tx.grant(&administrator, &Grant { right: Right::SUPERADMIN, context: Context::Global }, now)?;
            tx.insert_token(&token, &administrator)?;
            tx.insert_link(&link, "administrator", &profile.id, now, now.plus(LINK_LIFETIME))?;
            tx.insert_application(&host)?;
            tx.set_secret(host.id.as_str(), SecretKind::ClientSecret, &secret)?;
            tx.set_secret(host.id.as_str(), SecretKind::SigningKey, &signing_key)?;
            host_key.insert(tx, &host.id)?;
            for right in Right::HOST {
                tx.grant(&Principal::Application(host.id.clone()), &Grant { right, context: Context::Global }, now)?;
            }
            entries.iter().try_for_each(|entry| tx.insert_audit_entry(entry))?;
            Ok::<_, StoreError>(true)
        })
        .await
        .map_err(|error| error.to_string())?;
    Ok(made.then_some(first))
}

/// The host is an application like any other; only its rights are its own.
fn host(client_id: &str, owner: ProfileId, now: Timestamp, random: &dyn Random) -> Application {
    let mut host = Application::new(Id::generate(now, random), client_id, "Host", Owner::User(owner), now);
    host.description = Some("The product that Spaceport is embedded in".to_owned());
    host
}
