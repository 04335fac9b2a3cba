//! The ways of TLS: the endpoint verified or accepted as it is, with or without a certificate of ours.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::identity::ClientIdentity;
use crate::outbox::SslVerification;

/// What connections are opened with: two ways of judging the endpoint, and any identity of ours.
pub(super) struct Tls {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl Tls {
    /// Trusts the machine's authorities, which are read from disk here, and `extra`.
    pub(super) fn new(extra: &[CertificateDer<'static>]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(%error, "some of the machine's certificates cannot be read");
        }
        roots.add_parsable_certificates(native.certs);
        for root in extra {
            roots.add(root.clone())?;
        }
        if roots.is_empty() {
            tracing::warn!("the machine trusts no certificate authority: deliveries over verified https will fail");
        }
        Ok(Self { roots: Arc::new(roots), provider: Arc::new(aws_lc_rs::default_provider()) })
    }

    /// A configuration, with tickets for shorter handshakes of its own: they are as good as the certificate
    /// they were given for.
    pub(super) fn config(
        &self,
        verification: SslVerification,
        identity: Option<&ClientIdentity>,
    ) -> Result<Arc<ClientConfig>, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        let builder = match verification {
            SslVerification::Verify => builder.with_root_certificates(Arc::clone(&self.roots)),
            // Any certificate, as the application asked for.
            SslVerification::Skip => {
                let any = AnyCertificate { provider: Arc::clone(&self.provider) };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(any))
            }
        };
        let mut config = match identity {
            Some(identity) => builder.with_client_cert_resolver(identity.resolver()),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Does not ask whose the certificate is; still demands that the other side has its key.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
