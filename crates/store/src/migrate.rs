//! The schema: numbered steps, each applied once, in order, and never changed afterwards.

use aws_lc_rs::digest;

use crate::engine::Dialect;
use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::Value;

struct Step {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// In the order they are applied.
const STEPS: &[Step] = &[
    Step {
        name: "0001_first",
        sqlite: include_str!("../migrations/sqlite/0001_first.sql"),
        postgres: include_str!("../migrations/postgres/0001_first.sql"),
    },
    Step {
        name: "0002_audit",
        sqlite: include_str!("../migrations/sqlite/0002_audit.sql"),
        postgres: include_str!("../migrations/postgres/0002_audit.sql"),
    },
    Step {
        name: "0004_registry",
        sqlite: include_str!("../migrations/sqlite/0004_registry.sql"),
        postgres: include_str!("../migrations/postgres/0004_registry.sql"),
    },
    Step {
        name: "0005_keys",
        sqlite: include_str!("../migrations/sqlite/0005_keys.sql"),
        postgres: include_str!("../migrations/postgres/0005_keys.sql"),
    },
    Step {
        name: "0006_tokens",
        sqlite: include_str!("../migrations/sqlite/0006_tokens.sql"),
        postgres: include_str!("../migrations/postgres/0006_tokens.sql"),
    },
    Step {
        name: "0007_secrets",
        sqlite: include_str!("../migrations/sqlite/0007_secrets.sql"),
        postgres: include_str!("../migrations/postgres/0007_secrets.sql"),
    },
    Step {
        name: "0008_directory",
        sqlite: include_str!("../migrations/sqlite/0008_directory.sql"),
        postgres: include_str!("../migrations/postgres/0008_directory.sql"),
    },
    Step {
        name: "0009_rights",
        sqlite: include_str!("../migrations/sqlite/0009_rights.sql"),
        postgres: include_str!("../migrations/postgres/0009_rights.sql"),
    },
    Step {
        name: "0010_oauth",
        sqlite: include_str!("../migrations/sqlite/0010_oauth.sql"),
        postgres: include_str!("../migrations/postgres/0010_oauth.sql"),
    },
    Step {
        name: "0011_oauth_2",
        sqlite: include_str!("../migrations/sqlite/0011_oauth_2.sql"),
        postgres: include_str!("../migrations/postgres/0011_oauth_2.sql"),
    },
    Step {
        name: "0012_refresh_policy",
        sqlite: include_str!("../migrations/sqlite/0012_refresh_policy.sql"),
        postgres: include_str!("../migrations/postgres/0012_refresh_policy.sql"),
    },
    Step {
        name: "0013_webhooks",
        sqlite: include_str!("../migrations/sqlite/0013_webhooks.sql"),
        postgres: include_str!("../migrations/postgres/0013_webhooks.sql"),
    },
    Step {
        name: "0017_install",
        sqlite: include_str!("../migrations/sqlite/0017_install.sql"),
        postgres: include_str!("../migrations/postgres/0017_install.sql"),
    },
    Step {
        name: "0021_unfurl_targets",
        sqlite: include_str!("../migrations/sqlite/0021_unfurl_targets.sql"),
        postgres: include_str!("../migrations/postgres/0021_unfurl_targets.sql"),
    },
    Step {
        name: "0022_application_keys",
        sqlite: include_str!("../migrations/sqlite/0022_application_keys.sql"),
        postgres: include_str!("../migrations/postgres/0022_application_keys.sql"),
    },
    Step {
        name: "0014_delivery_log",
        sqlite: include_str!("../migrations/sqlite/0014_delivery_log.sql"),
        postgres: include_str!("../migrations/postgres/0014_delivery_log.sql"),
    },
    Step {
        name: "0015_own_filters",
        sqlite: include_str!("../migrations/sqlite/0015_own_filters.sql"),
        postgres: include_str!("../migrations/postgres/0015_own_filters.sql"),
    },
    Step {
        name: "0023_ui_extensions",
        sqlite: include_str!("../migrations/sqlite/0023_ui_extensions.sql"),
        postgres: include_str!("../migrations/postgres/0023_ui_extensions.sql"),
    },
    Step {
        name: "0024_log",
        sqlite: include_str!("../migrations/sqlite/0024_log.sql"),
        postgres: include_str!("../migrations/postgres/0024_log.sql"),
    },
    Step {
        name: "0025_field_rights",
        sqlite: include_str!("../migrations/sqlite/0025_field_rights.sql"),
        postgres: include_str!("../migrations/postgres/0025_field_rights.sql"),
    },
];

/// Brings the schema up to date, in the caller's transaction.
pub(crate) fn migrate(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let dialect = tx.connection.dialect();
    if dialect == Dialect::Postgres {
        // Differs because several nodes may start at once: the first one migrates, the others wait.
        tx.connection.query("SELECT CAST(pg_advisory_xact_lock(7391526301) AS TEXT)", &[])?;
    }
    run(tx, "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, checksum TEXT NOT NULL)")?;
    let mut applied = tx.connection.query("SELECT name, checksum FROM migration ORDER BY name", &[])?;
    let known = applied.iter_mut().map(|row| Ok((row.text()?, row.text()?))).collect::<Result<Vec<_>, StoreError>>()?;
    if let Some((name, _)) = known.iter().find(|(name, _)| STEPS.iter().all(|step| step.name != name)) {
        return Err(StoreError::Schema(format!(
            "the database was used by a newer version (it knows the schema step {name}); run that version"
        )));
    }
    for step in STEPS {
        let sql = match dialect {
            Dialect::Sqlite => step.sqlite,
            Dialect::Postgres => step.postgres,
        };
        let checksum: String =
            digest::digest(&digest::SHA256, sql.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        match known.iter().find(|(name, _)| name == step.name) {
            Some((_, known)) if *known == checksum => {}
            Some(_) => {
                return Err(StoreError::Schema(format!(
                    "the schema step {} was applied in another form than this version has",
                    step.name
                )));
            }
            None => {
                for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
                    run(tx, statement)?;
                }
                let row = [Value::from(step.name), Value::from(checksum)];
                tx.connection.execute("INSERT INTO migration (name, checksum) VALUES ($1, $2)", &row)?;
            }
        }
    }
    Ok(())
}

fn run(tx: &mut Tx<'_>, sql: &str) -> Result<(), StoreError> {
    tx.connection.execute(sql, &[]).map(|_| ())
}
