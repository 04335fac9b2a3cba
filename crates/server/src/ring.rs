//! The file of master keys: one key a line, the newest first; blank lines and those that begin with `#` do not count.
//!
//! Whoever changes it holds a lock beside it and puts a finished file in its place, so that a reader sees either the
//! old ring or the new one, also when the machine stops in between.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use spaceport_platform::random::Random;
use spaceport_store::{MasterKey, Sealer};

/// The ring file of a data folder.
#[derive(Clone, Debug)]
pub struct RingFile(PathBuf);

impl RingFile {
    /// The one of this data folder, whether it exists or not.
    pub fn of(data: &Path) -> Self {
        Self(data.join("master.key"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether there is one.
    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    /// What to tell an operator about a file that everybody on the machine may read; `None` when all is well. Reading
    /// by a group is let pass: it may have been given on purpose.
    pub fn exposed(&self) -> Option<String> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&self.0).ok()?.permissions().mode();
            let path = self.0.display();
            (mode & 0o007 != 0).then(|| format!("every user of this machine may open {path}: `chmod 600 {path}`"))
        }
        #[cfg(not(unix))]
        None
    }

    /// The keys, the newest first; at least one.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn read(&self) -> Result<Vec<MasterKey>, String> {
        let path = self.0.display();
        let text = fs::read_to_string(&self.0).map_err(|error| format!("{path} cannot be read: {error}"))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<MasterKey> = lines.map(MasterKey::from_text).collect::<Result<_, _>>().unwrap_or_default();
        if keys.is_empty() {
            return Err(format!(
                "{path} is damaged: each line must hold 32 bytes in base64url. Restore it from a backup."
            ));
        }
        Ok(keys)
    }

    /// What opens with the keys of this file and reads them anew when it meets one it lacks.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn sealer(&self) -> Result<Sealer, String> {
        let file = self.clone();
        Ok(Sealer::watching(&self.read()?, move || file.read().ok()))
    }

    /// Makes the file with a single fresh key; it must not exist.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(&self, random: &dyn Random) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} cannot be written: {error}", self.0.display());
        let mut file = private_file(&self.0, File::options().write(true).create_new(true)).map_err(failed)?;
        file.write_all(text(&[fresh(random)]).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Puts a fresh key first and answers its id. What it is for is decided elsewhere: nothing is sealed with it yet.
    ///
    /// # Errors
    /// When another process changes the file, or it cannot be written.
    pub fn add(&self, random: &dyn Random) -> Result<String, String> {
        let _lock = self.lock()?;
        let key = fresh(random);
        let id = key.id();
        let mut keys = self.read()?;
        keys.insert(0, key);
        self.write(&keys).map(|()| id)
    }

    /// Takes the keys with these ids out, but never the newest.
    ///
    /// # Errors
    /// When another process changes the file, or it cannot be written.
    pub fn retire(&self, ids: &[String]) -> Result<(), String> {
        let _lock = self.lock()?;
        let mut keys = self.read()?;
        let newest = keys.first().map(MasterKey::id);
        keys.retain(|key| Some(key.id()) == newest || !ids.contains(&key.id()));
        self.write(&keys)
    }

    fn lock(&self) -> Result<File, String> {
        let path = PathBuf::from(format!("{}.lock", self.0.display()));
        let lock = private_file(&path, File::options().create(true).truncate(false).write(true))
            .map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        lock.try_lock()
            .map_err(|_| format!("Another process is changing {}; try again when it has ended.", self.0.display()))?;
        Ok(lock)
    }

    fn write(&self, keys: &[MasterKey]) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} cannot be written: {error}", self.0.display());
        let path = PathBuf::from(format!("{}.new", self.0.display()));
        let mut file = private_file(&path, File::options().create(true).truncate(true).write(true)).map_err(failed)?;
        file.write_all(text(keys).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        drop(file);
        fs::rename(&path, &self.0).map_err(failed)?;
        // The new name counts once its folder is on the disk as well.
        #[cfg(unix)]
        if let Some(folder) = self.0.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }
}

fn fresh(random: &dyn Random) -> MasterKey {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes);
    MasterKey::new(bytes)
}

fn text(keys: &[MasterKey]) -> String {
    keys.iter().map(|key| format!("{}\n", key.to_text())).collect()
}

/// Opens a file that its owner alone may read.
pub(crate) fn private_file(path: &Path, options: &mut fs::OpenOptions) -> std::io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spaceport_platform::random::Counting;

    #[test]
    fn keys_are_added_in_front_and_retired_but_for_the_newest() {
        let folder = tempfile::TempDir::new().unwrap();
        let (ring, random) = (RingFile::of(folder.path()), Counting::default());
        ring.create(&random).unwrap();
        assert!(ring.create(&random).is_err(), "a key is never overwritten");
        let first = ring.read().unwrap()[0].id();
        let second = ring.add(&random).unwrap();
        let ids = || ring.read().unwrap().iter().map(MasterKey::id).collect::<Vec<_>>();
        assert_eq!(ids(), [second.clone(), first.clone()]);
        ring.retire(&[first, second.clone()]).unwrap();
        assert_eq!(ids(), [second]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(ring.path()).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(ring.exposed(), None);
            fs::set_permissions(ring.path(), fs::Permissions::from_mode(0o644)).unwrap();
            assert!(ring.exposed().unwrap().contains("chmod 600"));
        }
    }

    #[test]
    fn comments_are_skipped_and_damage_is_named() {
        let folder = tempfile::TempDir::new().unwrap();
        let ring = RingFile::of(folder.path());
        let key = fresh(&Counting::default());
        fs::write(ring.path(), format!("# made in March\n\n {} \n", key.to_text())).unwrap();
        assert_eq!(ring.read().unwrap(), std::slice::from_ref(&key));
        fs::write(ring.path(), format!("{}\nhalf", key.to_text())).unwrap();
        assert!(ring.read().unwrap_err().contains("damaged"), "half a ring would lose what the other half opens");
        fs::write(ring.path(), "").unwrap();
        assert!(ring.read().unwrap_err().contains("damaged"));
    }

    #[test]
    fn two_processes_do_not_change_it_at_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let (ring, random) = (RingFile::of(folder.path()), Counting::default());
        ring.create(&random).unwrap();
        let lock = ring.lock().unwrap();
        assert!(ring.add(&random).unwrap_err().contains("Another process"));
        drop(lock);
        ring.add(&random).unwrap();
    }
}
