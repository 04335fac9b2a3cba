//! Which addresses may be called: the public internet, and what the operator opens.
//!
//! A name is judged by every address it resolves to, at the moment of connecting, and the connection goes
//! to the address that was judged; so neither spelling nor a changing name leads elsewhere.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use crate::special::{Nature, embedded_v4, nature_of_v4, nature_of_v6};

/// Judges addresses.
#[derive(Clone, Default, Debug)]
pub struct Guard {
    allow: Vec<IpNet>,
}

/// An address to which deliveries are not allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The address as it was met.
    pub address: IpAddr,
    nature: Nature,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, nature } = self;
        write!(f, "the address {address} is {nature}; the operator has not allowed deliveries to it")
    }
}

impl std::error::Error for Refused {}

/// Why a URL cannot be an endpoint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UrlRefused {
    /// None at all.
    #[error("there is no endpoint: neither the webhook nor its application has one")]
    Missing,
    /// Not an absolute URL with a host and a usable port.
    #[error("this is not a valid URL: {0}")]
    Invalid(String),
    /// Neither `http` nor `https`.
    #[error("the scheme {0} is not supported, use https or http")]
    Scheme(String),
    /// `user:password@` in it: would end up in logs.
    #[error("the URL holds credentials; use the endpoint's authentication settings instead")]
    Credentials,
    /// A literal address (or `localhost`) in a forbidden range.
    #[error(transparent)]
    Address(#[from] Refused),
}

impl Guard {
    /// Opens the ranges in `allowed` beside the public internet.
    pub const fn new(allowed: Vec<IpNet>) -> Self {
        Self { allow: allowed }
    }

    /// Whether a connection to this address is allowed.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        // `::ffff:10.0.0.1` is 10.0.0.1 to the kernel, so it is to us.
        let nature = match address.to_canonical() {
            canonical if self.allow.iter().any(|net| net.contains(&canonical)) => None,
            IpAddr::V4(v4) => nature_of_v4(v4),
            IpAddr::V6(v6) => match embedded_v4(v6) {
                Some(inner) => inner.into_iter().find_map(|v4| self.check(v4.into()).err()).map(|inner| inner.nature),
                None => nature_of_v6(v6),
            },
        };
        nature.map_or(Ok(()), |nature| Err(Refused { address, nature }))
    }

    /// Judges a URL by what can be said without the network: at the time somebody enters it, and before each call.
    ///
    /// Hosts are read as browsers read them, so `0x7f.1`, `2130706433` and `①②⑦.⓪.⓪.①` are 127.0.0.1.
    pub fn check_url(&self, text: &str) -> Result<Url, UrlRefused> {
        if text.is_empty() {
            return Err(UrlRefused::Missing);
        }
        let url = Url::parse(text).map_err(|error| UrlRefused::Invalid(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlRefused::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::Credentials);
        }
        if url.port() == Some(0) {
            return Err(UrlRefused::Invalid("port 0 cannot be called".to_owned()));
        }
        match url.host() {
            None => return Err(UrlRefused::Invalid("it has no host".to_owned())),
            Some(Host::Ipv4(address)) => self.check(address.into())?,
            Some(Host::Ipv6(address)) => self.check(address.into())?,
            Some(Host::Domain(name)) => self.check_name(name)?,
        }
        Ok(url)
    }

    /// `localhost` and everything below it is loopback by definition (RFC 6761, section 6.3).
    fn check_name(&self, name: &str) -> Result<(), Refused> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name != "localhost" && !name.ends_with(".localhost") {
            return Ok(());
        }
        self.check(Ipv4Addr::LOCALHOST.into())
            .or_else(|refused| self.check(Ipv6Addr::LOCALHOST.into()).map_err(|_| refused))
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
