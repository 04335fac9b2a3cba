//! Access to the decision which links an application may preview.

use spaceport_platform::access::{Target, decide};
use spaceport_platform::application::Application;
use spaceport_platform::context::Place;
use spaceport_platform::right::Right;
use spaceport_store::StoreError;

use crate::http::access::{Access, AuthorizeUnfurls, Demand as _, allowed_on, named};
use crate::http::error::ApiError;
use crate::http::request::Request;
use crate::unfurl::decides;

/// The application in the path, for callers who decide which links it may preview: those who hold the right in the
/// whole organization, and no application of its making.
pub struct DecidingUnfurls {
    /// The application, archived or not.
    pub application: Application,
}

impl Access for DecidingUnfurls {
    fn rule() -> String {
        format!("{} globally", AuthorizeUnfurls::CODE)
    }

    fn rights() -> Vec<&'static str> {
        vec![AuthorizeUnfurls::CODE]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let (identifier, found) = named(request).await?;
        let hidden = || ApiError::not_found(format!("Application {identifier} not found"));
        let application = found.ok_or_else(hidden)?;
        // Whoever may not even see an application learns nothing about whether it exists.
        let decision = decide(&request.caller, &Right::AUTHORIZE_UNFURLS, Target::Place(&Place::GLOBAL));
        if let Some(refusal) = ApiError::from_decision(decision, AuthorizeUnfurls::CODE) {
            let seen = allowed_on(&request.caller, &application, &Right::VIEW_APPLICATIONS);
            return Err(if seen { refusal } else { hidden() });
        }
        let (caller, id) = (request.caller.clone(), application.id.clone());
        let decides = request.services.store.read(move |tx| decides(tx, &caller, &id)).await;
        match decides.map_err(|error: StoreError| ApiError::from(error))? {
            true => Ok(Self { application }),
            false => Err(ApiError::denied("No application decides which links it may preview itself")),
        }
    }
}
