//! How an application verifies a delivery: try each published key (wire-protocol 4.3).

use serde_json::Value;
use spaceport_delivery::sign::{RsaPublic, verify_public_key_signature};
use spaceport_platform::time::Timestamp;

use crate::demo::receiver::Arrival;

/// Checks the signature of a delivery against a JWKS.
///
/// # Errors
/// When no key fits.
pub(super) fn verify(keys: &Value, arrival: &Arrival) -> Result<(), String> {
    let header = |name: &str| arrival.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let timestamp: i64 = header("x-space-timestamp").parse().map_err(|_| "the delivery has no X-Space-Timestamp")?;
    let signature = header("x-space-public-key-signature");
    let part = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let timestamp = Timestamp::from_millis(timestamp);
    let fits = |key: &Value| {
        let public = RsaPublic { n: part(key, "n"), e: part(key, "e") };
        verify_public_key_signature(&public, timestamp, &arrival.body, signature)
    };
    match keys.get("keys").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(fits)) {
        true => Ok(()),
        false => Err("the signature of the delivery does not fit any public key".to_owned()),
    }
}
