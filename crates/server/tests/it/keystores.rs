//! SSL keystores: administrators keep them, applications and webhooks name them, deliveries show their certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use spaceport_testkit::http::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::harness::{BOTH, Engine, Server, issue};
use crate::keys::fixture;

const KEYSTORES: &str = "/api/host/v1/ssl-keystores";

/// A certificate with its private key, in PEM.
pub(crate) fn pair(kind: &str) -> Value {
    json!({
        "certificate": fixture(&format!("keystore/{kind}.chain.pem")),
        "privateKey": fixture(&format!("keystore/{kind}.key.pem")),
    })
}

fn pkcs12(name: &str, password: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../keys/tests/fixtures/keystore/");
    let file = std::fs::read(format!("{folder}{name}.p12")).unwrap();
    json!({ "pkcs12": STANDARD.encode(file), "password": password })
}

/// A keystore's contents with its name.
pub(crate) fn named(name: &str, mut contents: Value) -> Value {
    contents["name"] = json!(name);
    contents
}

impl Server {
    async fn keystore(&self, body: Value) -> Response {
        self.client.post(KEYSTORES).bearer(&self.admin).json(&body).send().await
    }

    async fn keystores(&self) -> Value {
        self.client.get(KEYSTORES).bearer(&self.admin).send().await.expect(200).json()
    }

    async fn replace(&self, name: &str, contents: &Value) -> Response {
        self.client.put(&format!("{KEYSTORES}/{name}")).bearer(&self.admin).json(contents).send().await
    }

    async fn delete_keystore(&self, name: &str) -> Response {
        self.client.delete(&format!("{KEYSTORES}/{name}")).bearer(&self.admin).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keystores_are_stored_listed_replaced_and_deleted_and_never_read_back() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.keystore(named("partner", pair("ec"))).await.expect(200).json();
        assert_eq!(made["subject"], "O=Example, OU=Spaceport, CN=client-ec");
        assert_eq!(made["issuer"], "O=Example, CN=Middle");
        assert!(made["validUntil"]["iso"].as_str().unwrap().starts_with("2126-"));
        assert_eq!(made["certificates"], 3);
        server.keystore(named("another", pkcs12("legacy", "changeit"))).await.expect(200);
        let listed = server.keystores().await;
        assert_eq!(listed[1], made, "by name");
        assert_eq!(listed[0]["subject"], "O=Example, OU=Spaceport, CN=client-rsa");
        assert_eq!(listed.as_array().unwrap().len(), 2);
        assert!(!listed.to_string().to_lowercase().contains("privatekey"), "{listed}");

        let taken = server.keystore(named("partner", pair("rsa"))).await.expect(400).json();
        assert_eq!(taken["error"], "duplicated-entity");
        let replaced = server.replace("partner", &pair("ed")).await.expect(200).json();
        assert_eq!(replaced["subject"], "O=Example, OU=Spaceport, CN=client-ed");
        assert_eq!(replaced["created"], made["created"]);
        server.replace("nobody", &pair("ed")).await.expect(404);
        assert_eq!(server.delete_keystore("another").await.expect(200).text(), "");
        server.delete_keystore("another").await.expect(404);
        assert_eq!(server.keystores().await, json!([replaced]));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_keystores_are_refused_by_field() {
    let server = Server::start(Engine::Sqlite).await;
    let mixed = json!({ "certificate": pair("rsa")["certificate"], "privateKey": pair("ec")["privateKey"] });
    for (body, field) in [
        (named("a/b", pair("ec")), "name"),
        (pair("ec"), "name"),
        (json!({ "name": "x" }), "certificate"),
        (json!({ "name": "x", "certificate": "x" }), "privateKey"),
        (json!({ "name": "x", "privateKey": "x" }), "certificate"),
        (named("x", mixed), "certificate"),
        (named("x", pkcs12("modern", "wrong")), "password"),
        (named("x", pkcs12("endless", "changeit")), "pkcs12"),
        (json!({ "name": "x", "pkcs12": "!" }), "pkcs12"),
        (json!({ "name": "x", "pkcs12": "x", "certificate": "x" }), "pkcs12"),
    ] {
        let refused = server.keystore(body).await.expect(400).json();
        assert_eq!(refused["error"], "validation-error");
        let description = refused["error_description"].as_str().unwrap();
        assert!(description.starts_with(field), "{field}: {description}");
    }
    assert_eq!(server.keystores().await, json!([]));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keystore_in_use_stays_and_an_unknown_one_cannot_be_named() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.keystore(named("partner", pair("ec"))).await.expect(200);
        let refused = async |body: Value| {
            let call = server.client.post("/api/http/applications").bearer(&server.admin).json(&body);
            call.send().await.expect(400).json()["error_description"].as_str().unwrap().to_owned()
        };
        let description = refused(json!({ "name": "x", "sslKeystoreAuth": "nobody" })).await;
        assert!(description.starts_with("sslKeystoreAuth names `nobody`"), "{description}");

        let made = server.application(json!({ "name": "User", "sslKeystoreAuth": "partner" })).await;
        let other = server.application(json!({ "name": "Hooks" })).await;
        let auth = |name: &str| {
            json!({ "endpointAuth": {
                "appLevelAuth": { "className": "EndpointAuthCreate.SigningKey" }, "sslKeystore": { "sslKeystore": name } } })
        };
        let hooks = "/api/http/applications/me/webhooks";
        let mut unknown = auth("nobody");
        unknown["name"] = json!("hook");
        let call = server.client.post(hooks).bearer(&other.token).json(&unknown);
        let description = call.send().await.expect(400).json();
        assert!(description["error_description"].as_str().unwrap().contains("`nobody`"), "{description}");
        let hook = server.webhook(&other.token, auth("partner")).await;
        let shown = format!("{hooks}?$fields=data(webhook(endpointAuth))");
        let listed = server.client.get(&shown).bearer(&other.token).send().await.expect(200).json();
        assert_eq!(listed["data"][0]["webhook"]["endpointAuth"]["sslKeystore"], json!({ "sslKeystore": "partner" }));

        let in_use = async || {
            let refused = server.delete_keystore("partner").await.expect(400).json();
            refused["error_description"].as_str().unwrap().to_owned()
        };
        let description = in_use().await;
        assert!(description.contains("applications User and webhooks hook"), "{description}");
        let me = "/api/http/applications/me";
        let patch = async |name: Value| {
            let call = server.client.patch(me).bearer(&made.token).json(&json!({ "sslKeystoreAuth": name }));
            call.send().await
        };
        patch(json!("nobody")).await.expect(400);
        let cleared = patch(Value::Null).await.expect(200).json();
        assert_eq!(cleared["sslKeystoreAuth"], Value::Null);
        assert!(in_use().await.contains("webhooks hook"));
        assert_eq!(server.keystores().await[0]["name"], "partner", "a refused deletion changes nothing");
        // An archived webhook keeps its name, as an archived application does, which can come back.
        server.client.delete(&format!("{hooks}/{hook}")).bearer(&other.token).send().await.expect(200);
        in_use().await;
        server.running.stop().await;
    }
}

/// An endpoint that demands client certificates of the fixtures' authority, and tells whose it saw.
struct Strict {
    address: SocketAddr,
    seen: UnboundedReceiver<Vec<u8>>,
    _task: JoinSet<()>,
}

impl Strict {
    async fn start() -> Self {
        let certificates =
            |text: &str| CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
        let chain = certificates(&fixture("keystore/ec.chain.pem"));
        let mut roots = RootCertStore::empty();
        roots.add(chain.last().unwrap().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let key = PrivateKeyDer::from_pem_slice(fixture("keystore/ec.key.pem").as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, seen) = unbounded_channel();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, sent) = (acceptor.clone(), sent.clone());
                connections.spawn(async move {
                    let mut buffer = [0; 4096];
                    match acceptor.accept(stream).into_fallible().await {
                        Ok(mut stream) => {
                            let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
                            // A delivery of these tests fits into one read after its head.
                            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                                let _ = sent.send(shown.clone());
                                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                            }
                        }
                        // Until the other side has read why it was refused.
                        Err((_, mut stream)) => while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {},
                    }
                });
            }
        });
        Self { address, seen, _task: task }
    }

    fn url(&self) -> String {
        format!("https://{}/hook", self.address)
    }

    /// The certificate that came with the next delivery.
    async fn shown(&mut self) -> Vec<u8> {
        self.seen.recv().await.unwrap()
    }
}

fn leaf(kind: &str) -> Vec<u8> {
    let text = fixture(&format!("keystore/{kind}.chain.pem"));
    CertificateDer::from_pem_slice(text.as_bytes()).unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_show_the_certificate_of_the_keystore_and_the_new_one_after_a_replacement() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let mut strict = Strict::start().await;
        server.keystore(named("partner", pair("rsa"))).await.expect(200);
        let body = json!({ "name": "Shown", "endpointUri": strict.url(), "endpointSslVerification": false,
            "sslKeystoreAuth": "partner" });
        let made = server.application(body).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        assert_eq!(strict.shown().await, leaf("rsa"));
        server.replace("partner", &pair("ed")).await.expect(200);
        server.publish(json!([issue("e2")])).await;
        // The former delivery's connection may bring a last read; the certificate tells them apart.
        while strict.shown().await != leaf("ed") {}

        let body = json!({ "name": "Without", "endpointUri": strict.url(), "endpointSslVerification": false });
        let without = server.application(body).await;
        server.webhook(&without.token, json!({})).await;
        server.publish(json!([issue("e3")])).await;
        let failed = |status: &Value| status["className"] == "WebhookDeliveryStatusDTO.ExpectedHttpClientError";
        let status = server.status(&without.token, failed).await;
        assert_eq!(status["clientError"]["causeClassName"], "client_certificate", "{status}");
        server.running.stop().await;
    }
}
