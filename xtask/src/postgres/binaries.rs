//! Where PostgreSQL's server programs are, and how they get here when they are missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::apt::Privilege;
use crate::command;
use crate::environment;

/// The programs a folder must hold to be of use.
const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Says how to help, when we cannot.
const ADVICE: &str = "PostgreSQL's server programs (initdb, pg_ctl, postgres) are missing; install them \
    (Debian, Ubuntu: `apt-get install postgresql`; Fedora: `dnf install postgresql-server`; macOS: `brew install \
    postgresql`) or set SPACEPORT_TEST_POSTGRES to the URL of a server where the tests may create databases";

/// Keeps Debian's package from starting a server of its own on the machine.
const NO_MAIN_CLUSTER: &str = "mkdir -p /etc/postgresql-common && \
    { [ -e /etc/postgresql-common/createcluster.conf ] || \
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; }";

/// The folder of the server programs; installs them with apt where we may.
pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    let Some(privilege) = Privilege::to_install() else { bail!(ADVICE) };
    println!("PostgreSQL's server programs are missing; installing them");
    if !privilege.run(NO_MAIN_CLUSTER)? || !privilege.install("postgresql")? {
        bail!("the installation failed. {ADVICE}");
    }
    let Some(folder) = find() else { bail!(ADVICE) };
    Ok(folder)
}

/// Looks in the search path, asks `pg_config`, then tries where packages put the programs.
fn find() -> Option<PathBuf> {
    let told = command::answer(Command::new("pg_config").arg("--bindir")).map(PathBuf::from);
    let mut folders = environment::search_path();
    folders.extend(told);
    for (parent, below) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        folders.extend(versions(Path::new(parent)).into_iter().map(|version| version.join(below)));
    }
    folders.extend(["/usr/local/pgsql/bin", "/usr/libexec/postgresql"].map(PathBuf::from));
    folders.into_iter().find(|folder| NEEDED.iter().all(|program| folder.join(program).is_file()))
}

/// The folders in `parent` that look like versions of PostgreSQL, newest first.
fn versions(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((version_of(&entry.file_name().to_string_lossy())?, entry.path())))
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The version in a folder name: `15`, `pgsql-15`, `postgresql@15`; plain `postgresql` counts as the oldest.
fn version_of(name: &str) -> Option<u32> {
    let number = name
        .strip_prefix("pgsql-")
        .or_else(|| name.strip_prefix("postgresql@"))
        .or_else(|| name.strip_prefix("postgresql"))
        .unwrap_or(name);
    if number.is_empty() { Some(0) } else { number.split('.').next()?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_names_packages_use() {
        assert_eq!(version_of("15"), Some(15));
        assert_eq!(version_of("pgsql-16"), Some(16));
        assert_eq!(version_of("postgresql@17"), Some(17));
        assert_eq!(version_of("9.6"), Some(9));
        assert_eq!(version_of("postgresql"), Some(0));
        assert_eq!(version_of("lib"), None);
    }
}
