//! One PostgreSQL data folder with its server: made for a test run, stopped and removed on drop.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command;

/// A path of a unix socket has at most 103 bytes on every system, the name of the socket itself takes 16.
const SOCKET_FOLDER_LIMIT: usize = 86;
/// Another program may take the port we found before the server does.
const PORT_ATTEMPTS: usize = 5;

/// A running server and the folder it lives in.
pub(super) struct Cluster {
    binaries: PathBuf,
    folder: PathBuf,
    account: Account,
    url: String,
}

/// Who the server runs as.
#[derive(Clone, Copy)]
enum Account {
    /// The caller.
    Own,
    /// PostgreSQL refuses to run as root, so root becomes somebody else.
    Other { uid: u32, gid: u32 },
}

impl Cluster {
    /// Makes a data folder in the system's temporary folder (or below `target`) and starts a server on it.
    pub(super) fn start(binaries: &Path, target: &Path) -> Result<Self> {
        let (folder, account) = usable_folder(target)?;
        let mut cluster = Self { binaries: binaries.to_owned(), folder, account, url: String::new() };
        let password = random_password()?;
        cluster.initialize(&password)?;
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            cluster.configure(port)?;
            if cluster.launch() {
                cluster.url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                return Ok(cluster);
            }
        }
        bail!("PostgreSQL does not start: {}", fs::read_to_string(cluster.log()).unwrap_or_default());
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Runs initdb. A password keeps other users of this machine out: the superuser may run programs.
    fn initialize(&self, password: &str) -> Result<()> {
        let file = self.folder.join("password");
        let mut options = fs::OpenOptions::new();
        let mut written = options.write(true).create_new(true).mode(0o600).open(&file)?;
        std::io::Write::write_all(&mut written, password.as_bytes())?;
        self.account.own(&file)?;
        let mut initdb = self.program("initdb");
        initdb.args(["--username=postgres", "--encoding=UTF8", "--no-locale", "--auth=password", "--no-sync"]);
        initdb.arg(format!("--pwfile={}", file.display()));
        let output = initdb.arg("-D").arg(self.data()).stdin(Stdio::null()).output().context("cannot start initdb")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(fs::remove_file(file)?)
    }

    /// Writes the settings: nothing here outlives the run, so nothing waits for the disk.
    fn configure(&self, port: u16) -> Result<()> {
        let socket = self.folder.to_string_lossy().replace('\'', "''");
        let socket = if socket.len() <= SOCKET_FOLDER_LIMIT { socket } else { String::new() };
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\n\
             max_connections = 300\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\n\
             wal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\njit = off\ntimezone = 'UTC'\n"
        );
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, settings).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Starts the server and waits until it answers.
    fn launch(&self) -> bool {
        let mut start = self.program("pg_ctl");
        start.arg("start").args(["-w", "-s", "-t", "60"]).arg("-l").arg(self.log()).arg("-D").arg(self.data());
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        start.status().is_ok_and(|status| status.success())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(&self.folder).env("LC_ALL", "C");
        self.account.run(&mut command);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            let mut stop = self.program("pg_ctl");
            stop.arg("stop").args(["-m", "immediate", "-w", "-s", "-t", "60"]).arg("-D").arg(self.data());
            if command::answer(&mut stop).is_none() {
                eprintln!("the test server in {} could not be stopped", self.folder.display());
                return;
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

impl Account {
    /// Makes `command` run as this account.
    fn run(self, command: &mut Command) {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Gives `path` to this account.
    fn own(self, path: &Path) -> Result<()> {
        if let Self::Other { uid, gid } = self {
            chown(path, Some(uid), Some(gid)).with_context(|| format!("cannot give {} away", path.display()))?;
        }
        Ok(())
    }

    /// The account for a folder that we just made: its owner tells who we are.
    fn for_owner_of(folder: &Path) -> Result<Self> {
        if fs::metadata(folder)?.uid() != 0 {
            return Ok(Self::Own);
        }
        for name in ["postgres", "nobody"] {
            let ask = |what: &str| command::answer(Command::new("id").args([what, name]))?.parse::<u32>().ok();
            if let (Some(uid), Some(gid)) = (ask("-u"), ask("-g")) {
                return Ok(Self::Other { uid, gid });
            }
        }
        bail!("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as");
    }
}

/// A fresh folder that the server's account can reach; `target` is for machines whose temporary folder is closed to it.
fn usable_folder(target: &Path) -> Result<(PathBuf, Account)> {
    let name = format!("spaceport-postgres-{}", std::process::id());
    let temporary = std::env::temp_dir();
    for parent in [temporary.as_path(), target] {
        if fs::create_dir_all(parent).is_err() {
            continue;
        }
        let folder = parent.join(&name);
        // Left over from a run that was killed together with its guard, whose process number came round again.
        let _ = fs::remove_dir_all(&folder);
        if fs::DirBuilder::new().mode(0o700).create(&folder).is_err() {
            continue;
        }
        let account = Account::for_owner_of(&folder)?;
        account.own(&folder)?;
        let mut probe = Command::new("true");
        probe.current_dir(&folder);
        account.run(&mut probe);
        if command::answer(&mut probe).is_some() {
            return Ok((folder, account));
        }
        fs::remove_dir_all(&folder)?;
    }
    bail!("neither {} nor {} can hold a PostgreSQL data folder", temporary.display(), target.display());
}

/// A port of this machine that nobody listens on at the moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// 32 hexadecimal digits from the system.
fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_need_no_escaping_in_a_url_and_differ() {
        let password = random_password().unwrap();
        assert_eq!(password.len(), 32);
        assert!(password.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(password, random_password().unwrap());
    }
}
