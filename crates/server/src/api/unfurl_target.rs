//! `…/unfurls/…` and `…/unfurl-…`: which links an application wants to preview, and may.

use std::sync::Arc;

use spaceport_platform::access::Principal;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::unfurl::{self, TargetKind, UnfurlTarget, Wanted};
use spaceport_store::StoreError;
use spaceport_wire::application::{
    ApplicationUnfurlDomain, ApplicationUnfurlPattern, AuthorizeUnfurlDomains, AuthorizeUnfurlPatterns,
    UpdateUnfurlDomains, UpdateUnfurlPatterns,
};
use spaceport_wire::principal::CPrincipal;
use spaceport_wire::scalar::DateTime;

use crate::api::principal_out::principals_out;
use crate::api::right_out::status_out;
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::own_access::OwnApplication;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::http::unfurl_access::DecidingUnfurls;
use crate::unfurl::{answer, ask};

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .patch(
            "/api/http/applications/unfurls/domains",
            "api.unfurl_domain.update",
            "Update unfurled domains",
            update_domains,
        )
        .patch(
            "/api/http/applications/unfurls/patterns",
            "api.unfurl_pattern.update",
            "Update unfurled patterns",
            update_patterns,
        )
        .get(
            "/api/http/applications/{application}/unfurl-domains",
            "api.unfurl_domain.list",
            "Get all unfurl domains",
            domains,
        )
        .get(
            "/api/http/applications/{application}/unfurl-patterns",
            "api.unfurl_pattern.list",
            "Get all unfurl patterns",
            patterns,
        )
        .post(
            "/api/http/applications/{application}/unfurl-domains/authorize",
            "api.unfurl_domain.authorize",
            "Authorize unfurled domains",
            authorize_domains,
        )
        .post(
            "/api/http/applications/{application}/unfurl-patterns/authorize",
            "api.unfurl_pattern.authorize",
            "Authorize unfurled patterns",
            authorize_patterns,
        )
}

/// Says all domains whose links the calling application wants to preview. What was approved stays so.
///
/// # Errors
/// `validation-error` naming the entry.
pub async fn update_domains(
    cx: Cx<OwnApplication<EditApplications>>,
    Body(body): Body<UpdateUnfurlDomains>,
) -> Result<Done, ApiError> {
    let named = body.domains.0.iter().enumerate();
    let wanted = named.map(|(index, domain)| unfurl::domain(&format!("domains[{index}]"), domain));
    let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
    let (id, trail, news) = (cx.access.application.clone(), cx.trail(), cx.news());
    cx.write(move |tx| ask(tx, &trail, &news, &id, (TargetKind::Domain, "domains"), wanted.clone())).await?;
    Ok(Done)
}

/// Says all ids that the calling application knows links for. What was approved stays so, unless its link changed.
///
/// # Errors
/// `validation-error` naming the entry.
pub async fn update_patterns(
    cx: Cx<OwnApplication<EditApplications>>,
    Body(body): Body<UpdateUnfurlPatterns>,
) -> Result<Done, ApiError> {
    let mut wanted = Vec::with_capacity(body.patterns.0.len());
    for (index, pattern) in body.patterns.0.iter().enumerate() {
        let read = unfurl::pattern(&pattern.prefix, &pattern.link_replacement);
        let read = read.map_err(|fault| fault.within(&format!("patterns[{index}]")))?;
        if wanted.iter().any(|known: &Wanted| known.name == read.name && known.link != read.link) {
            let expected = "is named with another linkReplacement before; a prefix stands for one";
            return Err(Invalid::new(format!("patterns[{index}].prefix"), expected).into());
        }
        wanted.push(read);
    }
    let (id, trail, news) = (cx.access.application.clone(), cx.trail(), cx.news());
    cx.write(move |tx| ask(tx, &trail, &news, &id, (TargetKind::Pattern, "patterns"), wanted.clone())).await?;
    Ok(Done)
}

/// Domains whose links the application wants to preview, and whether it may.
///
/// # Errors
/// Those of access.
pub async fn domains(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Vec<ApplicationUnfurlDomain>>, ApiError> {
    let found = targets(&cx, TargetKind::Domain).await?;
    Ok(Json(found.into_iter().map(|(target, author)| domain_out(target, author)).collect()))
}

/// Ids that the application knows links for, and whether it may preview them.
///
/// # Errors
/// Those of access.
pub async fn patterns(
    cx: Cx<OnApplication<ViewApplications>>,
) -> Result<Json<Vec<ApplicationUnfurlPattern>>, ApiError> {
    let found = targets(&cx, TargetKind::Pattern).await?;
    Ok(Json(found.into_iter().map(|(target, author)| pattern_out(target, author)).collect()))
}

/// Targets with who brought their status about.
async fn targets(
    cx: &Cx<OnApplication<ViewApplications>>,
    kind: TargetKind,
) -> Result<Vec<(UnfurlTarget, Option<CPrincipal>)>, ApiError> {
    let (id, caller) = (cx.access.application.id.clone(), Arc::clone(&cx.caller));
    let found = cx.read(move |tx| {
        let targets = tx.unfurl_targets(&id, kind)?;
        let authors: Vec<Principal> = targets.iter().map(|target| target.author.clone()).collect();
        let authors = principals_out(tx, &caller, &authors)?;
        Ok::<_, StoreError>(targets.into_iter().zip(authors).collect())
    });
    found.await.map_err(ApiError::from)
}

/// How a domain looks.
pub fn domain_out(target: UnfurlTarget, author: Option<CPrincipal>) -> ApplicationUnfurlDomain {
    ApplicationUnfurlDomain {
        domain: target.wanted.name,
        status: status_out(target.status),
        modification_author: author,
        modification_timestamp: Some(DateTime(target.modified_at)),
    }
}

/// How a pattern looks.
pub fn pattern_out(target: UnfurlTarget, author: Option<CPrincipal>) -> ApplicationUnfurlPattern {
    ApplicationUnfurlPattern {
        prefix: target.wanted.name,
        link_replacement: target.wanted.link.unwrap_or_default(),
        status: status_out(target.status),
        modification_author: author,
        modification_timestamp: Some(DateTime(target.modified_at)),
    }
}

/// Answers an application about domains.
///
/// # Errors
/// `validation-error` naming the domain that it does not ask for.
pub async fn authorize_domains(
    cx: Cx<DecidingUnfurls>,
    Body(body): Body<AuthorizeUnfurlDomains>,
) -> Result<Done, ApiError> {
    authorize(cx, (TargetKind::Domain, "domains"), body.domains.0, body.approve).await
}

/// Answers an application about patterns.
///
/// # Errors
/// `validation-error` naming the prefix that it does not ask for.
pub async fn authorize_patterns(
    cx: Cx<DecidingUnfurls>,
    Body(body): Body<AuthorizeUnfurlPatterns>,
) -> Result<Done, ApiError> {
    authorize(cx, (TargetKind::Pattern, "patterns"), body.patterns.0, body.approve).await
}

async fn authorize(
    cx: Cx<DecidingUnfurls>,
    kind: (TargetKind, &'static str),
    names: Vec<String>,
    approve: bool,
) -> Result<Done, ApiError> {
    let (id, trail, news) = (cx.access.application.id.clone(), cx.trail(), cx.news());
    cx.write(move |tx| answer(tx, &trail, &news, &id, kind, &names, approve)).await?;
    Ok(Done)
}
