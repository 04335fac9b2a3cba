//! Settings of sign-in at an OpenID Connect provider.

use spaceport_platform::secret::Secret;

use crate::config::Source;

/// An OpenID Connect provider at which people may sign in.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Who issues its tokens: a URL, exactly as the provider writes it.
    pub issuer: String,
    /// The name it knows this server under.
    pub client_id: String,
    /// The secret that goes with it.
    pub client_secret: Secret,
    /// What people call it.
    pub label: String,
    /// How it is told who somebody is.
    pub matching: Matching,
}

/// How a person of the provider is found among ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matching {
    /// By an address that the provider has verified.
    Email,
    /// By the provider's subject, which is the external id of the profile here.
    Subject,
}

/// Takes the provider out of merged settings; `None` when none is named.
///
/// # Errors
/// A sentence that names the setting and what was expected.
pub(super) fn provider(merged: &mut Source) -> Result<Option<ProviderSettings>, String> {
    let text = |value: &mut Option<String>| value.take().unwrap_or_default();
    let issuer = text(&mut merged.provider_issuer);
    let (client_id, client_secret) = (text(&mut merged.provider_client_id), text(&mut merged.provider_client_secret));
    let (label, matching) = (text(&mut merged.provider_label), text(&mut merged.provider_match));
    let matching = match matching.as_str() {
        "email" => Matching::Email,
        "subject" => Matching::Subject,
        other => return Err(format!("provider_match must be email or subject, not `{other}`")),
    };
    if issuer.is_empty() {
        return Ok(None);
    }
    check_issuer(&issuer)?;
    for (name, value) in [("provider_client_id", &client_id), ("provider_client_secret", &client_secret)] {
        if value.is_empty() {
            return Err(format!("{name} must be set when provider_issuer is"));
        }
    }
    if label.is_empty() || label.chars().count() > 60 {
        return Err("provider_label must have 1 to 60 characters".to_owned());
    }
    Ok(Some(ProviderSettings { issuer, client_id, client_secret: Secret::new(client_secret), label, matching }))
}

/// An issuer has no query and no fragment (OpenID Connect Discovery 1.0, section 3). Without TLS anybody on the way could
/// sign in as anybody; on this machine there is no way.
fn check_issuer(text: &str) -> Result<(), String> {
    let wrong = || format!("provider_issuer must be an https URL without query and fragment, not `{text}`");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let safe = url.scheme() == "https" || url.scheme() == "http" && spaceport_platform::redirect::is_loopback(&url);
    if plain && safe { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn with(change: impl FnOnce(&mut Source)) -> Result<Option<ProviderSettings>, String> {
        let mut source = Source {
            provider_issuer: Some("https://id.example/tenant".to_owned()),
            provider_client_id: Some("us".to_owned()),
            provider_client_secret: Some("secret".to_owned()),
            ..Source::default()
        };
        change(&mut source);
        Settings::merge(vec![source]).map(|settings| settings.provider)
    }

    #[test]
    fn there_is_none_unless_an_issuer_is_named() {
        assert!(with(|source| source.provider_issuer = None).unwrap().is_none());
        let provider = with(|_| {}).unwrap().unwrap();
        assert_eq!((provider.matching, provider.issuer.as_str()), (Matching::Email, "https://id.example/tenant"));
        assert!(!format!("{provider:?}").contains("secret\""), "{provider:?}");
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for issuer in ["id.example", "http://id.example", "https://id.example/?a=b", "https://id.example/#a", "ftp://x"]
        {
            let refused = with(|source| source.provider_issuer = Some(issuer.to_owned())).unwrap_err();
            assert!(refused.contains("provider_issuer") && refused.contains(issuer), "{refused}");
        }
        assert!(with(|source| source.provider_issuer = Some("http://127.0.0.1:9".to_owned())).is_ok());
        assert!(with(|source| source.provider_client_id = None).unwrap_err().contains("provider_client_id"));
        assert!(with(|source| source.provider_client_secret = None).unwrap_err().contains("provider_client_secret"));
        assert!(with(|source| source.provider_label = Some(String::new())).unwrap_err().contains("provider_label"));
        assert!(with(|source| source.provider_match = Some("name".to_owned())).unwrap_err().contains("provider_match"));
    }
}
