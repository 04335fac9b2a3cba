//! What came of one attempt: an answer with a status, or the reason why there is none.

use bytes::Bytes;

/// The result of one HTTP call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The endpoint answered, with whatever status.
    Answered(Answer),
    /// There is no answer.
    Failed {
        /// The class of the failure, for the store and for metrics.
        kind: ErrorKind,
        /// For the developer of the application: what happened and what can be done.
        message: String,
    },
}

impl Outcome {
    /// A failure with a text for the application's developer.
    pub fn failed(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Failed { kind, message: message.into() }
    }

    /// The status, when there was an answer.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(answer) => Some(answer.status),
            Self::Failed { .. } => None,
        }
    }
}

/// What an endpoint answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status, 100 to 999.
    pub status: u16,
    /// The headers in the order of arrival; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body: as much as [`Limits::body_kept`](crate::http::Limits), 16 KiB unless told otherwise.
    pub body: Bytes,
    /// Whether `body` is all of it.
    pub end: BodyEnd,
}

impl Answer {
    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// How the body of an answer ended. Only the first variant means that it was kept as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BodyEnd {
    /// All of it was received and kept.
    Complete,
    /// Longer than what is kept.
    CutBySize,
    /// The time for the whole attempt was over before the body was.
    CutByTime,
    /// The connection broke inside the body.
    Broken,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// The URL cannot be called: syntax, scheme, credentials in it.
    InvalidUrl,
    /// The name has no address.
    Dns,
    /// The address is in a range to which the operator does not allow deliveries.
    RefusedAddress,
    /// No connection: refused, unreachable, reset.
    Connect,
    /// The TLS handshake failed for another reason than those below.
    Tls,
    /// The endpoint's certificate comes from no authority that is trusted.
    UntrustedCertificate,
    /// The endpoint's certificate is not valid yet or any more.
    ExpiredCertificate,
    /// The endpoint's certificate is for another name.
    WrongCertificateName,
    /// The endpoint asked for a client certificate and refused ours, or we have none.
    ClientCertificate,
    /// A time limit was reached.
    Timeout,
    /// What came back is not HTTP, or the connection ended before the answer.
    Protocol,
    /// Nobody called: the host has not answered for a while.
    HostDown,
    /// Our own fault; the operator's log says more.
    Internal,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::InvalidUrl,
        Self::Dns,
        Self::RefusedAddress,
        Self::Connect,
        Self::Tls,
        Self::UntrustedCertificate,
        Self::ExpiredCertificate,
        Self::WrongCertificateName,
        Self::ClientCertificate,
        Self::Timeout,
        Self::Protocol,
        Self::HostDown,
        Self::Internal,
    ];

    /// The text under which the kind is stored and counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidUrl => "invalid_url",
            Self::Dns => "dns",
            Self::RefusedAddress => "refused_address",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::UntrustedCertificate => "untrusted_certificate",
            Self::ExpiredCertificate => "expired_certificate",
            Self::WrongCertificateName => "wrong_certificate_name",
            Self::ClientCertificate => "client_certificate",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::HostDown => "host_down",
            Self::Internal => "internal",
        }
    }

    /// Reads the stored text; `None` when no kind has that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The error of [`ErrorKind`]'s `from_str`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no such kind of delivery error")]
pub struct UnknownErrorKind;

impl std::str::FromStr for ErrorKind {
    type Err = UnknownErrorKind;

    fn from_str(text: &str) -> Result<Self, UnknownErrorKind> {
        Self::parse(text).ok_or(UnknownErrorKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_text() {
        for kind in ErrorKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("nothing".parse::<ErrorKind>(), Err(UnknownErrorKind));
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let answer = Answer {
            status: 503,
            headers: vec![("retry-after".into(), "7".into())],
            body: Bytes::new(),
            end: BodyEnd::Complete,
        };
        assert_eq!(answer.header("Retry-After"), Some("7"));
        assert_eq!(answer.header("Date"), None);
    }
}
