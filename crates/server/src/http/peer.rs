//! Which address a request comes from, behind proxies too.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// What proxies add the address to that they were called from, the last one at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request comes from: that of the connection, unless it belongs to a proxy that the operator trusts. Then the
/// last address that none of the trusted proxies has; what stands before it anybody may have written.
pub fn peer(connection: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
    let mut last = connection?;
    if trusted.is_empty() || !is_trusted(&last) {
        return connection;
    }
    let values: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        // Something unreadable was not written by a proxy that can be trusted, nor was what stands before it.
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        last = address;
        if !is_trusted(&last) {
            break;
        }
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(connection: &str, values: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        peer(Some(connection.parse().unwrap()), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn what_strangers_write_counts_for_nothing() {
        assert_eq!(found("198.51.100.7", &["203.0.113.9"], &[]), "198.51.100.7");
        assert_eq!(found("198.51.100.7", &["203.0.113.9"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(found("10.0.0.1", &["192.0.2.1, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &["192.0.2.1", "203.0.113.9, 10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &["192.0.2.1, nonsense, 10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.2");
    }

    #[test]
    fn without_a_word_of_the_proxy_it_is_the_proxy() {
        assert_eq!(found("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(found("::ffff:10.0.0.1", &["2001:db8::1"], &["10.0.0.0/8"]), "2001:db8::1");
        assert_eq!(peer(None, &HeaderMap::new(), &[]), None);
    }
}
