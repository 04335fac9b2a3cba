//! Access to what an application may do in a context: to look, and to change it.

use std::marker::PhantomData;

use spaceport_platform::access::{Decision, Target, decide};
use spaceport_platform::application::Application;
use spaceport_platform::authorization::{Capacity, Family, capacity, decides, deciding_right};
use spaceport_platform::context::Place;
use spaceport_platform::identifier::ApplicationIdentifier;
use spaceport_platform::right::Right;
use spaceport_store::StoreError;

use crate::http::access::{Access, named_application, require_caller};
use crate::http::error::ApiError;
use crate::http::in_context::{self, context_hidden, knows};
use crate::http::request::Request;

/// What somebody wants with an authorization, as a type.
pub trait Purpose: Send + Sync + 'static {
    /// The rule in words.
    const RULE: &'static str;
    /// The rights listed for it.
    const RIGHTS: &'static [&'static str];
    /// Whether looking is enough.
    const LOOKS_ONLY: bool;
}

/// To look at it.
pub struct Looking;
/// To change it.
pub struct Changing;

impl Purpose for Looking {
    const RULE: &'static str = "Applications.View on the application, or deciding about rights where it asked for some";
    const RIGHTS: &'static [&'static str] = &["Applications.View"];
    const LOOKS_ONLY: bool = true;
}

impl Purpose for Changing {
    const RULE: &'static str = "deciding about rights in the context; Applications.Edit to ask and to give up";
    const RIGHTS: &'static [&'static str] = &[];
    const LOOKS_ONLY: bool = false;
}

/// The application in the path, in the context that `contextIdentifier` names.
///
/// Decides: whoever holds `Superadmin` globally, `Project.Admin` in the project, `Channel.Admin` in the channel.
/// He sees an application that he may not view otherwise as soon as it asked for something where he decides.
/// No application decides about itself or its kin ([`Family`]); like others who may edit it, it may ask and give up.
pub struct OnAuthorization<P> {
    /// The application, archived or not.
    pub application: Application,
    /// The context.
    pub place: Place,
    /// In which capacity the caller changes it.
    pub capacity: Capacity,
    /// The row of makers of the application.
    pub family: Family,
    /// The row of makers of the application that calls, if one does.
    pub acting: Option<Family>,
    purpose: PhantomData<P>,
}

impl<P: Purpose> Access for OnAuthorization<P> {
    fn rule() -> String {
        P::RULE.to_owned()
    }

    fn rights() -> Vec<&'static str> {
        P::RIGHTS.to_vec()
    }

    const READS_BODY: bool = true;

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let identifier = ApplicationIdentifier::parse(request.variable("application")?)
            .map_err(|fault| fault.within("application"))?;
        require_caller(&request.caller)?;
        let context = in_context::named(request)?;
        let (asked, named) = (named_application(&request.caller, &identifier)?, context.clone());
        let caller = request.caller.clone();
        let found = request.services.store.read(move |tx| {
            let Some(application) = asked.find(tx)? else { return Ok(None) };
            let place = match tx.place(&named)? {
                Some(place) if knows(tx, &caller, &application, &place)? => Some(place),
                _ => None,
            };
            let has_asked = match &place {
                Some(place) => !tx.authorized_rights(&application.id, place.context())?.is_empty(),
                None => false,
            };
            let family = tx.family(&application.id)?;
            let acting = caller.acting_application().map(|id| tx.family(id)).transpose()?;
            Ok(Some((application, place, has_asked, family, acting)))
        });
        let found = found.await.map_err(|error: StoreError| ApiError::from(error))?;
        // Whoever may not even see an application learns nothing about whether it exists.
        let hidden = || ApiError::not_found(format!("Application {identifier} not found"));
        let (application, place, has_asked, family, acting) = found.ok_or_else(hidden)?;
        let on = Target::Application { id: &application.id, owner: &application.owner };
        let may = |right: &Right| decide(&request.caller, right, on) == Decision::Allowed;
        let deciding = place.as_ref().is_some_and(|place| decides(&request.caller, place));
        let may_see = may(&Right::VIEW_APPLICATIONS) || (deciding && has_asked);
        if !may_see {
            return Err(hidden());
        }
        let place = place.ok_or_else(|| context_hidden(&context))?;
        let edit = decide(&request.caller, &Right::EDIT_APPLICATIONS, on);
        let capacity = match capacity(&request.caller, &place, acting.as_ref(), &family, edit) {
            Some(capacity) => capacity,
            None if P::LOOKS_ONLY => Capacity::Manager,
            None => {
                let needed = deciding_right(place.context());
                return Err(ApiError::denied(format!("The right {needed} is needed here")));
            }
        };
        Ok(Self { application, place, capacity, family, acting, purpose: PhantomData })
    }
}
