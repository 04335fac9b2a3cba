//! Access rules: the first parameter of each handler says who may call, and opens the store.

use std::marker::PhantomData;
use std::sync::Arc;

use spaceport_platform::access::{Caller, Decision, Target, decide};
use spaceport_platform::application::Application;
use spaceport_platform::context::Place;
use spaceport_platform::identifier::ApplicationIdentifier;
use spaceport_platform::lifecycle::{Part, is_open_to};
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::http::error::ApiError;
use crate::http::fields::NamedFields;
use crate::http::news::News;
use crate::http::request::Request;
use crate::http::trail::Trail;
use crate::services::Services;

/// An admitted request: the only way to a transaction.
pub struct Cx<A> {
    /// What the access rule found, such as the application in question.
    pub access: A,
    /// Who calls.
    pub caller: Arc<Caller>,
    pub(crate) trail: Trail,
    pub(crate) news: News,
    /// What `$fields` names.
    pub(crate) fields: NamedFields,
    pub(crate) services: Services,
}

impl<A> Cx<A> {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// What writes the audit trail of this request, to be used in the transaction that makes the change.
    pub fn trail(&self) -> Trail {
        self.trail.clone()
    }

    /// What tells applications of a change, to be used in the transaction that makes it.
    pub fn news(&self) -> News {
        self.news.clone()
    }

    /// Runs `work` in one transaction that commits when it returns `Ok`. No network I/O inside.
    ///
    /// # Errors
    /// What `work` refused with, or that the database failed.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        let done = self.services.store.write(work).await;
        if done.is_ok() {
            self.news.wake();
        }
        done
    }

    /// Runs `work` on a reading connection.
    ///
    /// # Errors
    /// What `work` refused with, or that the database failed.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        self.services.store.read(work).await
    }
}

/// Who may call an operation.
pub trait Access: Sized + Send + 'static {
    /// The rule in words, for `contract/access.txt` and the OpenAPI document.
    fn rule() -> String;

    /// Codes of the rights the rule asks for.
    fn rights() -> Vec<&'static str>;

    /// Whether it looks at who calls. Where it does not, the `Authorization` header is not read.
    const READS_CALLER: bool = true;

    /// Whether it looks into the body, which is read before it then, for callers who signed in.
    const READS_BODY: bool = false;

    /// Finds what the request is about and decides.
    fn admit(request: &Request) -> impl Future<Output = Result<Self, ApiError>> + Send;
}

/// A right as a type, so that an access rule can name it.
pub trait Demand: Send + Sync + 'static {
    /// The right.
    const RIGHT: Right;
    /// Its code.
    const CODE: &'static str;
    /// What of an application it opens. Of a connected application, settings and secrets are its own: an operation
    /// that touches neither says so by a demand of its own, so that none is open by oversight.
    const PART: Part = Part::Life;
}

/// View applications.
pub struct ViewApplications;
/// Create applications.
pub struct CreateApplications;
/// Change applications.
pub struct EditApplications;
/// Change how applications fare, and no setting of theirs: also of connected ones.
pub struct LookAfterApplications;
/// Delete applications.
pub struct DeleteApplications;
/// Read secrets of applications.
pub struct ViewApplicationSecrets;
/// Read when and how secrets of applications are used, and none of them: also of connected ones.
pub struct WatchApplicationSecrets;
/// Decide which links applications preview.
pub struct AuthorizeUnfurls;
/// Add rights to the catalogue.
pub struct ManageCatalogue;
/// Ask who holds which rights.
pub struct CheckRights;
/// Publish events.
pub struct PublishEvents;
/// Everything: administrators.
pub struct Administer;
/// Feed the directory.
pub struct ManageDirectory;
/// Hand users over to the pages.
pub struct CreateSessions;

impl Demand for ViewApplications {
    const RIGHT: Right = Right::VIEW_APPLICATIONS;
    const CODE: &'static str = "Applications.View";
}
impl Demand for CreateApplications {
    const RIGHT: Right = Right::CREATE_APPLICATIONS;
    const CODE: &'static str = "Applications.Create";
}
impl Demand for EditApplications {
    const RIGHT: Right = Right::EDIT_APPLICATIONS;
    const CODE: &'static str = "Applications.Edit";
    const PART: Part = Part::Settings;
}
impl Demand for LookAfterApplications {
    const RIGHT: Right = Right::EDIT_APPLICATIONS;
    const CODE: &'static str = "Applications.Edit";
}
impl Demand for DeleteApplications {
    const RIGHT: Right = Right::DELETE_APPLICATIONS;
    const CODE: &'static str = "Applications.Delete";
}
impl Demand for ViewApplicationSecrets {
    const RIGHT: Right = Right::VIEW_APPLICATION_SECRETS;
    const CODE: &'static str = "Applications.ViewSecrets";
    const PART: Part = Part::Secrets;
}
impl Demand for WatchApplicationSecrets {
    const RIGHT: Right = Right::VIEW_APPLICATION_SECRETS;
    const CODE: &'static str = "Applications.ViewSecrets";
}
impl Demand for Administer {
    const RIGHT: Right = Right::SUPERADMIN;
    const CODE: &'static str = "Superadmin";
}
impl Demand for AuthorizeUnfurls {
    const RIGHT: Right = Right::AUTHORIZE_UNFURLS;
    const CODE: &'static str = "Unfurl.App.Authorize";
}
impl Demand for ManageCatalogue {
    const RIGHT: Right = Right::MANAGE_CATALOGUE;
    const CODE: &'static str = "Host.ManageCatalogue";
}
impl Demand for CheckRights {
    const RIGHT: Right = Right::CHECK_RIGHTS;
    const CODE: &'static str = "Host.CheckRights";
}
impl Demand for ManageDirectory {
    const RIGHT: Right = Right::MANAGE_DIRECTORY;
    const CODE: &'static str = "Host.ManageDirectory";
}
impl Demand for CreateSessions {
    const RIGHT: Right = Right::CREATE_SESSIONS;
    const CODE: &'static str = "Host.CreateSessions";
}
impl Demand for PublishEvents {
    const RIGHT: Right = Right::PUBLISH_EVENTS;
    const CODE: &'static str = "Host.PublishEvents";
}

/// The application in the path, for callers who hold `R` on it. What `R` opens of a connected application may be its own
/// ([`Demand::PART`]).
pub struct OnApplication<R> {
    /// The application, archived or not.
    pub application: Application,
    right: PhantomData<R>,
}

impl<R: Demand> Access for OnApplication<R> {
    fn rule() -> String {
        match R::PART {
            Part::Life => format!("{} on the application", R::CODE),
            Part::Settings => format!("{} on the application; on a connected one itself alone", R::CODE),
            Part::Secrets => format!("{} on the application; on a connected one itself and its maker", R::CODE),
        }
    }

    fn rights() -> Vec<&'static str> {
        vec![R::CODE]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let (identifier, found) = named(request).await?;
        // Whoever may not even see an application learns nothing about whether it exists.
        let hidden = || ApiError::not_found(format!("Application {identifier} not found"));
        let application = found.ok_or_else(hidden)?;
        let decision = decide_on(&request.caller, &application, &R::RIGHT);
        let seen =
            decision == Decision::Allowed || allowed_on(&request.caller, &application, &Right::VIEW_APPLICATIONS);
        match ApiError::from_decision(decision, R::CODE) {
            Some(_) if !seen => Err(hidden()),
            Some(refusal) => Err(refusal),
            None if is_open_to(&request.caller, &application, R::PART) => Ok(Self { application, right: PhantomData }),
            None => Err(ApiError::denied(match R::PART {
                Part::Secrets => "Secrets of a connected application are shown to itself alone",
                Part::Settings | Part::Life => "Settings of a connected application are changed by itself alone",
            })),
        }
    }
}

fn decide_on(caller: &Caller, application: &Application, right: &Right) -> Decision {
    decide(caller, right, Target::Application { id: &application.id, owner: &application.owner })
}

/// Whether a caller holds a right on an application.
pub(crate) fn allowed_on(caller: &Caller, application: &Application, right: &Right) -> bool {
    decide_on(caller, application, right) == Decision::Allowed
}

/// Whether anybody signed in at all.
///
/// # Errors
/// `401` when nobody did.
pub(crate) fn require_caller(caller: &Caller) -> Result<(), ApiError> {
    let anybody = decide(caller, &Right::VIEW_APPLICATIONS, Target::Place(&Place::GLOBAL));
    match anybody {
        Decision::Unauthenticated => ApiError::from_decision(anybody, "").map_or(Ok(()), Err),
        _ => Ok(()),
    }
}

/// The application in the path, as named and as found, whoever calls.
///
/// # Errors
/// `401` when nobody signed in, `400` for what names no application.
pub(crate) async fn named(request: &Request) -> Result<(ApplicationIdentifier, Option<Application>), ApiError> {
    let named = request.variable("application")?;
    let identifier = ApplicationIdentifier::parse(named).map_err(|fault| fault.within("application"))?;
    require_caller(&request.caller)?;
    let asked = named_application(&request.caller, &identifier)?;
    let found = request.services.store.read(move |tx| asked.find(tx)).await;
    Ok((identifier, found.map_err(|error: StoreError| ApiError::from(error))?))
}

/// An application named in a request, with `me` replaced by who that is.
#[derive(Clone)]
pub(crate) struct NamedApplication(ApplicationIdentifier);

impl NamedApplication {
    /// The application, archived or not.
    pub(crate) fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Application>, StoreError> {
        match &self.0 {
            ApplicationIdentifier::Id(id) => tx.application(id),
            ApplicationIdentifier::ClientId(client_id) => tx.application_by_client_id(client_id),
            ApplicationIdentifier::Me => Ok(None),
        }
    }
}

/// Whom an identifier names: `me` is the application that calls, for itself or for a user.
///
/// # Errors
/// `validation-error` for `me` when no application calls.
pub(crate) fn named_application(
    caller: &Caller,
    identifier: &ApplicationIdentifier,
) -> Result<NamedApplication, ApiError> {
    match (identifier, caller.acting_application()) {
        (ApplicationIdentifier::Me, Some(id)) => Ok(NamedApplication(ApplicationIdentifier::Id(id.clone()))),
        (ApplicationIdentifier::Me, None) => {
            Err(ApiError::validation("application `me` works only for calls made by applications"))
        }
        (other, _) => Ok(NamedApplication(other.clone())),
    }
}

/// Callers who hold `R` in the whole organization.
pub struct Holding<R>(PhantomData<R>);

impl<R: Demand> Access for Holding<R> {
    fn rule() -> String {
        format!("{} globally", R::CODE)
    }

    fn rights() -> Vec<&'static str> {
        vec![R::CODE]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let decision = decide(&request.caller, &R::RIGHT, Target::Place(&Place::GLOBAL));
        match ApiError::from_decision(decision, R::CODE) {
            Some(refusal) => Err(refusal),
            None => Ok(Self(PhantomData)),
        }
    }
}

/// The application in the path, for callers who hold `R` in the whole organization: owning an application does not count.
pub struct OnAnyApplication<R> {
    /// The application, archived or not.
    pub application: Application,
    right: PhantomData<R>,
}

impl<R: Demand> Access for OnAnyApplication<R> {
    fn rule() -> String {
        Holding::<R>::rule()
    }

    fn rights() -> Vec<&'static str> {
        Holding::<R>::rights()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let (identifier, found) = named(request).await?;
        let hidden = || ApiError::not_found(format!("Application {identifier} not found"));
        let application = found.ok_or_else(hidden)?;
        // Whoever may not even see an application learns nothing about whether it exists.
        match Holding::<R>::admit(request).await {
            Ok(_) => Ok(Self { application, right: PhantomData }),
            Err(refusal) if allowed_on(&request.caller, &application, &Right::VIEW_APPLICATIONS) => Err(refusal),
            Err(_) => Err(hidden()),
        }
    }
}

/// Whoever signed in, person or application.
pub struct Authenticated;

impl Access for Authenticated {
    fn rule() -> String {
        "any signed-in caller".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        Vec::new()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        require_caller(&request.caller).map(|()| Self)
    }
}

/// Everybody, signed in or not.
pub struct Anyone;

impl Access for Anyone {
    fn rule() -> String {
        "anyone".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        Vec::new()
    }

    // A bad `Authorization` header is no reason to refuse what everybody may have; some clients send one
    // where none is needed (wire-protocol 1.9).
    const READS_CALLER: bool = false;

    async fn admit(_: &Request) -> Result<Self, ApiError> {
        Ok(Self)
    }
}
