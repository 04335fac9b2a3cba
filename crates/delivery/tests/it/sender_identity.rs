//! Client certificates: shown where asked for, refused in words of their own, and never shared between pools.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use spaceport_delivery::ErrorKind;
use spaceport_delivery::http::{Request, Sender, SslVerification};
use spaceport_delivery::identity::{ClientIdentity, IdentityError};
use tokio_rustls::TlsAcceptor;

use crate::endpoint::{Endpoint, Manner, OK, answer, failure, request, sender};

/// An authority that issues client certificates.
struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self) -> (Vec<u8>, Vec<u8>) {
        let mut params = CertificateParams::new(vec!["client.example.com".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().to_vec(), key.serialize_der())
    }

    fn identity(&self, id: &str) -> Arc<ClientIdentity> {
        let (certificate, key) = self.issue();
        Arc::new(ClientIdentity::new(id, vec![certificate], &key).unwrap())
    }

    fn demanding(&self) -> Arc<dyn ClientCertVerifier> {
        self.verifier().build().unwrap()
    }

    fn asking(&self) -> Arc<dyn ClientCertVerifier> {
        self.verifier().allow_unauthenticated().build().unwrap()
    }

    fn verifier(&self) -> rustls::server::ClientCertVerifierBuilder {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()))
    }
}

async fn endpoint(clients: Arc<dyn ClientCertVerifier>, version: &'static SupportedProtocolVersion) -> Endpoint {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    Endpoint::start_tls(Manner::Answer(OK), TlsAcceptor::from(Arc::new(config))).await
}

fn showing(identity: Option<&Arc<ClientIdentity>>, endpoint: &Endpoint) -> Request {
    Request { ssl_verification: SslVerification::Skip, identity: identity.cloned(), ..request(&endpoint.url()) }
}

#[tokio::test]
async fn an_endpoint_that_demands_a_certificate_gets_the_right_one_and_refuses_others_in_words_of_their_own() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
        let endpoint = endpoint(ours.demanding(), version).await;
        let sender = sender();
        let right = ours.identity("right");
        assert_eq!(answer(sender.send(showing(Some(&right), &endpoint)).await).status, 200);
        let wrong = theirs.identity("wrong");
        for refused in [None, Some(&wrong)] {
            let (kind, message) = failure(sender.send(showing(refused, &endpoint)).await);
            // Before version 1.3 a missing certificate is refused like any other fault of the handshake.
            let unclear =
                refused.is_none() && version.version == rustls::ProtocolVersion::TLSv1_2 && kind == ErrorKind::Tls;
            assert!(kind == ErrorKind::ClientCertificate || unclear, "{version:?}: {kind:?}: {message}");
            assert!(unclear || message.contains("keystore"), "{message}");
        }
        assert_eq!(endpoint.requests().len(), 1, "only the right one brought a request");
    }
}

#[tokio::test]
async fn connections_opened_with_one_identity_serve_no_other_and_not_nobody() {
    let authority = Authority::new("ours");
    let endpoint = endpoint(authority.asking(), &rustls::version::TLS13).await;
    let sender = sender();
    let (one, two) = (authority.identity("one"), authority.identity("two"));
    for (identity, connections) in
        [(Some(&one), 1), (Some(&one), 1), (None, 2), (Some(&two), 3), (None, 3), (Some(&one), 3), (Some(&two), 3)]
    {
        answer(sender.send(showing(identity, &endpoint)).await);
        assert_eq!(endpoint.connections(), connections);
    }
}

#[tokio::test]
async fn an_identity_does_not_switch_off_verification() {
    let authority = Authority::new("ours");
    let endpoint = endpoint(authority.asking(), &rustls::version::TLS13).await;
    let sender = sender();
    let identity = authority.identity("one");
    answer(sender.send(showing(Some(&identity), &endpoint)).await);
    let verified = Request { ssl_verification: SslVerification::Verify, ..showing(Some(&identity), &endpoint) };
    assert_eq!(failure(sender.send(verified).await).0, ErrorKind::UntrustedCertificate);
}

#[test]
fn a_key_without_its_certificate_is_no_identity() {
    let authority = Authority::new("ours");
    let ((certificate, _), (_, key)) = (authority.issue(), authority.issue());
    let made = |chain: Vec<Vec<u8>>, key: &[u8]| ClientIdentity::new("x", chain, key).map(|_| ());
    assert_eq!(made(vec![certificate.clone()], &key), Err(IdentityError::Certificate));
    assert_eq!(made(Vec::new(), &key), Err(IdentityError::Certificate));
    assert_eq!(made(vec![certificate], b"no key"), Err(IdentityError::Key));
}
