//! Install links: what both SDKs and the readmes of published applications write into them (wire-protocol 5.5).

use spaceport_wire::application::CreateApplication;

/// Most characters of a link's query: longer ones are no links of a person's.
const MAX_QUERY: usize = 16 * 1024;

/// What an install link asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstallLink {
    /// The name it proposes.
    pub name: String,
    /// Where the application receives payloads.
    pub endpoint: String,
    /// Whether the application is told of its installation; otherwise it is only registered.
    pub pair: bool,
    /// Whether the application may get tokens of its own.
    pub client_credentials: bool,
    /// Redirect URIs of the code flow, when it is on.
    pub code_flow: Option<Vec<String>>,
    /// Whether the code flow demands PKCE.
    pub pkce_required: bool,
    /// Handed to the application with its first payload.
    pub state: Option<String>,
    /// Whether payloads are signed with a shared key instead of one that is published.
    pub signing_key: bool,
}

impl InstallLink {
    /// Reads the query of a link. Parameters of an unknown name mean nothing.
    ///
    /// # Errors
    /// A sentence for the person who followed the link.
    pub fn parse(query: &str) -> Result<Self, String> {
        if query.len() > MAX_QUERY {
            return Err(format!("The link is longer than {MAX_QUERY} characters."));
        }
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let text = |name: &str| {
            let mut found = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim());
            let first = found.next().filter(|value| !value.is_empty()).map(str::to_owned);
            // Two values would let one be shown and the other be used by whoever reads the link elsewhere.
            match found.next() {
                Some(_) => Err(format!("The link says `{name}` twice.")),
                None => Ok(first),
            }
        };
        let flag = |name: &str| match text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(format!("The link's parameter `{name}` must be `true` or `false`.")),
        };
        if text("marketplace-app")?.is_some() {
            return Err("The link names an application of a marketplace. This server installs applications by their \
                        endpoint: ask the maker for a link with `endpoint`."
                .to_owned());
        }
        let required = |name: &str| text(name)?.ok_or_else(|| format!("The link lacks the parameter `{name}`."));
        let (public_key, signing_key) = (flag("has-public-key-signature")?, flag("has-signing-key")?);
        if (public_key, signing_key) == (Some(true), Some(true)) {
            return Err("The link asks for both `has-public-key-signature` and `has-signing-key`; an application has \
                        one of them."
                .to_owned());
        }
        let uris = text("code-flow-redirect-uris")?.unwrap_or_default();
        let uris = uris.lines().map(str::trim).filter(|uri| !uri.is_empty()).map(str::to_owned).collect();
        Ok(Self {
            name: required("name")?,
            endpoint: required("endpoint")?,
            pair: flag("pair")?.unwrap_or(true),
            client_credentials: flag("client-credentials-flow-enabled")?.unwrap_or(true),
            code_flow: (flag("code-flow-enabled")? == Some(true)).then_some(uris),
            pkce_required: flag("pkce-required")?.unwrap_or(false),
            state: text("state")?,
            signing_key: signing_key == Some(true),
        })
    }

    /// The application to be made, under the name that the person chose.
    pub fn application(&self, name: &str, client_id: &str) -> CreateApplication {
        CreateApplication {
            name: name.to_owned(),
            description: None,
            picture_attachment_id: None,
            default_external_picture: None,
            email: None,
            client_id: Some(client_id.to_owned()),
            client_secret: None,
            client_credentials_flow_enabled: Some(self.client_credentials),
            code_flow_enabled: Some(self.code_flow.is_some()),
            code_flow_redirect_uris: self.code_flow.as_ref().map(|uris| uris.join("\n")),
            pkce_required: self.pkce_required.then_some(true),
            public_clients_allowed: None,
            implicit_flow_enabled: None,
            implicit_flow_redirect_uris: None,
            endpoint_uri: Some(self.endpoint.clone()),
            endpoint_ssl_verification: None,
            app_level_auth: None,
            ssl_keystore_auth: None,
            has_signing_key: Some(self.signing_key),
            has_public_key_signature: Some(!self.signing_key),
            basic_auth_username: None,
            basic_auth_password: None,
            bearer_auth_token: None,
            connect_to_space: Some(self.pair),
            state: self.state.clone(),
            featured_integration_type: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_an_endpoint_are_enough() {
        let link = InstallLink::parse("name=Webhooks%20example&endpoint=https%3A%2F%2Fapp.example.com%2Fapi").unwrap();
        let expected = InstallLink {
            name: "Webhooks example".to_owned(),
            endpoint: "https://app.example.com/api".to_owned(),
            pair: true,
            client_credentials: true,
            code_flow: None,
            pkce_required: false,
            state: None,
            signing_key: false,
        };
        assert_eq!(link, expected);
    }

    #[test]
    fn every_parameter_counts_in_both_spellings_of_blanks() {
        for blank in ["+", "%20"] {
            let query = format!(
                "name=My{blank}app&pair=false&endpoint=https%3A%2F%2Fe&client-credentials-flow-enabled=false&code-flow-enabled=true\
                 &code-flow-redirect-uris=https%3A%2F%2Fone%0Ahttps%3A%2F%2Ftwo&pkce-required=true&state=a%2Bb&has-signing-key=true"
            );
            let link = InstallLink::parse(&query).unwrap();
            assert_eq!(link.name, "My app");
            assert_eq!(
                (link.pair, link.client_credentials, link.pkce_required, link.signing_key),
                (false, false, true, true)
            );
            assert_eq!(link.code_flow, Some(vec!["https://one".to_owned(), "https://two".to_owned()]));
            assert_eq!(link.state.as_deref(), Some("a+b"));
        }
    }

    #[test]
    fn faulty_links_say_what_is_wrong() {
        for (query, named) in [
            ("endpoint=https://e", "`name`"),
            ("name=%20&endpoint=https://e", "`name`"),
            ("name=a", "`endpoint`"),
            ("name=a&endpoint=https://e&endpoint=https://f", "`endpoint` twice"),
            ("name=a&endpoint=https://e&pair=yes", "`pair`"),
            ("name=a&endpoint=https://e&has-signing-key=true&has-public-key-signature=true", "`has-signing-key`"),
            ("name=a&marketplace-app=12", "marketplace"),
        ] {
            let fault = InstallLink::parse(query).unwrap_err();
            assert!(fault.contains(named), "{query}: {fault}");
        }
        assert!(InstallLink::parse(&format!("name={}", "a".repeat(MAX_QUERY))).is_err());
    }
}
