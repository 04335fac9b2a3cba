//! What a provider says about itself (OpenID Connect Discovery 1.0, section 3).

use serde::Deserialize;

/// The members that are needed here.
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    issuer: String,
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where it tells about a person.
    pub userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether its answers name it (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// How the secret is sent to the token endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretPlace {
    /// As Basic authentication, which is what providers take who do not say otherwise.
    Header,
    /// Among the parameters.
    Body,
}

impl Metadata {
    /// Reads the document that `issuer` published.
    ///
    /// # Errors
    /// Says what is wrong with it, for the operator.
    pub fn read(document: &[u8], issuer: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(document)
            .map_err(|error| format!("the provider's configuration cannot be read: {error}"))?;
        if read.issuer != issuer {
            return Err(format!("the provider says that its issuer is `{}`, the settings say `{issuer}`", read.issuer));
        }
        let endpoints = [&read.authorization_endpoint, &read.token_endpoint, &read.jwks_uri];
        for endpoint in endpoints.into_iter().chain(&read.userinfo_endpoint) {
            let url = url::Url::parse(endpoint).map_err(|error| format!("`{endpoint}` of the provider: {error}"))?;
            // A provider with TLS does not leave it on the way.
            if url.scheme() != "https" && issuer.starts_with("https:") {
                return Err(format!("`{endpoint}` of the provider is not https"));
            }
        }
        Ok(read)
    }

    /// How the secret is sent.
    pub fn secret_place(&self) -> SecretPlace {
        let methods = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        if has("client_secret_post") && !has("client_secret_basic") { SecretPlace::Body } else { SecretPlace::Header }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(changes: Value) -> Result<Metadata, String> {
        let mut document = json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/a",
            "token_endpoint": "https://id.example/t", "jwks_uri": "https://id.example/k", "unknown": [1],
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Metadata::read(document.to_string().as_bytes(), "https://id.example")
    }

    #[test]
    fn a_configuration_is_believed_only_from_its_issuer_and_over_tls() {
        assert!(read(json!({})).is_ok());
        for wrong in [
            json!({ "issuer": "https://id.example/" }),
            json!({ "token_endpoint": "http://id.example/t" }),
            json!({ "jwks_uri": "k" }),
            json!({ "userinfo_endpoint": "http://id.example/u" }),
            json!({ "authorization_endpoint": null }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_secret_goes_where_the_provider_takes_it() {
        let place = |methods: Value| {
            let read = read(json!({ "token_endpoint_auth_methods_supported": methods }));
            read.unwrap().secret_place()
        };
        assert_eq!(place(json!(null)), SecretPlace::Header);
        assert_eq!(place(json!(["client_secret_post"])), SecretPlace::Body);
        assert_eq!(place(json!(["client_secret_post", "client_secret_basic"])), SecretPlace::Header);
        assert_eq!(place(json!(["private_key_jwt"])), SecretPlace::Header);
    }
}
