//! `/api/host/v1/applications/{application}/approvals`: what an application asks for, answered in one step.

use spaceport_platform::authorization::MAX_COMMENT;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::Context;
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::unfurl::{TargetKind, UnfurlTarget};
use spaceport_store::StoreError;
use spaceport_wire::identifier::PermissionContextIdentifier;
use spaceport_wire::installation::{
    AnswerApprovals, Approvals, NamedRight, RequestedRight, RequestedUnfurlDomain, RequestedUnfurlPattern,
};
use spaceport_wire::right::PermissionIdentifier;

use crate::approval::{self, Answer, Answers, Asked, Power, TargetAnswer, Waiting};
use crate::http::access::{Cx, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const APPROVALS: &str = "/api/host/v1/applications/{application}/approvals";
    routes.get(APPROVALS, "host.application.approvals.get", "List what an application asks for", list).post(
        APPROVALS,
        "host.application.approvals.answer",
        "Answer what an application asks for",
        respond,
    )
}

/// What the application asked for and nobody has answered: rights, wherever the caller sees the place, and previews of links.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Approvals>, ApiError> {
    let (id, caller, catalogue) =
        (cx.access.application.id.clone(), cx.caller.clone(), cx.services.catalogue.current());
    let found = cx.read(move |tx| Asked::of(tx, &caller, &id)).await;
    Ok(Json(out(&catalogue, found.map_err(|error: StoreError| ApiError::from(error))?)))
}

fn out(catalogue: &Catalogue, found: Asked) -> Approvals {
    let right = |one: &Waiting| RequestedRight {
        context_identifier: PermissionContextIdentifier(one.place.context().clone().into()),
        right_code: PermissionIdentifier(one.right.code().to_owned()),
        name: catalogue
            .right(one.right.code())
            .map_or_else(|| one.right.code().to_owned(), |entry| entry.title.clone()),
        may_approve: one.power == Power::Approve,
        may_reject: one.power != Power::None,
    };
    let may_answer = found.decides_unfurls;
    let domain = |target: UnfurlTarget| RequestedUnfurlDomain { domain: target.wanted.name, may_answer };
    let pattern = |target: UnfurlTarget| RequestedUnfurlPattern {
        prefix: target.wanted.name,
        link_replacement: target.wanted.link.unwrap_or_default(),
        may_answer,
    };
    Approvals {
        rights: found.rights.iter().map(right).collect(),
        unfurl_domains: found.domains.into_iter().map(domain).collect(),
        unfurl_patterns: found.patterns.into_iter().map(pattern).collect(),
    }
}

/// Approves everything, or what is named, and rejects what is named, in one step. What is not named goes on to wait.
/// `approveAll` leaves out what the caller may not approve.
///
/// # Errors
/// `validation-error` for a right that does not wait; `permission-denied` for an answer that the caller may not give.
pub async fn respond(
    cx: Cx<OnApplication<ViewApplications>>,
    Body(body): Body<AnswerApprovals>,
) -> Result<Json<Approvals>, ApiError> {
    let (id, caller, catalogue) =
        (cx.access.application.id.clone(), cx.caller.clone(), cx.services.catalogue.current());
    if let Some(comment) = &body.comment {
        text_length("comment", comment, 0, MAX_COMMENT)?;
    }
    let (trail, news, shown) = (cx.trail(), cx.news(), catalogue.clone());
    let left = cx.write(move |tx| {
        let all = Asked::of(tx, &caller, &id)?;
        let found = &all.rights;
        let mut answers: Vec<(Waiting, Answer)> = Vec::new();
        for (field, named, wanted) in
            [("approve", &body.approve, Answer::Approve), ("reject", &body.reject, Answer::Reject)]
        {
            for (index, right) in named.iter().enumerate() {
                let context = tx.find_context(&right.context_identifier.0)?;
                let one = named_in(&catalogue, found, right, context.as_ref())
                    .map_err(|fault| fault.within(&format!("{field}[{index}]")))?;
                let known = answers.iter().any(|(answered, _)| same(answered, one));
                if known {
                    return Err(Invalid::new(format!("{field}[{index}]"), "is answered twice").into());
                }
                answers.push((one.clone(), wanted));
            }
        }
        if body.approve_all {
            let others = found.iter().filter(|one| one.power == Power::Approve);
            let others: Vec<_> =
                others.filter(|one| !answers.iter().any(|(known, _)| same(known, one))).cloned().collect();
            answers.extend(others.into_iter().map(|one| (one, Answer::Approve)));
        }
        let answers = Answers { rights: answers, targets: target_answers(&all, &body)?, comment: body.comment.clone() };
        approval::respond(tx, &trail, &news, (&id, &all), &answers)?;
        Ok::<_, ApiError>(Asked::of(tx, &caller, &id)?)
    });
    let left = left.await?;
    cx.services.callers.forget();
    Ok(Json(out(&shown, left)))
}

/// What is answered about link previews.
fn target_answers(asked: &Asked, body: &AnswerApprovals) -> Result<Vec<TargetAnswer>, Invalid> {
    let mut answers = Vec::new();
    let kinds = [
        (
            TargetKind::Domain,
            &asked.domains,
            ("approveUnfurlDomains", &body.approve_unfurl_domains),
            ("rejectUnfurlDomains", &body.reject_unfurl_domains),
        ),
        (
            TargetKind::Pattern,
            &asked.patterns,
            ("approveUnfurlPatterns", &body.approve_unfurl_patterns),
            ("rejectUnfurlPatterns", &body.reject_unfurl_patterns),
        ),
    ];
    for (kind, waiting, (approves, approved), (rejects, rejected)) in kinds {
        if let Some(both) = approved.iter().find(|name| rejected.contains(name)) {
            return Err(Invalid::new(rejects, format!("answers {both} twice")));
        }
        let mut yes = approved.clone();
        if body.approve_all && asked.decides_unfurls {
            let names = waiting.iter().map(|target| target.wanted.name.clone());
            yes.extend(names.filter(|name| !approved.contains(name) && !rejected.contains(name)));
        }
        answers.push(TargetAnswer { kind, names: yes, answer: Answer::Approve, field: approves });
        answers.push(TargetAnswer { kind, names: rejected.clone(), answer: Answer::Reject, field: rejects });
    }
    Ok(answers)
}

fn same(one: &Waiting, other: &Waiting) -> bool {
    one.place.context() == other.place.context() && one.right == other.right
}

/// The request that a caller named.
fn named_in<'a>(
    catalogue: &Catalogue,
    found: &'a [Waiting],
    named: &NamedRight,
    context: Option<&Context>,
) -> Result<&'a Waiting, Invalid> {
    let right = catalogue.named_right(&named.right_code.0).map_err(|fault| fault.within("rightCode"))?;
    let here = |one: &&Waiting| one.right == right && Some(one.place.context()) == context;
    let unknown = || Invalid::new("", format!("names {right}, for which the application does not ask there"));
    found.iter().find(here).ok_or_else(unknown)
}
