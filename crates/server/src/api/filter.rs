//! What the ids in filters of subscriptions stand for: found when a filter is written, shown when it is read.

use serde::Serialize;
use serde_json::{Value, json};
use spaceport_platform::access::{Caller, Decision, Target, decide};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::filter::{Filter, FilterClass, FilterField, Location, Reference};
use spaceport_platform::id::{ApplicationId, ProfileId, TeamId};
use spaceport_platform::identifier::{ApplicationIdentifier, ProfileIdentifier, ProjectIdentifier};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::right::Right;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::filter::filter_out;

use crate::api::application_out::out;
use crate::api::profile_out::profile_out;
use crate::api::project::{package_repository_out, project_out, team_out};
use crate::http::access::named_application;
use crate::http::directory_access::{emails_shown, sees_project};
use crate::http::error::ApiError;

/// Replaces keys, user names and client ids in filters by the ids of what they name. Ids are taken as they are: events
/// may come before the directory hears of what they are about (decision 0027).
///
/// # Errors
/// Names the filter, within `field`, and its field whose value names nothing that the caller sees.
pub fn resolve(
    tx: &mut Tx<'_>,
    caller: &Caller,
    catalogue: &Catalogue,
    field: &str,
    filters: &mut [Filter],
) -> Result<(), ApiError> {
    for (index, filter) in filters.iter_mut().enumerate() {
        let Some(class) = catalogue.filter_class(&filter.class) else { continue };
        for (name, values) in &mut filter.fields {
            let described = class.fields.iter().find(|described| described.name == *name);
            let Some(reference) = described.and_then(|described| described.reference) else { continue };
            for value in values.iter_mut() {
                let place = || format!("{field}[{index}].{name}");
                let named = |fault: Invalid| fault.within(&place());
                match id_of(tx, caller, reference, value, &named)? {
                    Some(id) => *value = id,
                    None => return Err(Invalid::new(place(), format!("names `{value}`, which does not exist")).into()),
                }
            }
        }
    }
    Ok(())
}

fn id_of(
    tx: &mut Tx<'_>,
    caller: &Caller,
    reference: Reference,
    value: &str,
    within: &dyn Fn(Invalid) -> Invalid,
) -> Result<Option<String>, ApiError> {
    let known = Some(value.to_owned());
    match reference {
        Reference::Project if value.starts_with("key:") => {
            let identifier = ProjectIdentifier::parse(value).map_err(within)?;
            let found = tx.find_project(&identifier)?.filter(|project| sees_project(caller, project));
            Ok(found.map(|project| project.id))
        }
        Reference::Profile if value.contains(':') => {
            let identifier = ProfileIdentifier::parse(value).map_err(within)?;
            let found = match tx.find_profile(&identifier, &caller.principal)? {
                Some(profile) if sees_people(caller) || caller.user() == Some(&profile.id) => Some(profile),
                _ => None,
            };
            Ok(found.map(|profile| profile.id.to_string()))
        }
        Reference::Application if value == "me" || value.starts_with("clientId:") => {
            let identifier = ApplicationIdentifier::parse(value).map_err(within)?;
            let found = named_application(caller, &identifier)?.find(tx)?;
            Ok(found.filter(|application| sees_application(caller, application)).map(|found| found.id.to_string()))
        }
        _ => Ok(known),
    }
}

fn sees_people(caller: &Caller) -> bool {
    [Right::VIEW_PROFILES, Right::VIEW_PROFILE_BASICS].iter().any(|right| caller.holds(right, &Place::GLOBAL))
}

fn sees_application(caller: &Caller, application: &spaceport_platform::application::Application) -> bool {
    let target = Target::Application { id: &application.id, owner: &application.owner };
    decide(caller, &Right::VIEW_APPLICATIONS, target) == Decision::Allowed
}

/// Filters with what their ids stand for; with the bare id where the caller may not see it, or where nothing is known.
///
/// # Errors
/// When the database fails.
pub fn shown(
    tx: &mut Tx<'_>,
    caller: &Caller,
    catalogue: &Catalogue,
    filters: &[Filter],
) -> Result<Vec<serde_json::Map<String, Value>>, StoreError> {
    let mut failed = None;
    let mut object = |field: &FilterField, id: &str| {
        let found = field.reference.map_or(Ok(None), |reference| object(tx, caller, reference, id));
        let found = found.unwrap_or_else(|fault| {
            failed = Some(fault);
            None
        });
        found.unwrap_or_else(|| json!({ "id": id }))
    };
    let shown = filters.iter().map(|filter| filter_out(filter, catalogue, &mut object)).collect();
    failed.map_or(Ok(shown), Err)
}

fn object(tx: &mut Tx<'_>, caller: &Caller, reference: Reference, id: &str) -> Result<Option<Value>, StoreError> {
    Ok(match reference {
        Reference::Project => {
            let found = tx.find_project(&ProjectIdentifier::Id(id.to_owned()))?;
            found.filter(|project| sees_project(caller, project)).and_then(|project| value(&project_out(&project)))
        }
        Reference::Profile => {
            let id = ProfileId::new(id);
            let seen = sees_people(caller) || caller.user() == Some(&id);
            let found = if seen { tx.profiles(&[id])?.pop() } else { None };
            found.and_then(|profile| value(&profile_out(&profile, emails_shown(caller, Some(&profile.id)))))
        }
        Reference::Team if caller.holds(&Right::VIEW_TEAMS, &Place::GLOBAL) => {
            tx.teams(&[TeamId::new(id)])?.pop().and_then(|team| value(&team_out(&team)))
        }
        Reference::Application => {
            let found = tx.application(&ApplicationId::new(id))?;
            match found.filter(|application| sees_application(caller, application)) {
                Some(application) => value(&out::<StoreError>(tx, caller, &application)?),
                None => None,
            }
        }
        Reference::PackageRepository => match tx.package_repository(id)? {
            Some(repository) => {
                let project = tx.find_project(&ProjectIdentifier::Id(repository.project.clone()))?;
                let project = project.filter(|project| sees_project(caller, project));
                project.and_then(|project| value(&package_repository_out(&repository, &project)))
            }
            None => None,
        },
        Reference::Team | Reference::Other => None,
    })
}

fn value(shown: &impl Serialize) -> Option<Value> {
    serde_json::to_value(shown).ok()
}

/// Where the events happen that filters let pass; the organization, when one of them names no place.
///
/// # Errors
/// When the database fails.
pub fn places(tx: &mut Tx<'_>, catalogue: &Catalogue, filters: &[Filter]) -> Result<Vec<Place>, StoreError> {
    let mut places: Vec<Place> = Vec::new();
    for filter in filters {
        let contexts = catalogue.filter_class(&filter.class).map(|class| contexts(filter, class)).unwrap_or_default();
        if contexts.is_empty() {
            return Ok(vec![Place::GLOBAL]);
        }
        for context in contexts {
            let place = tx.place_of(context)?;
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if places.is_empty() {
        places.push(Place::GLOBAL);
    }
    Ok(places)
}

/// The narrowest contexts that a filter names.
fn contexts(filter: &Filter, class: &FilterClass) -> Vec<Context> {
    type MadeOf = fn(String) -> Context;
    let made: [(Location, MadeOf); 3] = [
        (Location::PackageRepository, Context::PackageRepository),
        (Location::Channel, Context::Channel),
        (Location::Project, Context::Project),
    ];
    for (location, context) in made {
        let named =
            class.fields.iter().find(|field| field.at.contains(&location) && filter.fields.contains_key(&field.name));
        if let Some(values) = named.and_then(|field| filter.fields.get(&field.name)) {
            return values.iter().cloned().map(context).collect();
        }
    }
    Vec::new()
}
