//! What went wrong with a call, in a class for us and in words for the application's developer.

use std::error::Error;
use std::io;

use http::Uri;
use hyper_util::client::legacy;
use rustls::{AlertDescription, CertificateError};

use super::connect::ConnectError;
use crate::outcome::{ErrorKind, Outcome};

/// Says why a call failed: what TLS ended its connection with, or else the causes of `error` from the outside in, of
/// which the first that is known decides.
pub(super) fn outcome(error: &legacy::Error, fault: Option<&rustls::Error>, uri: &Uri) -> Outcome {
    let known = fault.map(of_tls).or_else(|| of_causes(error, uri));
    let (kind, message) = known.unwrap_or_else(|| (ErrorKind::Protocol, format!("the call failed: {error}")));
    Outcome::Failed { kind, message }
}

fn of_causes(error: &legacy::Error, uri: &Uri) -> Option<(ErrorKind, String)> {
    causes(error).find_map(|cause| {
        if let Some(connect) = cause.downcast_ref::<ConnectError>() {
            return Some(of_connect(connect));
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(of_tls(tls));
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            // TLS 1.3 refuses a client after the handshake; such an error travels inside an I/O error.
            let inner = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            return Some(inner.map_or_else(|| of_broken(io, uri), of_tls));
        }
        cause.downcast_ref::<hyper::Error>().and_then(of_http)
    })
}

/// Whether the connection ended with no byte of an answer: on a kept connection, most likely before the call was seen.
pub(super) fn is_cut_off(error: &legacy::Error) -> bool {
    causes(error).any(|cause| {
        let http = cause.downcast_ref::<hyper::Error>();
        let io = cause.downcast_ref::<io::Error>();
        http.is_some_and(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed())
            || io
                .is_some_and(|error| matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))
    })
}

fn causes(error: &legacy::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| Error::source(*cause))
}

fn of_connect(error: &ConnectError) -> (ErrorKind, String) {
    match error {
        ConnectError::Host => (ErrorKind::InvalidUrl, error.to_string()),
        ConnectError::Dns(..) | ConnectError::NoAddress(_) => (ErrorKind::Dns, error.to_string()),
        ConnectError::Refused(_) => (ErrorKind::RefusedAddress, error.to_string()),
        ConnectError::Timeout(_) => (ErrorKind::Timeout, error.to_string()),
        ConnectError::Tcp(address, cause) => match cause.kind() {
            io::ErrorKind::ConnectionRefused => (ErrorKind::Connect, format!("connection refused by {address}")),
            io::ErrorKind::TimedOut => (ErrorKind::Timeout, format!("{address} does not answer to a connection")),
            _ => (ErrorKind::Connect, format!("no connection to {address}: {cause}")),
        },
        ConnectError::Tls(cause) => {
            let tls = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            tls.map_or_else(|| (ErrorKind::Tls, format!("the TLS handshake was broken off: {cause}")), of_tls)
        }
    }
}

fn of_tls(error: &rustls::Error) -> (ErrorKind, String) {
    if let rustls::Error::AlertReceived(alert) = error
        && is_about_our_certificate(*alert)
    {
        let advice = "the keystore of the application or webhook must hold a certificate that the endpoint accepts";
        return (
            ErrorKind::ClientCertificate,
            format!("the endpoint refused the client certificate ({alert:?}); {advice}"),
        );
    }
    let (kind, advice) = match error {
        rustls::Error::InvalidCertificate(fault) => of_certificate(fault),
        rustls::Error::InvalidMessage(_) => (ErrorKind::Tls, "; does the endpoint speak https on this port?"),
        _ => (ErrorKind::Tls, ""),
    };
    (kind, format!("the TLS handshake failed: {error}{advice}"))
}

/// What is wrong with the endpoint's certificate, and what can be done.
fn of_certificate(fault: &CertificateError) -> (ErrorKind, &'static str) {
    match fault {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            (ErrorKind::ExpiredCertificate, "; the endpoint needs a certificate that is valid now")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (ErrorKind::WrongCertificateName, "; the endpoint needs a certificate for the name in its URL")
        }
        _ => (
            ErrorKind::UntrustedCertificate,
            "; use a certificate of a known authority, make its authority a trusted certificate, or switch off SSL \
             verification for this endpoint",
        ),
    }
}

/// Alerts by which the other side judges a certificate (RFC 8446, 6.2): only ours can be meant.
fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

fn of_broken(error: &io::Error, uri: &Uri) -> (ErrorKind, String) {
    let host = uri.authority().map_or("the endpoint", |authority| authority.as_str());
    (ErrorKind::Connect, format!("the connection to {host} broke before the answer: {error}"))
}

fn of_http(error: &hyper::Error) -> Option<(ErrorKind, String)> {
    let message = if error.is_incomplete_message() {
        "the endpoint closed the connection without an answer".to_owned()
    } else if error.is_parse_version_h2() {
        "the endpoint answered with HTTP/2, but it must speak HTTP/1.1".to_owned()
    } else if error.is_parse() {
        format!("the answer is not valid HTTP: {error}")
    } else {
        // An I/O error may be inside: its own words are better.
        return None;
    };
    Some((ErrorKind::Protocol, message))
}
