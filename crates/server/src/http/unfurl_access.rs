//! Access to the decision which links an application may preview.

use spaceport_platform::application::Application;
use spaceport_store::StoreError;

use crate::http::access::{Access, AuthorizeUnfurls, OnAnyApplication};
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
        OnAnyApplication::<AuthorizeUnfurls>::rule()
    }

    fn rights() -> Vec<&'static str> {
        OnAnyApplication::<AuthorizeUnfurls>::rights()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let application = OnAnyApplication::<AuthorizeUnfurls>::admit(request).await?.application;
        let (caller, id) = (request.caller.clone(), application.id.clone());
        let decides = request.services.store.read(move |tx| decides(tx, &caller, &id)).await;
        match decides.map_err(|error: StoreError| ApiError::from(error))? {
            true => Ok(Self { application }),
            false => Err(ApiError::denied("No application decides which links it may preview itself")),
        }
    }
}
