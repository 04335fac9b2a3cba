//! The operator's own name servers, asked directly and not through the machine's resolver.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;

use super::Resolve;

/// The port of name servers (RFC 1035, 4.2).
const DNS_PORT: u16 = 53;
/// Each server is asked twice at most, which has to fit into the time that a connection may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// A name that moves is found again after so long, whatever time-to-live it was given.
const LONGEST_MEMORY: Duration = Duration::from_secs(300);
/// A name that appears is found after so long.
const LONGEST_MEMORY_OF_NOTHING: Duration = Duration::from_secs(10);

/// Asks the name servers that the operator named, over UDP and, for answers that are too long for it, TCP. Answers are
/// remembered for their time-to-live, at most five minutes. Names are taken as they are: no search list, no `hosts` file.
pub struct NameServers(TokioResolver);

impl NameServers {
    /// Asks these servers.
    ///
    /// # Errors
    /// When the resolver cannot be set up.
    pub fn new(servers: &[SocketAddr]) -> io::Result<Self> {
        let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.timeout = ANSWER_WITHIN;
        options.attempts = 1;
        options.use_hosts_file = ResolveHosts::Never;
        // Each address gets its turn, and most machines have a way to the older ones.
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.positive_max_ttl = Some(LONGEST_MEMORY);
        options.negative_max_ttl = Some(LONGEST_MEMORY_OF_NOTHING);
        // Spoofed answers have to guess the spelling as well.
        options.case_randomization = true;
        Ok(Self(builder.build().map_err(io::Error::other)?))
    }
}

#[async_trait]
impl Resolve for NameServers {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let name = format!("{}.", host.trim_end_matches('.'));
        match self.0.lookup_ip(name).await {
            Ok(found) => Ok(found.iter().map(|address| SocketAddr::new(address, port)).collect()),
            Err(error) if error.is_nx_domain() => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

/// Reads a name server: an address, with a port unless it is 53.
///
/// # Errors
/// A sentence that says what was expected.
pub fn name_server(text: &str) -> Result<SocketAddr, String> {
    let alone = text.trim_matches(['[', ']']).parse().map(|address| SocketAddr::new(address, DNS_PORT));
    text.parse()
        .or(alone)
        .map_err(|_| format!("must be addresses like 9.9.9.9, 10.0.0.2:5353 or [fd00::2]:53, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_addresses_with_or_without_a_port() {
        for (text, read) in [
            ("9.9.9.9", "9.9.9.9:53"),
            ("10.0.0.2:5353", "10.0.0.2:5353"),
            ("fd00::2", "[fd00::2]:53"),
            ("[fd00::2]", "[fd00::2]:53"),
            ("[fd00::2]:5353", "[fd00::2]:5353"),
        ] {
            assert_eq!(name_server(text).unwrap().to_string(), read);
        }
        for text in ["", "dns.example.com", "9.9.9", "9.9.9.9:", "9.9.9.9:70000", "udp://9.9.9.9"] {
            assert!(name_server(text).unwrap_err().contains(text), "{text}");
        }
    }
}
