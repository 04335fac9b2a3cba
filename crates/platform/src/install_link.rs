//! Install links: what an application's maker proposes to whoever follows one (wire-protocol 5.5).

use crate::application::{AuthenticationMethod, MAX_TEXT};
use crate::invalid::{Invalid, text_length};

/// Path of install links.
pub const PATH: &str = "/extensions/installedApplications/new";

/// What an install link proposes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstallLink {
    /// Name of the application.
    pub name: String,
    /// Its endpoint.
    pub endpoint: String,
    /// Whether the application is told of its installation, and looks after its settings itself from then on.
    pub pairing: Pairing,
    /// Whether it may act for itself.
    pub client_credentials: bool,
    /// Whether it may act for people who allow it.
    pub code_flow: bool,
    /// Where people come back to, separated by newline.
    pub code_flow_redirect_uris: Option<String>,
    /// Whether that takes PKCE.
    pub pkce_required: bool,
    /// What the application wants to be told with its installation.
    pub state: Option<String>,
    /// How payloads prove where they come from.
    pub authentication: AuthenticationMethod,
}

/// Whether the application is told of its installation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pairing {
    /// It is, and connects itself.
    Connected,
    /// It is not: whoever installs it hands its credentials over.
    ByHand,
}

impl InstallLink {
    /// Reads the query of a link, with blanks as `+` or `%20`. Parameters nobody knows are ignored, and of those that come
    /// twice the first counts.
    ///
    /// # Errors
    /// Names the parameter that is missing or cannot be.
    pub fn read(query: &str) -> Result<Self, Invalid> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let text = |name: &str| {
            let found = pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
            found.filter(|value| !value.is_empty())
        };
        let flag = |name: &str, default: bool| match text(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Invalid::new(name, "must be true or false")),
        };
        let needed = |name: &str, why: &str| text(name).map(str::to_owned).ok_or_else(|| Invalid::new(name, why));
        if text("marketplace-app").is_some() && text("endpoint").is_none() {
            return Err(Invalid::new(
                "marketplace-app",
                "names an application of the vendor's marketplace, which this server cannot reach; ask the application's \
                 maker for a link with its endpoint",
            ));
        }
        let signing_key = flag("has-signing-key", false)?;
        if signing_key && flag("has-public-key-signature", false)? {
            return Err(Invalid::new("has-signing-key", "must not be given together with has-public-key-signature"));
        }
        if let Some(state) = text("state") {
            text_length("state", state, 0, MAX_TEXT)?;
        }
        Ok(Self {
            name: needed("name", "must be given: what the application is called")?,
            endpoint: needed("endpoint", "must be given: where the application receives payloads")?,
            // Links that leave it out expect the first payload all the same.
            pairing: if flag("pair", true)? { Pairing::Connected } else { Pairing::ByHand },
            client_credentials: flag("client-credentials-flow-enabled", true)?,
            code_flow: flag("code-flow-enabled", false)?,
            code_flow_redirect_uris: text("code-flow-redirect-uris").map(str::to_owned),
            pkce_required: flag("pkce-required", false)?,
            state: text("state").map(str::to_owned),
            authentication: if signing_key {
                AuthenticationMethod::SigningKey
            } else {
                AuthenticationMethod::PublicKey
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "endpoint=https%3A%2F%2Fa.example%2Fapi";

    #[test]
    fn a_name_and_an_endpoint_are_enough() {
        for name in ["name=My+app", "name=My%20app"] {
            let link = InstallLink::read(&format!("{name}&{ENDPOINT}&unknown=1")).unwrap();
            assert_eq!((link.name.as_str(), link.endpoint.as_str()), ("My app", "https://a.example/api"));
            assert_eq!((link.pairing, link.client_credentials, link.code_flow), (Pairing::Connected, true, false));
            assert_eq!(
                (link.authentication, link.state, link.pkce_required),
                (AuthenticationMethod::PublicKey, None, false)
            );
        }
    }

    #[test]
    fn every_parameter_counts() {
        let link = InstallLink::read(&format!(
            "name=a&{ENDPOINT}&pair=false&client-credentials-flow-enabled=false&code-flow-enabled=true\
             &code-flow-redirect-uris=https%3A%2F%2Fa.example%2F1%0Ahttps%3A%2F%2Fa.example%2F2&pkce-required=true\
             &state=s&has-signing-key=true"
        ));
        let link = link.unwrap();
        assert_eq!((link.pairing, link.client_credentials, link.code_flow), (Pairing::ByHand, false, true));
        assert_eq!(link.code_flow_redirect_uris.unwrap(), "https://a.example/1\nhttps://a.example/2");
        assert_eq!((link.pkce_required, link.state.as_deref()), (true, Some("s")));
        assert_eq!(link.authentication, AuthenticationMethod::SigningKey);
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (query, field) in [
            ("", "name"),
            ("name=a", "endpoint"),
            ("name=+&endpoint=x", "name"),
            ("name=a&endpoint=x&pair=yes", "pair"),
            ("name=a&endpoint=x&has-signing-key=true&has-public-key-signature=true", "has-signing-key"),
            ("name=a&marketplace-app=7", "marketplace-app"),
        ] {
            assert_eq!(InstallLink::read(query).unwrap_err().field, field, "{query}");
        }
    }
}
