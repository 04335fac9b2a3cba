//! The way back to an administrator: a one-time link that an operator asks for by a command.
//!
//! Whoever holds the data folder holds everything, so nothing more is asked for. With SQLite a running server has the
//! database for itself; there the command leaves the hash of the link's secret in a file of the data folder, and the
//! server makes the link and answers in the same file. The secret itself is never written down.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::audit::{AuditChange, AuditEntry, AuditTarget};
use spaceport_platform::context::Context;
use spaceport_platform::id::{Id, random_text};
use spaceport_platform::profile::Profile;
use spaceport_platform::random::Random;
use spaceport_platform::right::Right;
use spaceport_platform::time::{Clock, Timestamp};
use spaceport_store::{Store, StoreError, Tx};

use crate::http::caller::token_hash;
use crate::pages::administrator::PURPOSE;
use crate::ring::private_file;
use crate::services::Services;
use crate::start::LINK_CODE;
use crate::tasks::Periodic;

/// How long a link lives that an operator asked for: he opens it at once.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Looks for requests of the command.
pub const WATCH: Periodic =
    Periodic { name: "administrator links", period: Duration::from_secs(1), run: |s| watch(s).boxed() };

/// What the command leaves for the server.
const ASKED: &str = "asked ";
/// What the server answers with the URL others use.
const MADE: &str = "made ";
/// What the server answers when it could not.
const FAILED: &str = "failed ";

/// A link that has been asked for: its secret is known here alone.
pub struct NewLink {
    code: String,
}

impl NewLink {
    /// With a fresh secret.
    pub fn generate(random: &dyn Random) -> Self {
        Self { code: random_text(LINK_CODE, random) }
    }

    /// What stands in the browser's address line.
    pub fn url(&self, public_url: &str) -> String {
        format!("{public_url}/administrator?code={}", self.code)
    }

    /// Stores it in a database that is open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store(&self, store: &Store, clock: &dyn Clock, random: &dyn Random) -> Result<(), String> {
        make(store, &token_hash(&self.code), clock.now(), random).await
    }

    /// Asks the server that has the database for itself. Answers the URL others reach it under.
    ///
    /// # Errors
    /// A sentence that says what to do: when the server does not answer within `patience`, or could not make the link.
    pub async fn ask_server(&self, data: &Path, patience: Duration) -> Result<String, String> {
        let file = RequestFile::of(data);
        file.write(&format!("{ASKED}{}", token_hash(&self.code)))?;
        let answered = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(100));
            loop {
                ticks.tick().await;
                match file.read()? {
                    Some(text) if text.starts_with(ASKED) => {}
                    other => return Ok::<_, String>(other.unwrap_or_default()),
                }
            }
        };
        let answer = tokio::time::timeout(patience, answered).await;
        file.remove();
        let answer = answer.map_err(|_| {
            "The process that uses the database did not answer. If it is a server of this version, its log says why; any \
             other command ends by itself: try again then."
                .to_owned()
        })??;
        match (answer.strip_prefix(MADE), answer.strip_prefix(FAILED)) {
            (Some(url), _) => Ok(url.to_owned()),
            (_, Some(why)) => Err(format!("The server could not make the link: {why}")),
            _ => Err("Somebody else asked for a link at the same time; try again.".to_owned()),
        }
    }
}

/// Stores a link for somebody who administers this server. When nobody does any more, somebody new is made.
async fn make(store: &Store, hash: &str, now: Timestamp, random: &dyn Random) -> Result<(), String> {
    let id = Id::generate(now, random);
    let spare = Profile {
        first_name: "Administrator".to_owned(),
        ..Profile::new(id, format!("admin-{}", random_text(6, random).to_lowercase()), now)
    };
    let entries = [Id::generate(now, random), Id::generate(now, random)];
    let hash = hash.to_owned();
    let work = move |tx: &mut Tx<'_>| {
        let [made, linked] = entries.clone();
        let usual = tx.profile_by_username("admin")?.map(|profile| profile.id);
        let holders = tx.holders(&Right::SUPERADMIN)?;
        let known = usual.filter(|id| holders.contains(id)).or_else(|| holders.first().cloned());
        let administrator = match known {
            Some(id) => id,
            None => {
                let grant = Grant { right: Right::SUPERADMIN, context: Context::Global };
                tx.insert_profile(&spare)?;
                tx.grant(&Principal::User(spare.id.clone()), &grant, now)?;
                let change = AuditChange::between("username", None, Some(&spare.username));
                let target = AuditTarget::other("profile", spare.id.as_str());
                tx.insert_audit_entry(&AuditEntry::of_server(made, now, OPERATION, target, change))?;
                spare.id.clone()
            }
        };
        tx.insert_link(&hash, PURPOSE, &administrator, now, now.plus(LIFETIME))?;
        let target = AuditTarget::other("profile", administrator.as_str());
        let change = [AuditChange::secret("administratorLink")];
        tx.insert_audit_entry(&AuditEntry::of_server(linked, now, OPERATION, target, change))
    };
    store.write(work).await.map_err(|error: StoreError| error.to_string())
}

/// What the audit trail calls it.
const OPERATION: &str = "server.administrator_link";

async fn watch(services: Services) -> Result<(), String> {
    // Elsewhere the command talks to the database itself.
    if !services.settings.is_sqlite() {
        return Ok(());
    }
    let file = RequestFile::of(&services.settings.data);
    let Some(text) = file.read()? else { return Ok(()) };
    let Some(hash) = text.strip_prefix(ASKED) else { return Ok(()) };
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let made = match is_hash {
        true => make(&services.store, hash, services.clock.now(), services.random.as_ref()).await,
        false => Err("the request is damaged".to_owned()),
    };
    match made {
        Ok(()) => {
            tracing::info!("made an administrator link that was asked for by command");
            file.write(&format!("{MADE}{}", services.public_url))
        }
        Err(why) => file.write(&format!("{FAILED}{why}")),
    }
}

/// The file in which command and server talk to each other.
struct RequestFile(PathBuf);

impl RequestFile {
    fn of(data: &Path) -> Self {
        Self(data.join("administrator-link"))
    }

    fn read(&self) -> Result<Option<String>, String> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{} cannot be read: {error}", self.0.display())),
        }
    }

    /// Puts a finished file in its place, so that nobody reads half of it.
    fn write(&self, text: &str) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} cannot be written: {error}", self.0.display());
        let path = PathBuf::from(format!("{}.new", self.0.display()));
        let mut file = private_file(&path, File::options().create(true).truncate(true).write(true)).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        drop(file);
        fs::rename(&path, &self.0).map_err(failed)
    }

    fn remove(&self) {
        // Whoever is left with the file reads an answer to nobody in it, and the next request replaces it.
        let _ = fs::remove_file(&self.0);
    }
}
