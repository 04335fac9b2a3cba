//! Where and how requests to an application go: its endpoint, the proof that they are ours, the certificate we show.

use std::sync::Arc;

use spaceport_delivery::identity::ClientIdentity;
use spaceport_delivery::outbox::{Authentication, Retries, SslVerification, Target};
use spaceport_delivery::sign::RsaSigner;
use spaceport_delivery::standard::{StandardKeys, StandardPair};
use spaceport_platform::application::{Application, AuthenticationMethod, Endpoint, SecretKind, VerificationToken};
use spaceport_platform::installation;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_store::{PreviousSecret, StoreError, Tx};
use spaceport_wire::application_payload::Recipient;

/// The application itself, beside its webhooks.
///
/// # Errors
/// When the database fails, or holds keys that cannot be used.
pub fn of_application(
    tx: &mut Tx<'_>,
    application: &Application,
    retries: Retries,
    now: Timestamp,
) -> Result<Target, StoreError> {
    let endpoint = application.endpoint.as_ref();
    let owner = application.id.as_str();
    Ok(Target {
        // No endpoint at all: the sender refuses the empty URL, and the attempt says so.
        url: endpoint.map(|endpoint| endpoint.url.clone()).unwrap_or_default(),
        ssl_verification: ssl_verification(endpoint),
        identity: application.ssl_keystore.as_deref().map(|name| identity(tx, name)).transpose()?,
        authentication: authentication(tx, application, owner, &application.authentication, now)?,
        standard: standard(tx, application, owner, &application.authentication, now)?,
        headers: Vec::new(),
        accepted_codes: Vec::new(),
        retries,
        delays: None,
        pace: None,
    })
}

/// For whom payloads of an application are.
///
/// # Errors
/// When the database fails.
pub fn recipient(tx: &mut Tx<'_>, application: &Application) -> Result<Recipient, StoreError> {
    let token = match application.verification_token {
        VerificationToken::Sent => tx.secret(application.id.as_str(), SecretKind::VerificationToken)?,
        VerificationToken::Unused => None,
    };
    let verification_token = token.map(|token| token.reveal().to_owned());
    Ok(Recipient { client_id: application.client_id.clone(), verification_token })
}

/// Whether an endpoint's certificate is checked: unless the application says otherwise.
pub fn ssl_verification(endpoint: Option<&Endpoint>) -> SslVerification {
    match endpoint {
        Some(endpoint) if !endpoint.ssl_verification => SslVerification::Skip,
        _ => SslVerification::Verify,
    }
}

/// How requests prove that they are ours; `owner` is whose secrets are used, the application's or a webhook's.
///
/// # Errors
/// When the database fails, or holds keys that cannot be used.
pub fn authentication(
    tx: &mut Tx<'_>,
    application: &Application,
    owner: &str,
    method: &AuthenticationMethod,
    now: Timestamp,
) -> Result<Authentication, StoreError> {
    let mut secret = |kind| Ok::<_, StoreError>(tx.secret(owner, kind)?.unwrap_or_else(|| Secret::new("")));
    let own = match method {
        AuthenticationMethod::SigningKey => {
            let present = secret(SecretKind::SigningKey)?;
            match tx.previous_secret(owner, SecretKind::SigningKey, now)? {
                Some(PreviousSecret { secret: previous, overlap }) => {
                    Authentication::SigningKeys { present, previous, until: overlap.until }
                }
                None => Authentication::SigningKey(present),
            }
        }
        AuthenticationMethod::Bearer => Authentication::Bearer(secret(SecretKind::BearerToken)?),
        AuthenticationMethod::Basic { username } => {
            Authentication::Basic { username: username.clone(), password: secret(SecretKind::BasicPassword)? }
        }
        AuthenticationMethod::PublicKey => {
            return Ok(signer(tx, application, now)?.map_or(Authentication::None, Authentication::PublicKey));
        }
    };
    if is_signed_for_everybody(application, owner)
        && let Some(signer) = signer(tx, application, now)?
    {
        return Ok(Authentication::WithPublicKey { method: Box::new(own), signer });
    }
    Ok(own)
}

/// Whether requests carry a signature with the public key whatever their method is.
fn is_signed_for_everybody(application: &Application, owner: &str) -> bool {
    installation::signs_for_everybody(application) && owner == application.id.as_str()
}

/// What signs the headers of Standard Webhooks; `owner` is whose signing key is used.
///
/// # Errors
/// When the database fails, or holds keys that cannot be used.
pub fn standard(
    tx: &mut Tx<'_>,
    application: &Application,
    owner: &str,
    method: &AuthenticationMethod,
    now: Timestamp,
) -> Result<StandardKeys, StoreError> {
    let previous = tx.previous_secret(owner, SecretKind::SigningKey, now)?;
    Ok(StandardKeys {
        present: tx.secret(owner, SecretKind::SigningKey)?,
        previous: previous.map(|previous| (previous.secret, previous.overlap.until)),
        pair: match *method == AuthenticationMethod::PublicKey || is_signed_for_everybody(application, owner) {
            true => standard_pair(tx, application, now)?.map(Arc::new),
            false => None,
        },
    })
}

/// The Ed25519 key that belongs to the application's present key.
///
/// # Errors
/// When the database fails, or holds keys that cannot be used.
pub fn standard_pair(
    tx: &mut Tx<'_>,
    application: &Application,
    now: Timestamp,
) -> Result<Option<StandardPair>, StoreError> {
    let Some((_, key)) = tx.signing_private_key(&application.id, now)? else { return Ok(None) };
    StandardPair::derived(&key).map(Some).map_err(|error| StoreError::corrupt(error.to_string()))
}

fn signer(tx: &mut Tx<'_>, application: &Application, now: Timestamp) -> Result<Option<Arc<RsaSigner>>, StoreError> {
    let Some((_, key)) = tx.signing_private_key(&application.id, now)? else { return Ok(None) };
    let signer = RsaSigner::from_pkcs8(&key).map_err(|error| StoreError::corrupt(error.to_string()))?;
    Ok(Some(Arc::new(signer)))
}

/// The certificate of a keystore. A keystore that something names cannot be deleted.
///
/// # Errors
/// When the database fails, or the keystore is gone.
pub fn identity(tx: &mut Tx<'_>, name: &str) -> Result<Arc<ClientIdentity>, StoreError> {
    let gone = || StoreError::corrupt(format!("the keystore {name} is gone"));
    let keystore = tx.keystore(name)?.ok_or_else(gone)?;
    let key = tx.keystore_key(name)?.ok_or_else(gone)?;
    // Another whenever the contents are: connections of the former certificate are not used any more.
    let id = format!("{name} {} {}", keystore.fingerprint, keystore.updated_at.millis());
    let identity = ClientIdentity::new(id, keystore.chain, &key);
    identity.map(Arc::new).map_err(|error| StoreError::corrupt(format!("the keystore {name}: {error}")))
}
