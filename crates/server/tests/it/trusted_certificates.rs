//! Trusted certificates and endpoints over TLS: each way of failing is told apart.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::harness::{BOTH, Engine, Server};

const ALL: &str = "/api/http/trusted-certificates";

/// A private authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    fn issue(&self, params: &CertificateParams) -> (String, String, CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (certificate.pem(), key.serialize_pem(), certificate.der().clone(), private)
    }
}

/// An endpoint over TLS that answers everything well.
struct Secure {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Secure {
    async fn start(authority: &Authority, params: &CertificateParams, clients: Option<&Authority>) -> Self {
        let (_, _, certificate, key) = authority.issue(params);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = match clients {
            None => builder.unwrap().with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.der.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.unwrap().with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    let mut buffer = [0; 8192];
                    match acceptor.accept(stream).into_fallible().await {
                        Ok(mut stream) => {
                            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                            }
                        }
                        // Until the other side has read why it was refused.
                        Err((_, mut stream)) => while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {},
                    }
                });
            }
        });
        Self { address, _task: task }
    }

    fn url(&self) -> String {
        format!("https://{}/api", self.address)
    }
}

fn here() -> CertificateParams {
    CertificateParams::new(["127.0.0.1".to_owned()]).unwrap()
}

/// An application with this endpoint.
async fn application(server: &Server, url: &str, extra: Value) -> String {
    let mut body = json!({ "name": "Secure", "endpointUri": url });
    for (key, value) in extra.as_object().cloned().unwrap_or_default() {
        body[key] = value;
    }
    server.application(body).await.id
}

/// What comes of asking its endpoint.
async fn check(server: &Server, id: &str) -> (Value, Value) {
    let path = format!("/api/host/v1/applications/id:{id}/check");
    let check = server.client.post(&path).bearer(&server.admin).send().await.expect(200).json();
    (check["answered"].clone(), check["attempt"]["error"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_verified_with_trusted_certificates_and_every_fault_is_told_apart() {
    let (authority, clients, strangers) =
        (Authority::new("Ours"), Authority::new("Theirs"), Authority::new("Stranger"));
    let mut expired = here();
    (expired.not_before, expired.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let other_name = CertificateParams::new(["elsewhere.example".to_owned()]).unwrap();
    let good = Secure::start(&authority, &here(), None).await;
    let old = Secure::start(&authority, &expired, None).await;
    let wrong = Secure::start(&authority, &other_name, None).await;
    let strict = Secure::start(&authority, &here(), Some(&clients)).await;
    for engine in BOTH {
        let server = Server::start(engine).await;
        let id = application(&server, &good.url(), json!({})).await;
        assert_eq!(check(&server, &id).await, (json!(false), json!("untrusted_certificate")));
        let body = json!({ "alias": "Our own", "data": authority.pem, "archived": false });
        let made = server.client.post(ALL).bearer(&server.admin).json(&body).send().await.expect(200).json();
        assert_eq!(check(&server, &id).await, (json!(true), Value::Null));

        let id = application(&server, &old.url(), json!({})).await;
        assert_eq!(check(&server, &id).await, (json!(false), json!("expired_certificate")));
        let id = application(&server, &wrong.url(), json!({})).await;
        assert_eq!(check(&server, &id).await, (json!(false), json!("wrong_certificate_name")));
        let id = application(&server, &wrong.url(), json!({ "endpointSslVerification": false })).await;
        assert_eq!(check(&server, &id).await, (json!(true), Value::Null), "the application said so");

        let id = application(&server, &strict.url(), json!({})).await;
        assert_eq!(check(&server, &id).await, (json!(false), json!("client_certificate")));
        for (name, of, answered) in [("theirs", &clients, true), ("ours", &strangers, false)] {
            let mut params = CertificateParams::new(["client.example".to_owned()]).unwrap();
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
            let (certificate, key, _, _) = of.issue(&params);
            let keystore = json!({ "name": name, "certificate": certificate, "privateKey": key });
            let call = server.client.post("/api/host/v1/ssl-keystores").bearer(&server.admin).json(&keystore);
            call.send().await.expect(200);
            let id = application(&server, &strict.url(), json!({ "sslKeystoreAuth": name })).await;
            let error = if answered { Value::Null } else { json!("client_certificate") };
            assert_eq!(check(&server, &id).await, (json!(answered), error), "{name}");
        }

        let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
        let id = application(&server, &good.url(), json!({})).await;
        let archive = json!({ "archived": true });
        server.client.patch(&path).bearer(&server.admin).json(&archive).send().await.expect(200);
        assert_eq!(check(&server, &id).await, (json!(false), json!("untrusted_certificate")));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trusted_certificates_are_stored_shown_changed_and_deleted_by_administrators() {
    let server = Server::start(Engine::Sqlite).await;
    let authority = Authority::new("Ours");
    let body = json!({ "alias": "One", "data": authority.pem, "archived": false });
    let stranger = server.person("stranger", &["Applications.View"]).await;
    server.client.post(ALL).bearer(&stranger).json(&body).send().await.expect(403);
    let made = server.client.post(ALL).bearer(&server.admin).json(&body).send().await.expect(200).json();
    assert_eq!((&made["alias"], &made["archived"]), (&json!("One"), &json!(false)));
    assert_eq!(made["info"]["certificateType"], "X.509");
    assert_eq!(made["info"]["version"], 3);
    let again = server.client.post(ALL).bearer(&server.admin).json(&body).send().await.expect(400).json();
    assert_eq!(again["error"], "duplicated-entity");
    let query: String = form_urlencoded::byte_serialize(authority.pem.as_bytes()).collect();
    let info = format!("{ALL}/info?data={query}");
    let info = server.client.get(&info).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!(info, made["info"]);
    for (data, expected) in [("", "data"), ("x", "data"), ("-----BEGIN PRIVATE KEY-----", "data")] {
        let body = json!({ "alias": "Bad", "data": data, "archived": false });
        let refused = server.client.post(ALL).bearer(&server.admin).json(&body).send().await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().starts_with(expected), "{refused}");
    }
    let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
    let change = json!({ "alias": "Another", "archived": null });
    server.client.patch(&path).bearer(&server.admin).json(&change).send().await.expect(200);
    let listed = server.client.get(ALL).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!((listed[0]["alias"].as_str(), listed.as_array().unwrap().len()), (Some("Another"), 1));
    assert_eq!(listed[0]["data"], made["data"]);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(404);
    server.running.stop().await;
}
