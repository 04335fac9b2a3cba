//! Settings: one place that reads flags, variables and the file, and checks them.

pub mod provider;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use spaceport_delivery::resolve::name_server::name_server;
use spaceport_platform::server_key::Algorithm;

use crate::failing::patience;
use provider::ProviderSettings;

/// The commented defaults, which are also the reference of all keys.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the server's own files.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// URL others use, without trailing slash; `None` follows the address that was really bound.
    pub public_url: Option<String>,
    /// `sqlite:` or `postgres:`.
    pub database_url: String,
    /// Private networks that deliveries may reach.
    pub allow_network: Vec<IpNet>,
    /// Who is asked for the addresses of endpoints; the machine's resolver when there is none.
    pub name_server: Vec<SocketAddr>,
    /// Networks of reverse proxies that say where a request comes from.
    pub trusted_proxy: Vec<IpNet>,
    /// Delays between resends; `None` for the built-in ones.
    pub retry_schedule: Option<Vec<Duration>>,
    /// Lifetime of access tokens, in seconds.
    pub access_token_seconds: i64,
    /// How access tokens are signed by keys that are made from now on.
    pub access_token_algorithm: Algorithm,
    /// How long a key signs access tokens, in days.
    pub signing_key_days: u32,
    /// How long a refresh token lives without being used, in days.
    pub refresh_token_days: u32,
    /// Whether the password grant is offered.
    pub password_grant: bool,
    /// Whether the implicit flow is offered to applications that switched it on.
    pub implicit_flow: bool,
    /// Whether PKCE by `plain` is enough where PKCE is required.
    pub plain_pkce: bool,
    /// Where people may sign in besides here.
    pub provider: Option<ProviderSettings>,
    /// How long a secret stays valid after it was regenerated.
    pub overlap: Overlaps,
    /// How long what is over is kept.
    pub retention: Retention,
    /// How long a webhook may fail before it is switched off; `None` for ever.
    pub disable_failing_after: Option<Duration>,
    /// Most requests of an application in a minute, on each node; `None` for any number.
    pub application_requests_per_minute: Option<NonZeroU32>,
}

/// How long a secret stays valid after it was regenerated; zero ends it at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overlaps {
    /// The client secret of an application.
    pub client_secret: Duration,
    /// The client secret of a connected (multi-org) application.
    pub connected_client_secret: Duration,
    /// The signing key of an application.
    pub signing_key: Duration,
}

/// How long what is over is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Deliveries that have ended, with their attempts, from when they were made.
    pub deliveries: Duration,
    /// What was sent and answered in attempts.
    pub bodies: Duration,
    /// Events whose deliveries have ended.
    pub events: Duration,
    /// Tokens and links that have ended.
    pub tokens: Duration,
    /// Entries of the audit trail.
    pub audit: Duration,
}

/// Settings as one source gives them: what is absent comes from the next source.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// See `config.default.toml`.
    pub data: Option<PathBuf>,
    /// See `config.default.toml`.
    pub listen: Option<String>,
    /// See `config.default.toml`.
    pub public_url: Option<String>,
    /// See `config.default.toml`.
    pub database_url: Option<String>,
    /// See `config.default.toml`.
    pub allow_network: Option<Vec<String>>,
    /// See `config.default.toml`.
    pub name_server: Option<Vec<String>>,
    /// See `config.default.toml`.
    pub trusted_proxy: Option<Vec<String>>,
    /// See `config.default.toml`.
    pub retry_schedule: Option<Vec<String>>,
    /// See `config.default.toml`.
    pub access_token_seconds: Option<i64>,
    /// See `config.default.toml`.
    pub access_token_algorithm: Option<String>,
    /// See `config.default.toml`.
    pub signing_key_days: Option<u32>,
    /// See `config.default.toml`.
    pub refresh_token_days: Option<u32>,
    /// See `config.default.toml`.
    pub password_grant: Option<bool>,
    /// See `config.default.toml`.
    pub implicit_flow: Option<bool>,
    /// See `config.default.toml`.
    pub plain_pkce: Option<bool>,
    /// See `config.default.toml`.
    pub provider_issuer: Option<String>,
    /// See `config.default.toml`.
    pub provider_client_id: Option<String>,
    /// See `config.default.toml`.
    pub provider_client_secret: Option<String>,
    /// See `config.default.toml`.
    pub provider_label: Option<String>,
    /// See `config.default.toml`.
    pub provider_match: Option<String>,
    /// See `config.default.toml`.
    pub client_secret_overlap: Option<String>,
    /// See `config.default.toml`.
    pub connected_client_secret_overlap: Option<String>,
    /// See `config.default.toml`.
    pub signing_key_overlap: Option<String>,
    /// See `config.default.toml`.
    pub keep_deliveries: Option<String>,
    /// See `config.default.toml`.
    pub keep_attempt_bodies: Option<String>,
    /// See `config.default.toml`.
    pub disable_failing_after: Option<String>,
    /// See `config.default.toml`.
    pub application_requests_per_minute: Option<u32>,
    /// See `config.default.toml`.
    pub keep_events: Option<String>,
    /// See `config.default.toml`.
    pub keep_ended_tokens: Option<String>,
    /// See `config.default.toml`.
    pub keep_audit_trail: Option<String>,
}

impl Source {
    /// Reads a settings file.
    ///
    /// # Errors
    /// A sentence with the file and the key that is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("The settings file {} cannot be read: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("The settings file {} is wrong: {error}", path.display()))
    }

    fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            public_url: self.public_url.or(other.public_url),
            database_url: self.database_url.or(other.database_url),
            allow_network: self.allow_network.or(other.allow_network),
            name_server: self.name_server.or(other.name_server),
            trusted_proxy: self.trusted_proxy.or(other.trusted_proxy),
            retry_schedule: self.retry_schedule.or(other.retry_schedule),
            access_token_seconds: self.access_token_seconds.or(other.access_token_seconds),
            access_token_algorithm: self.access_token_algorithm.or(other.access_token_algorithm),
            signing_key_days: self.signing_key_days.or(other.signing_key_days),
            refresh_token_days: self.refresh_token_days.or(other.refresh_token_days),
            password_grant: self.password_grant.or(other.password_grant),
            implicit_flow: self.implicit_flow.or(other.implicit_flow),
            plain_pkce: self.plain_pkce.or(other.plain_pkce),
            provider_issuer: self.provider_issuer.or(other.provider_issuer),
            provider_client_id: self.provider_client_id.or(other.provider_client_id),
            provider_client_secret: self.provider_client_secret.or(other.provider_client_secret),
            provider_label: self.provider_label.or(other.provider_label),
            provider_match: self.provider_match.or(other.provider_match),
            client_secret_overlap: self.client_secret_overlap.or(other.client_secret_overlap),
            connected_client_secret_overlap: self
                .connected_client_secret_overlap
                .or(other.connected_client_secret_overlap),
            signing_key_overlap: self.signing_key_overlap.or(other.signing_key_overlap),
            keep_deliveries: self.keep_deliveries.or(other.keep_deliveries),
            keep_attempt_bodies: self.keep_attempt_bodies.or(other.keep_attempt_bodies),
            disable_failing_after: self.disable_failing_after.or(other.disable_failing_after),
            application_requests_per_minute: self
                .application_requests_per_minute
                .or(other.application_requests_per_minute),
            keep_events: self.keep_events.or(other.keep_events),
            keep_ended_tokens: self.keep_ended_tokens.or(other.keep_ended_tokens),
            keep_audit_trail: self.keep_audit_trail.or(other.keep_audit_trail),
        }
    }
}

impl Settings {
    /// Merges the sources, strongest first, over the defaults.
    ///
    /// # Errors
    /// A sentence that names the setting and what was expected.
    pub fn merge(sources: Vec<Source>) -> Result<Self, String> {
        let defaults: Source =
            toml::from_str(DEFAULTS).map_err(|error| format!("the built-in settings are wrong: {error}"))?;
        let mut merged = sources.into_iter().fold(Source::default(), Source::or).or(defaults);
        let provider = provider::provider(&mut merged)?;
        let data = merged.data.unwrap_or_default();
        let listen = merged.listen.unwrap_or_default();
        let database_url = merged.database_url.filter(|url| !url.is_empty());
        let seconds = merged.access_token_seconds.unwrap_or(600);
        if !(120..=86_400).contains(&seconds) {
            return Err(format!("access_token_seconds must be 120 to 86400, not {seconds}"));
        }
        Ok(Self {
            listen: listen
                .parse()
                .map_err(|_| format!("listen must be an address and a port like 127.0.0.1:8080, not `{listen}`"))?,
            public_url: merged.public_url.filter(|url| !url.is_empty()).map(|url| public_url(&url)).transpose()?,
            database_url: match database_url {
                Some(url)
                    if url.starts_with("sqlite:") || url.starts_with("postgres:") || url.starts_with("postgresql:") =>
                {
                    url
                }
                Some(_) => return Err("database_url must begin with `sqlite:` or `postgres:`".to_owned()),
                None => format!("sqlite:{}", data.join("spaceport.db").display()),
            },
            allow_network: networks("allow_network", merged.allow_network)?,
            trusted_proxy: networks("trusted_proxy", merged.trusted_proxy)?,
            name_server: merged
                .name_server
                .unwrap_or_default()
                .iter()
                .map(|text| name_server(text).map_err(|wrong| format!("name_server {wrong}")))
                .collect::<Result<_, _>>()?,
            retry_schedule: match merged.retry_schedule.unwrap_or_default() {
                delays if delays.is_empty() => None,
                delays => Some(delays.iter().map(|text| duration(text)).collect::<Result<_, _>>()?),
            },
            access_token_seconds: seconds,
            access_token_algorithm: algorithm(merged.access_token_algorithm.as_deref().unwrap_or("RS512"))?,
            signing_key_days: match merged.signing_key_days.unwrap_or(90) {
                days @ 2..=3650 => days,
                days => return Err(format!("signing_key_days must be 2 to 3650, not {days}")),
            },
            refresh_token_days: match merged.refresh_token_days.unwrap_or(180) {
                days @ 1..=3650 => days,
                days => return Err(format!("refresh_token_days must be 1 to 3650, not {days}")),
            },
            password_grant: merged.password_grant.unwrap_or(false),
            implicit_flow: merged.implicit_flow.unwrap_or(false),
            plain_pkce: merged.plain_pkce.unwrap_or(false),
            provider,
            overlap: Overlaps {
                client_secret: overlap("client_secret_overlap", merged.client_secret_overlap)?,
                connected_client_secret: overlap(
                    "connected_client_secret_overlap",
                    merged.connected_client_secret_overlap,
                )?,
                signing_key: overlap("signing_key_overlap", merged.signing_key_overlap)?,
            },
            disable_failing_after: patience(
                failing(merged.disable_failing_after.as_deref().unwrap_or_default())?,
                kept("keep_deliveries", merged.keep_deliveries.clone())?,
            )?,
            application_requests_per_minute: merged.application_requests_per_minute.and_then(NonZeroU32::new),
            retention: Retention {
                deliveries: kept("keep_deliveries", merged.keep_deliveries)?,
                bodies: kept("keep_attempt_bodies", merged.keep_attempt_bodies)?,
                events: kept("keep_events", merged.keep_events)?,
                tokens: kept("keep_ended_tokens", merged.keep_ended_tokens)?,
                audit: kept("keep_audit_trail", merged.keep_audit_trail)?,
            },
            data,
        })
    }

    /// Whether the database is a file that this process has for itself.
    pub fn is_sqlite(&self) -> bool {
        self.database_url.starts_with("sqlite:")
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let wrong = || format!("public_url must be http or https with a host and no path, not `{text}`");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !plain || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name)
        .ok_or_else(|| format!("access_token_algorithm must be RS512, ES256 or EdDSA, not `{name}`"))
}

/// Networks, or addresses that stand for themselves.
fn networks(name: &str, texts: Option<Vec<String>>) -> Result<Vec<IpNet>, String> {
    let network = |text: &String| {
        let alone = text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse().or(alone).map_err(|_| format!("{name} must hold networks like 10.0.0.0/8, not `{text}`"))
    };
    texts.unwrap_or_default().iter().map(network).collect()
}

/// How long a secret may stay valid: not for ever, or nobody would ever end it.
fn overlap(name: &str, text: Option<String>) -> Result<Duration, String> {
    let text = text.unwrap_or_default();
    let wrong = || format!("{name} must be at most 30 days, like 0s, 30m, 24h or 7d, not `{text}`");
    span(&text).filter(|length| *length <= DAY * 30).ok_or_else(wrong)
}

/// How long something is kept: long enough that nobody loses what he is looking at.
fn kept(name: &str, text: Option<String>) -> Result<Duration, String> {
    let text = text.unwrap_or_default();
    let wrong = || format!("{name} must be 1 hour to 10 years, like 12h, 30d or 365d, not `{text}`");
    span(&text).filter(|length| (DAY / 24..=DAY * 3_660).contains(length)).ok_or_else(wrong)
}

/// How long a webhook may fail.
fn failing(text: &str) -> Result<Duration, String> {
    let wrong = || format!("disable_failing_after must be a time like 72h or 5d, or 0s for never, not `{text}`");
    span(text).ok_or_else(wrong)
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A delay between resends.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("retry_schedule must hold delays like 500ms, 1s, 10m or 2h, not `{text}`");
    // A resend after more than a month is a typing error.
    span(text).filter(|delay| *delay <= DAY * 31).ok_or_else(wrong)
}

/// Reads `500ms`, `1s`, `10m`, `2h`, `7d` or a bare number of seconds.
fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => None,
    };
    millis.map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Source)) -> Result<Settings, String> {
        let mut source = Source::default();
        change(&mut source);
        Settings::merge(vec![source])
    }

    #[test]
    fn the_defaults_are_complete() {
        let settings = Settings::merge(vec![]).unwrap();
        assert_eq!(settings.database_url, "sqlite:spaceport-data/spaceport.db");
        assert_eq!(settings.retry_schedule, None);
        assert_eq!((settings.overlap.client_secret, settings.overlap.signing_key), (Duration::ZERO, Duration::ZERO));
        assert_eq!(settings.application_requests_per_minute, None);
        assert_eq!((settings.overlap.connected_client_secret, settings.retention.audit), (DAY, DAY * 365));
    }

    #[test]
    fn the_first_source_wins() {
        let first = Source { listen: Some("127.0.0.1:1".into()), ..Source::default() };
        let second = Source { listen: Some("127.0.0.1:2".into()), data: Some("d".into()), ..Source::default() };
        let settings = Settings::merge(vec![first, second]).unwrap();
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.data, PathBuf::from("d"));
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        assert!(with(|s| s.listen = Some("everywhere".into())).unwrap_err().contains("listen"));
        assert!(with(|s| s.public_url = Some("https://a.example/path".into())).unwrap_err().contains("public_url"));
        assert!(with(|s| s.database_url = Some("mysql://x".into())).unwrap_err().contains("database_url"));
        assert!(with(|s| s.allow_network = Some(vec!["ten".into()])).unwrap_err().contains("allow_network"));
        assert!(with(|s| s.trusted_proxy = Some(vec!["lb".into()])).unwrap_err().contains("trusted_proxy must"));
        assert!(with(|s| s.name_server = Some(vec!["dns".into()])).unwrap_err().contains("name_server must be"));
        assert!(with(|s| s.retry_schedule = Some(vec!["1 fortnight".into()])).unwrap_err().contains("retry_schedule"));
        assert!(with(|s| s.access_token_seconds = Some(5)).unwrap_err().contains("access_token_seconds"));
        assert!(with(|s| s.access_token_algorithm = Some("none".into())).unwrap_err().contains("EdDSA"));
        assert!(with(|s| s.signing_key_days = Some(1)).unwrap_err().contains("signing_key_days"));
        for text in ["31d", "soon", "-1s"] {
            assert!(
                with(|s| s.client_secret_overlap = Some(text.into())).unwrap_err().contains("client_secret_overlap")
            );
        }
        for text in ["often", "30d", "31d"] {
            let refused = with(|s| s.disable_failing_after = Some(text.into())).unwrap_err();
            assert!(refused.contains("disable_failing_after"), "{refused}");
        }
        assert_eq!(with(|s| s.disable_failing_after = Some("5d".into())).unwrap().disable_failing_after, Some(DAY * 5));
        for text in ["0s", "30", "4000d"] {
            assert!(with(|s| s.keep_deliveries = Some(text.into())).unwrap_err().contains("keep_deliveries"));
        }
    }

    #[test]
    fn delays_are_read_in_their_units() {
        let settings = with(|s| s.retry_schedule = Some(vec!["500ms".into(), "2".into(), "1m".into()])).unwrap();
        let expected = [500, 2_000, 60_000].map(Duration::from_millis).to_vec();
        assert_eq!(settings.retry_schedule, Some(expected));
    }
}
