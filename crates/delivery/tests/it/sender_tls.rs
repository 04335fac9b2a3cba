//! TLS: what verification refuses, what an application may accept, and that the two never share a connection.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use spaceport_delivery::ErrorKind;
use spaceport_delivery::http::{HttpSender, HttpSettings, Request, Sender, SslVerification};
use spaceport_delivery::resolve::SystemResolver;
use tokio_rustls::TlsAcceptor;

use crate::endpoint::{Endpoint, Manner, OK, answer, failure, local_guard, request, sender};

/// An acceptor with a certificate of its own for `name`.
fn self_signed(name: &str) -> (TlsAcceptor, CertificateDer<'static>) {
    signed(CertificateParams::new([name.to_owned()]).unwrap())
}

/// An acceptor with a certificate that signs itself.
fn signed(params: CertificateParams) -> (TlsAcceptor, CertificateDer<'static>) {
    let signing_key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.der().clone())
}

fn with(ssl_verification: SslVerification, endpoint: &Endpoint) -> Request {
    Request { ssl_verification, ..request(&endpoint.url()) }
}

fn trusting(certificate: CertificateDer<'static>) -> HttpSender {
    let settings = HttpSettings { extra_roots: vec![certificate], ..HttpSettings::default() };
    HttpSender::new(&settings, local_guard(), Arc::new(SystemResolver::default())).unwrap()
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_under_verification_and_accepted_without() {
    let endpoint = Endpoint::start_tls(Manner::Answer(OK), self_signed("127.0.0.1").0).await;
    let sender = sender();
    let (kind, message) = failure(sender.send(with(SslVerification::Verify, &endpoint)).await);
    assert_eq!(kind, ErrorKind::UntrustedCertificate);
    assert!(message.contains("switch off SSL verification"), "{message}");
    assert!(endpoint.requests().is_empty());
    assert_eq!(answer(sender.send(with(SslVerification::Skip, &endpoint)).await).status, 200);
}

#[tokio::test]
async fn verified_deliveries_never_use_a_connection_opened_without_verification() {
    let endpoint = Endpoint::start_tls(Manner::Answer(OK), self_signed("127.0.0.1").0).await;
    let sender = sender();
    answer(sender.send(with(SslVerification::Skip, &endpoint)).await);
    assert_eq!(failure(sender.send(with(SslVerification::Verify, &endpoint)).await).0, ErrorKind::UntrustedCertificate);
    answer(sender.send(with(SslVerification::Skip, &endpoint)).await);
    // The unverified connection was kept, and used by the unverified ones alone.
    assert_eq!((endpoint.connections(), endpoint.requests().len()), (2, 2));
}

#[tokio::test]
async fn an_authority_the_operator_adds_is_trusted_for_its_name_only() {
    let (acceptor, certificate) = self_signed("127.0.0.1");
    let endpoint = Endpoint::start_tls(Manner::Answer(OK), acceptor).await;
    let sender = trusting(certificate);
    for _ in 0..2 {
        assert_eq!(answer(sender.send(with(SslVerification::Verify, &endpoint)).await).status, 200);
    }
    assert_eq!(endpoint.connections(), 1);

    let (acceptor, certificate) = self_signed("other.example.com");
    let endpoint = Endpoint::start_tls(Manner::Answer(OK), acceptor).await;
    let sender = trusting(certificate);
    assert_eq!(failure(sender.send(with(SslVerification::Verify, &endpoint)).await).0, ErrorKind::WrongCertificateName);
}

#[tokio::test]
async fn an_expired_certificate_is_told_apart_from_one_of_an_unknown_authority() {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let (acceptor, certificate) = signed(params);
    let endpoint = Endpoint::start_tls(Manner::Answer(OK), acceptor).await;
    let (kind, message) = failure(trusting(certificate).send(with(SslVerification::Verify, &endpoint)).await);
    assert_eq!(kind, ErrorKind::ExpiredCertificate);
    assert!(message.ends_with("valid now"), "{message}");
}

#[tokio::test]
async fn authorities_are_trusted_and_forgotten_while_calls_go_on() {
    let (acceptor, certificate) = self_signed("127.0.0.1");
    let endpoint = Endpoint::start_tls(Manner::Answer(OK), acceptor).await;
    let sender = sender();
    let refused = async || failure(sender.send(with(SslVerification::Verify, &endpoint)).await).0;
    assert_eq!(refused().await, ErrorKind::UntrustedCertificate);
    assert!(sender.trust(&[b"no certificate".to_vec()]).is_err());
    sender.trust(&[certificate.to_vec()]).unwrap();
    assert_eq!(answer(sender.send(with(SslVerification::Verify, &endpoint)).await).status, 200);
    sender.trust(&[]).unwrap();
    assert_eq!(refused().await, ErrorKind::UntrustedCertificate, "the connection from before serves nobody any more");
}

#[tokio::test]
async fn https_to_a_port_that_speaks_something_else_says_so() {
    let endpoint = Endpoint::start(Manner::Greet("220 mail.example.com ESMTP\r\n")).await;
    let (kind, message) = failure(sender().send(request(&endpoint.url().replace("http://", "https://"))).await);
    assert_eq!(kind, ErrorKind::Tls);
    assert!(message.ends_with("does the endpoint speak https on this port?"), "{message}");
}
