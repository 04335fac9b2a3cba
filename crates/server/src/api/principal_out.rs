//! Who did something, as the API shows it.

use spaceport_platform::access::Principal;
use spaceport_platform::id::ProfileId;
use spaceport_platform::profile::Profile;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::principal::{CPrincipal, CPrincipalDetails};

use crate::api::application_out::{self, Targets};
use crate::api::profile_out::{EmailsShown, profile_out};

/// Principals, in the order given; null where the server itself acted, or where who acted is not known any more.
///
/// # Errors
/// When the database fails.
pub fn principals_out(tx: &mut Tx<'_>, principals: &[Principal]) -> Result<Vec<Option<CPrincipal>>, StoreError> {
    let (mut people, mut applications) = (Vec::<ProfileId>::new(), Vec::new());
    for principal in principals {
        match principal {
            Principal::User(id) if !people.contains(id) => people.push(id.clone()),
            Principal::Application(id) if !applications.contains(id) => applications.push(id.clone()),
            Principal::User(_) | Principal::Application(_) | Principal::Nobody => {}
        }
    }
    let people = tx.profiles(&people)?;
    let mut found = Vec::with_capacity(applications.len());
    for id in &applications {
        found.extend(tx.application(id)?);
    }
    let applications = application_out::out_all(tx, &found, Targets::Read)?;
    let shown = |principal: &Principal| match principal {
        Principal::User(id) => people.iter().find(|profile| profile.id == *id).map(person_out),
        Principal::Application(id) => {
            let application = applications.iter().find(|application| application.id == id.as_str())?;
            let (name, application) = (application.name.clone(), Box::new(application.clone()));
            Some(CPrincipal { name, details: Some(CPrincipalDetails::CApplicationPrincipalDetails { application }) })
        }
        Principal::Nobody => None,
    };
    Ok(principals.iter().map(shown).collect())
}

/// A person as who did something.
pub fn person_out(profile: &Profile) -> CPrincipal {
    let user = Box::new(profile_out(profile, EmailsShown::No));
    CPrincipal { name: profile.username.clone(), details: Some(CPrincipalDetails::CUserPrincipalDetails { user }) }
}
