//! Who did something, as the API shows it.

use spaceport_platform::access::{Caller, Principal};
use spaceport_platform::id::ProfileId;
use spaceport_platform::profile::Profile;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::principal::{CPrincipal, CPrincipalDetails};

use crate::api::application_out::references;
use crate::api::profile_out::profile_out;
use crate::http::directory_access::emails_shown;

/// Principals as this caller sees them, in the order given; null where the server itself acted, or where who acted is not known any more.
///
/// # Errors
/// When the database fails.
pub fn principals_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    principals: &[Principal],
) -> Result<Vec<Option<CPrincipal>>, StoreError> {
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
    let applications = references(tx, caller, &found)?;
    let shown = |principal: &Principal| match principal {
        Principal::User(id) => {
            people.iter().find(|profile| profile.id == *id).map(|profile| person_out(caller, profile))
        }
        Principal::Application(id) => {
            let (_, name, application) = applications.iter().find(|(known, _, _)| known == id)?.clone();
            Some(CPrincipal { name, details: Some(CPrincipalDetails::CApplicationPrincipalDetails { application }) })
        }
        Principal::Nobody => None,
    };
    Ok(principals.iter().map(shown).collect())
}

fn person_out(caller: &Caller, profile: &Profile) -> CPrincipal {
    let user = Box::new(profile_out(profile, emails_shown(caller, Some(&profile.id))));
    CPrincipal { name: profile.username.clone(), details: Some(CPrincipalDetails::CUserPrincipalDetails { user }) }
}
