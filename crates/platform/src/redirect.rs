//! Which redirect URI an application may be answered at (security A1).

use std::net::IpAddr;

use crate::application::redirect_uris;

/// Whether `asked` is one of the registered URIs, which are separated by newline.
///
/// Compared is text with text: nothing is decoded, folded or normalized, because each such kindness has
/// let somebody's tokens go elsewhere. One difference is allowed: the port of an `http` URI whose host is a
/// loopback address, since a native program cannot know its port in advance (RFC 8252, 7.3).
pub fn is_registered(registered: &str, asked: &str) -> bool {
    redirect_uris(registered).any(|known| known == asked || same_but_for_loopback_port(known, asked))
}

fn same_but_for_loopback_port(known: &str, asked: &str) -> bool {
    match (without_loopback_port(known), without_loopback_port(asked)) {
        (Some(known), Some(asked)) => known == asked,
        _ => false,
    }
}

/// Host and path of an `http` URI on a loopback address; `None` for every other.
fn without_loopback_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|host| rest.starts_with(host))?;
    let after = rest.strip_prefix(host)?;
    let path = match after.strip_prefix(':') {
        None => after,
        Some(port_and_path) => {
            let end = port_and_path.find(|c: char| !c.is_ascii_digit()).unwrap_or(port_and_path.len());
            let (port, path) = port_and_path.split_at(end);
            let written_plainly = !port.starts_with('0') && port.parse::<u16>().is_ok();
            if !written_plainly {
                return None;
            }
            path
        }
    };
    (path.is_empty() || path.starts_with(['/', '?'])).then_some((host, path))
}

/// Whether a URL names this machine by address or as `localhost`.
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Adds parameters to the query or, for the implicit flow, as the fragment of a redirect URI. What was registered stays
/// as it is.
pub fn with_parameters(uri: &str, place: Place, encoded: &str) -> String {
    let separator = match place {
        Place::Fragment => "#",
        Place::Query if uri.ends_with(['?', '&']) => "",
        Place::Query if uri.contains('?') => "&",
        Place::Query => "?",
    };
    format!("{uri}{separator}{encoded}")
}

/// Where parameters of an answer go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Behind `?`.
    Query,
    /// Behind `#`.
    Fragment,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_port_of_a_loopback_address_may_differ_and_nothing_else() {
        let registered = "http://127.0.0.1:8080/cb\r\nhttp://[::1]/cb\nhttps://a.example/cb?x=1";
        for good in
            ["http://127.0.0.1:1/cb", "http://127.0.0.1/cb", "http://[::1]:65535/cb", "https://a.example/cb?x=1"]
        {
            assert!(is_registered(registered, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:080/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:1/cb/",
            "http://127.0.0.2:8080/cb",
            "http://localhost:8080/cb",
            "https://127.0.0.1:8080/cb",
            "https://a.example:443/cb?x=1",
            "https://a.example/cb",
        ] {
            assert!(!is_registered(registered, bad), "{bad}");
        }
    }

    #[test]
    fn parameters_keep_what_was_registered() {
        assert_eq!(with_parameters("https://a.example/cb", Place::Query, "code=1"), "https://a.example/cb?code=1");
        assert_eq!(with_parameters("https://a.example/?x=1", Place::Query, "code=1"), "https://a.example/?x=1&code=1");
        assert_eq!(with_parameters("https://a.example/?", Place::Query, "code=1"), "https://a.example/?code=1");
        assert_eq!(with_parameters("https://a.example/", Place::Fragment, "a=1"), "https://a.example/#a=1");
    }

    proptest! {
        #[test]
        fn one_changed_byte_is_never_accepted(at in 0_usize..28, byte in 0x20_u8..0x7f) {
            let uri = "https://a.example/oauth/back";
            let mut changed = uri.as_bytes().to_vec();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(is_registered(uri, &changed), changed == uri);
        }
    }
}
