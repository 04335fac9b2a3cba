//! Which headers a request has, and which the application cannot change.

use super::*;
use crate::outbox::{Retries, SslVerification};
use crate::standard::StandardKeys;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn target(authentication: Authentication, headers: &[(&str, &str)]) -> Target {
    Target {
        url: "https://example.com/".into(),
        ssl_verification: SslVerification::Verify,
        identity: None,
        authentication,
        standard: StandardKeys::default(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        accepted_codes: vec![],
        retries: Retries::Enabled,
        delays: None,
        pace: None,
    }
}

async fn headers_of(authentication: Authentication, custom: &[(&str, &str)]) -> Result<HeaderMap, KeyError> {
    let body = Bytes::from_static(b"{}");
    headers(&target(authentication, custom), &DeliveryId::new("d1"), &body, NOW, &Signing::default()).await
}

#[tokio::test]
async fn every_request_has_the_headers_of_the_original_server() {
    let headers = headers_of(Authentication::None, &[]).await.unwrap();
    let expected = [
        ("content-type", "application/json"),
        ("accept", "*/*"),
        ("accept-charset", "UTF-8"),
        ("x-space-timestamp", "1700000000123"),
        ("x-space-delivery-id", "d1"),
        ("webhook-id", "d1"),
        ("webhook-timestamp", "1700000000"),
    ];
    for (name, value) in expected {
        assert_eq!(headers[name], value);
    }
    assert!(headers["user-agent"].to_str().unwrap().starts_with("Space ("));
    assert!(!headers.contains_key("authorization"));
}

#[tokio::test]
async fn custom_headers_are_sent_and_never_replace_ours() {
    let custom = [
        ("X-Custom", "Grüße"),
        ("x-custom", "again"),
        ("Authorization", "mine"),
        ("Content-Type", "text/plain"),
        ("User-Agent", "x"),
        ("X-Space-Timestamp", "1"),
        ("x-space-anything", "1"),
        ("Webhook-Id", "1"),
        ("webhook-anything", "1"),
        ("Host", "evil"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Keep-Alive", "timeout=1"),
        ("Expect", "100-continue"),
        ("X-Break", "a\r\nX-Other: b"),
        ("X Name", "a"),
        ("X-Name:", "a"),
        ("X-Nul", "a\0"),
        ("", "a"),
    ];
    let headers = headers_of(Authentication::None, &custom).await.unwrap();
    assert_eq!(headers.get_all("x-custom").iter().count(), 2);
    assert_eq!(headers["authorization"], "mine");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers.len(), 8 + 3);
}

#[tokio::test]
async fn the_targets_own_credentials_win_over_a_custom_authorization() {
    let bearer = headers_of(Authentication::Bearer(Secret::new("t0")), &[("authorization", "mine")]).await.unwrap();
    assert_eq!(bearer.get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer t0"]);
    let basic = Authentication::Basic { username: "Aladdin".into(), password: Secret::new("open sesame") };
    let basic = headers_of(basic, &[]).await.unwrap();
    // The example of RFC 7617, section 2.
    assert_eq!(basic["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[tokio::test]
async fn the_log_shows_neither_signatures_nor_secrets() {
    let custom = [("X-Api-Key", "topsecret")];
    for authentication in [Authentication::SigningKey(Secret::new("key")), Authentication::Bearer(Secret::new("tok"))] {
        let headers = headers_of(authentication, &custom).await.unwrap();
        let shown = masked(&headers);
        assert_eq!(shown.iter().filter(|(_, value)| value == "***").count(), 2);
        assert!(shown.iter().all(|(_, value)| !value.contains("topsecret") && !value.contains("tok")));
        assert!(shown.contains(&("x-space-timestamp".into(), "1700000000123".into())));
    }
}

#[tokio::test]
async fn a_credential_that_would_break_the_header_is_an_error() {
    let headers = headers_of(Authentication::Bearer(Secret::new("a\r\nX-Other: b")), &[]).await;
    assert_eq!(headers.unwrap_err(), KeyError::Unsendable);
}

#[test]
fn a_value_that_is_too_long_is_refused() {
    assert_eq!(check_header("X-Long", &"a".repeat(70_000)), Err(HeaderRefused::Value));
    assert_eq!(check_header("X-Long", &"a".repeat(8192)), Ok(()));
    assert_eq!(check_header("X-Space-Signature", "a"), Err(HeaderRefused::Reserved));
}

#[tokio::test]
async fn the_key_before_signs_too_until_its_time_is_over() {
    let signed = async |until| {
        let keys = Authentication::SigningKeys { present: Secret::new("new"), previous: Secret::new("old"), until };
        headers_of(keys, &[]).await.unwrap()
    };
    let verifies = |headers: &HeaderMap, name: &str, key: &str| {
        let signature = headers[name].to_str().unwrap();
        sign::verify_signing_key_signature(&Secret::new(key), NOW, b"{}", signature)
    };
    let both = signed(NOW.plus(std::time::Duration::from_millis(1))).await;
    assert!(verifies(&both, "x-space-signature", "new") && verifies(&both, "x-space-previous-signature", "old"));
    let over = signed(NOW).await;
    assert!(verifies(&over, "x-space-signature", "new"));
    assert!(!over.contains_key("x-space-previous-signature"));
}
