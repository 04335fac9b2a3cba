//! Forged access tokens: signed by nobody, by the wrong key, by the right key over wrong things (security J2, J3).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::harness::{Engine, KEY, Server};
use crate::oauth_flow::{accepted, code, redeem, tokens, tracker};

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Signs with the server's own key, so that only what is signed can be wrong.
fn signed(header: &str, body: &str) -> String {
    let key = RsaPrivateKey::from_pkcs8_der(&KEY).unwrap();
    let text = format!("{}.{}", encode(header), encode(body));
    let signature = key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&text)).unwrap();
    format!("{text}.{}", encode(signature))
}

fn decoded(token: &str, part: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap()).unwrap()
}

/// The members of `base` with some replaced; `null` removes.
fn with(base: &Value, changes: Value) -> String {
    let mut changed = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
            value => changed[name] = value.clone(),
        }
    }
    changed.to_string()
}

/// HMAC under the public key, in the hope that the algorithm is read from the token (RFC 8725, 2.1).
fn hmac_token(header: &str, body: &str, key: &[u8]) -> String {
    let text = format!("{}.{}", encode(header), encode(body));
    let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA512, key), text.as_bytes());
    format!("{text}.{}", encode(tag))
}

fn by_header(header: &Value, body: &Value, real: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = real.split('.').collect();
    let (original_body, signature) = (parts[1], parts[2]);
    let same = |changes: Value| signed(&with(header, changes), &body.to_string());
    let unsigned = |alg: &str| {
        let header = with(header, json!({ "alg": alg }));
        format!("{}.{original_body}.", encode(header))
    };
    let jwk = json!({ "kty": "oct", "k": "AA" });
    vec![
        ("alg none without signature", unsigned("none")),
        ("alg None in another case", unsigned("nOnE")),
        ("alg none with the old signature", format!("{}{signature}", unsigned("none"))),
        ("alg empty", same(json!({ "alg": "" }))),
        ("alg missing", same(json!({ "alg": null }))),
        ("alg of another type", same(json!({ "alg": ["RS512"] }))),
        ("alg weaker than the key's", same(json!({ "alg": "RS256" }))),
        ("alg in lower case", same(json!({ "alg": "rs512" }))),
        ("alg PS512", same(json!({ "alg": "PS512" }))),
        ("alg ES256", same(json!({ "alg": "ES256" }))),
        ("kid unknown", same(json!({ "kid": "nobody" }))),
        ("kid missing", same(json!({ "kid": null }))),
        ("kid a path", same(json!({ "kid": "../../../dev/null" }))),
        ("kid an injection", same(json!({ "kid": "' OR 1=1 --" }))),
        ("kid a number", same(json!({ "kid": 1 }))),
        ("typ of another kind", same(json!({ "typ": "at+jwt" }))),
        ("typ missing", same(json!({ "typ": null }))),
        ("an embedded key", same(json!({ "jwk": jwk }))),
        ("a linked key set", same(json!({ "jku": "https://evil.example/jwks.json" }))),
        ("a linked certificate", same(json!({ "x5u": "https://evil.example/c.pem" }))),
        ("an embedded certificate", same(json!({ "x5c": ["AA=="] }))),
        ("a critical extension", same(json!({ "crit": ["exp"], "exp": 1 }))),
        ("an unencoded payload", same(json!({ "b64": false, "crit": ["b64"] }))),
        ("a compressed payload", same(json!({ "zip": "DEF" }))),
        ("a nested token", same(json!({ "cty": "JWT" }))),
        ("encryption instead of a signature", same(json!({ "alg": "RSA-OAEP", "enc": "A256GCM" }))),
        ("five parts", format!("{real}.AA.AA")),
        ("a header that is a list", signed("[]", &body.to_string())),
        ("a header that is deep", signed(&"[".repeat(5_000), &body.to_string())),
        ("a header that is no JSON", signed("alg=RS512", &body.to_string())),
    ]
}

fn by_body(header: &Value, body: &Value) -> Vec<(&'static str, String)> {
    let header = header.to_string();
    let same = |changes: Value| signed(&header, &with(body, changes));
    let text = |from: &str, to: &str| signed(&header, &body.to_string().replacen(from, to, 1));
    let exp = format!("\"exp\":{}", body["exp"]);
    vec![
        ("exp as text", same(json!({ "exp": "9999999999" }))),
        ("exp missing", same(json!({ "exp": null }))),
        ("exp infinite", text(&exp, "\"exp\":1e400")),
        ("exp with a fraction", same(json!({ "exp": 9_999_999_999.5 }))),
        ("exp a list", same(json!({ "exp": [9_999_999_999_i64] }))),
        ("exp true", same(json!({ "exp": true }))),
        ("exp beyond 64 bits", text(&exp, "\"exp\":99999999999999999999")),
        ("exp null", text(&exp, "\"exp\":null")),
        ("exp twice", text(&exp, &format!("{exp},\"exp\":9999999999"))),
        ("iat as text", same(json!({ "iat": "0" }))),
        ("iat in the future", same(json!({ "iat": 9_999_999_999_i64 }))),
        ("a claim we do not issue", same(json!({ "nbf": 0 }))),
        ("another issuer", same(json!({ "iss": "https://evil.example" }))),
        ("issuer with a slash", same(json!({ "iss": format!("{}/", body["iss"].as_str().unwrap()) }))),
        ("issuer missing", same(json!({ "iss": null }))),
        ("two audiences", same(json!({ "aud": [body["aud"], "other"] }))),
        ("an unknown audience", same(json!({ "aud": "other" }))),
        ("audience missing", same(json!({ "aud": null }))),
        ("another subject", same(json!({ "sub": "somebody" }))),
        ("subject a number", same(json!({ "sub": 7 }))),
        ("scope a list", same(json!({ "scope": ["**"] }))),
        ("scope missing", same(json!({ "scope": null }))),
        ("scope that cannot be read", same(json!({ "scope": "nonsense" }))),
        ("stamp of before a revocation", same(json!({ "stamp": 1 }))),
        ("stamp as text", same(json!({ "stamp": "0" }))),
        ("a delegation that does not exist", same(json!({ "delegation": "none" }))),
        ("a body that is a list", signed(&header, "[]")),
        ("a body that is deep", signed(&header, &format!("{{\"a\":{}", "[".repeat(5_000)))),
        ("a body that is no UTF-8", {
            let body = [0xff_u8, 0xfe].repeat(10);
            let text = format!("{}.{}", encode(&header), encode(body));
            let key = RsaPrivateKey::from_pkcs8_der(&KEY).unwrap();
            let signature = key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&text)).unwrap();
            format!("{text}.{}", encode(signature))
        }),
    ]
}

fn by_signature(header: &Value, body: &Value, real: &str, jwks: &str) -> Vec<(&'static str, String)> {
    let key = RsaPrivateKey::from_pkcs8_der(&KEY).unwrap();
    let (signed_text, signature) = real.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let resigned = |signature: Vec<u8>| format!("{signed_text}.{}", encode(signature));
    let stranger = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let digest = Sha512::digest(signed_text);
    let mut flipped = bytes.clone();
    flipped[0] ^= 1;
    let hs = with(header, json!({ "alg": "HS512" }));
    let modulus = serde_json::from_str::<Value>(jwks).unwrap()["keys"][0]["n"].as_str().unwrap().to_owned();
    vec![
        ("a flipped bit", resigned(flipped)),
        ("a zero signature", resigned(vec![0; bytes.len()])),
        ("a short signature", resigned(bytes[1..].to_vec())),
        ("a long signature", resigned([bytes.as_slice(), &[0]].concat())),
        ("an empty signature", format!("{signed_text}.")),
        ("padding behind the signature", format!("{real}==")),
        ("blanks around the signature", format!("{signed_text}. {signature}")),
        ("a stranger's key", resigned(stranger.sign(Pkcs1v15Sign::new::<Sha512>(), &digest).unwrap())),
        ("a shorter hash", resigned(key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(signed_text)).unwrap())),
        ("another hash", resigned(key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(signed_text)).unwrap())),
        ("another padding", {
            let signature = key.sign_with_rng(&mut rsa::rand_core::OsRng, Pss::new::<Sha512>(), &digest).unwrap();
            resigned(signature)
        }),
        ("HMAC with the public modulus", hmac_token(&hs, &body.to_string(), modulus.as_bytes())),
        ("HMAC with the key set", hmac_token(&hs, &body.to_string(), jwks.as_bytes())),
        ("HMAC under the name RS512", hmac_token(&header.to_string(), &body.to_string(), modulus.as_bytes())),
        ("two dots", "..".to_owned()),
        ("three dots", "...".to_owned()),
        ("letters", "a.b.c".to_owned()),
        ("a header alone", format!("{}.", signed_text.split('.').next().unwrap())),
        ("header and body swapped", signed(&body.to_string(), &header.to_string())),
    ]
}

/// Says it speaks for somebody for whom it does not: `others` are a person's and another application's tokens.
fn by_person(header: &Value, body: &Value, others: [&Value; 2], own: &Value) -> Vec<(&'static str, String)> {
    let header = header.to_string();
    let same = |changes: Value| signed(&header, &with(body, changes));
    let [person, application] = others;
    vec![
        ("without its delegation", same(json!({ "delegation": null }))),
        ("a delegation of another type", same(json!({ "delegation": 7 }))),
        ("an empty delegation", same(json!({ "delegation": "" }))),
        ("another person with this delegation", same(json!({ "sub": person["sub"] }))),
        ("another person's delegation", same(json!({ "delegation": person["delegation"] }))),
        ("another application with this delegation", same(json!({ "aud": application["aud"] }))),
        ("another application's delegation", same(json!({ "delegation": application["delegation"] }))),
        (
            "another application's whole claims under this audience",
            same(json!({ "delegation": application["delegation"], "sub": application["sub"] })),
        ),
        ("the application itself with a delegation", same(json!({ "sub": body["aud"] }))),
        ("an application's own token that names a person", signed(&header, &with(own, json!({ "sub": body["sub"] })))),
        (
            "an application's own token with a delegation",
            signed(&header, &with(own, json!({ "delegation": body["delegation"] }))),
        ),
    ]
}

/// Every forgery is refused with the same words.
async fn all_refused(server: &Server, forged: &[(&'static str, String)]) {
    let started = Instant::now();
    for (what, token) in forged {
        let refused = server.client.get("/api/http/applications/me").bearer(token).send().await;
        assert_eq!(refused.status, 401, "{what}: {}", refused.text());
        assert!(refused.header("www-authenticate").contains("invalid_token"), "{what}");
        assert_eq!(refused.json()["error_description"], "Access token is invalid", "{what}");
    }
    // A generous bound, against work that grows with the token: a forgery costs well below a millisecond.
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_forged_tokens_are_refused() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Forged" })).await;
    let jwks = server.client.get("/oauth/jwks.json").send().await.expect(200);
    let (header, body) = (decoded(&made.token, 0), decoded(&made.token, 1));
    let resigned = signed(&header.to_string(), &body.to_string());
    server.client.get("/api/http/applications/me").bearer(&resigned).send().await.expect(200);
    let mut forged = by_header(&header, &body, &made.token);
    forged.extend(by_body(&header, &body));
    forged.extend(by_signature(&header, &body, &made.token, jwks.text()));
    assert!(forged.len() >= 70, "{}", forged.len());
    all_refused(&server, &forged).await;
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_forged_tokens_of_people_are_refused() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    server.person("bob", &[]).await;
    let (made, other) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Other" })).await);
    let (mut ann, mut bob) = (Browser::of(&server, "ann").await, Browser::of(&server, "bob").await);
    let claims = |issued: &Value| decoded(issued["access_token"].as_str().unwrap(), 1);
    let person = claims(&tokens(&mut bob, &made, "").await);
    let application = claims(&tokens(&mut ann, &other, "").await);
    let own = decoded(&made.token, 1);
    let issued = tokens(&mut ann, &made, "").await;
    let real = issued["access_token"].as_str().unwrap();
    let jwks = server.client.get("/oauth/jwks.json").send().await.expect(200);
    let (header, body) = (decoded(real, 0), decoded(real, 1));
    let resigned = json!(signed(&header.to_string(), &body.to_string()));
    assert!(accepted(&server, &resigned).await, "so only what is changed can be wrong");
    let mut forged = by_header(&header, &body, real);
    forged.extend(by_body(&header, &body));
    forged.extend(by_signature(&header, &body, real, jwks.text()));
    forged.extend(by_person(&header, &body, [&person, &application], &own));
    assert!(forged.len() >= 85, "{}", forged.len());
    all_refused(&server, &forged).await;
    // What the token rested on has ended: nobody can say otherwise with a new id and later times.
    let code = code(&mut ann, &made, &[]).await;
    let online = claims(&redeem(&server, &made, &code, &[]).await.expect(200).json());
    let page = ann.get("/account/applications").await.expect(200);
    for form in crate::browser::forms(page.text()) {
        ann.submit(&form).await.expect(303);
    }
    let later = json!({ "jti": "another", "exp": 9_999_999_999_i64 });
    all_refused(&server, &[("of a withdrawn consent", signed(&header.to_string(), &with(&online, later)))]).await;
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_oversized_tokens_are_refused_before_they_are_read() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Oversized" })).await;
    let (header, body) = (decoded(&made.token, 0), decoded(&made.token, 1));
    let long = signed(&header.to_string(), &with(&body, json!({ "scope": "global:A ".repeat(4_000) })));
    let refused = server.client.get("/api/http/applications/me").bearer(&long).send().await;
    assert_eq!(refused.status, 401);
    // What does not even fit into a header of HTTP ends with an error of HTTP, not with a hang.
    let huge = "a".repeat(10 * 1024 * 1024);
    let refused = server.client.get("/api/http/applications/me").bearer(&huge).try_send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status.is_client_error()));
    server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_an_expired_token_says_so_only_when_the_rest_of_it_is_right() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Expired" })).await;
    let (header, body) = (decoded(&made.token, 0).to_string(), decoded(&made.token, 1));
    let text = async |token: String| {
        let refused = server.client.get("/api/http/applications/me").bearer(&token).send().await.expect(401);
        refused.json()["error_description"].as_str().unwrap().to_owned()
    };
    let past = json!({ "exp": 1_000_000_000, "iat": 999_999_000 });
    assert_eq!(text(signed(&header, &with(&body, past.clone()))).await, "Access token has expired");
    let mut foreign = past;
    foreign["iss"] = json!("https://evil.example");
    assert_eq!(text(signed(&header, &with(&body, foreign))).await, "Access token is invalid");
    let unsigned = signed(&header, &with(&body, json!({ "exp": 1 })));
    assert_eq!(text(unsigned[..unsigned.len() - 4].to_owned()).await, "Access token is invalid");
    server.running.stop().await;
}
