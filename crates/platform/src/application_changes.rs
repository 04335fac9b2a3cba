//! What changed about an application, for the audit trail. Secrets are stored elsewhere and never come here.

use crate::application::{Application, VerificationToken};
use crate::audit::AuditChange;
use crate::connection::{ConnectionStatus, FeaturedIntegration};

/// Fields that differ, under the names of the API, with both values; against nothing, every field that has a value.
pub fn changes(old: Option<&Application>, new: &Application) -> Vec<AuditChange> {
    let after = values(new);
    let before = old.map(values);
    let mut found = Vec::new();
    for (index, (field, value)) in after.iter().enumerate() {
        let earlier = before.as_ref().and_then(|before| before.get(index)).and_then(|(_, value)| value.as_deref());
        found.extend(AuditChange::between(field, earlier, value.as_deref()));
    }
    found
}

fn values(application: &Application) -> Vec<(&'static str, Option<String>)> {
    let flows = &application.flows;
    let flag = |flag: bool| Some(flag.to_string());
    let endpoint = application.endpoint.as_ref();
    let connection = application.connection.as_ref();
    let status = connection.and_then(|connection| connection.status).map(ConnectionStatus::name);
    let uninstallation = connection.and_then(|connection| connection.uninstallation);
    vec![
        ("name", Some(application.name.clone())),
        ("clientId", Some(application.client_id.clone())),
        ("description", application.description.clone()),
        ("email", application.email.clone()),
        ("picture", application.picture.as_ref().map(ToString::to_string)),
        ("defaultExternalPicture", application.default_external_picture.clone()),
        ("archived", flag(application.archived_at.is_some())),
        ("clientCredentialsFlowEnabled", flag(flows.client_credentials)),
        ("codeFlowEnabled", flag(flows.code)),
        ("codeFlowRedirectURIs", flows.code_redirect_uris.clone()),
        ("pkceRequired", flag(flows.pkce_required)),
        ("publicClientsAllowed", flag(flows.public_clients_allowed)),
        ("implicitFlowEnabled", flag(flows.implicit)),
        ("implicitFlowRedirectURIs", flows.implicit_redirect_uris.clone()),
        ("endpointUri", endpoint.map(|endpoint| endpoint.url.clone())),
        ("endpointSslVerification", endpoint.and_then(|endpoint| flag(endpoint.ssl_verification))),
        ("appLevelAuth", Some(application.authentication.name().to_owned())),
        ("basicAuthUsername", application.authentication.username().map(str::to_owned)),
        ("hasVerificationToken", flag(application.verification_token == VerificationToken::Sent)),
        ("sslKeystoreAuth", application.ssl_keystore.clone()),
        ("featuredIntegrationType", application.featured_integration.map(FeaturedIntegration::name).map(str::to_owned)),
        ("connectionStatus", status.map(str::to_owned)),
        ("lastSentServerUrl", connection.and_then(|connection| connection.last_sent_server_url.clone())),
        ("uninstallationStatus", uninstallation.map(|uninstallation| uninstallation.status.name().to_owned())),
        ("externalIssueTrackerDomain", application.external_issue_tracker_domain.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Owner;
    use crate::application::{AuthenticationMethod, Endpoint};
    use crate::id::{ApplicationId, ProfileId};
    use crate::time::Timestamp;

    #[test]
    fn only_what_differs_is_a_change() {
        let now = Timestamp::from_millis(1);
        let old = Application::new(ApplicationId::new("a"), "c", "n", Owner::User(ProfileId::new("u")), now);
        assert_eq!(changes(Some(&old), &old), []);
        let mut new = old.clone();
        new.name = "m".to_owned();
        new.endpoint = Some(Endpoint { url: "https://a.example".to_owned(), ssl_verification: true });
        new.authentication = AuthenticationMethod::Basic { username: "u".to_owned() };
        let fields: Vec<_> = changes(Some(&old), &new);
        let names: Vec<_> = fields.iter().map(|change| change.field.as_ref()).collect();
        assert_eq!(names, ["name", "endpointUri", "endpointSslVerification", "appLevelAuth", "basicAuthUsername"]);
        assert_eq!((fields[0].old.as_deref(), fields[0].new.as_deref()), (Some("n"), Some("m")));
        assert!(changes(None, &new).iter().all(|change| change.old.is_none() && change.new.is_some()));
    }
}
