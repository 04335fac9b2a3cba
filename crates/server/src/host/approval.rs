//! `/api/host/v1/applications/{application}/approvals`: what an application asks for, answered in one step.

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::authorization::MAX_COMMENT;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::Context;
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_store::StoreError;
use spaceport_wire::identifier::PermissionContextIdentifier;
use spaceport_wire::installation::{AnswerApprovals, Approvals, NamedRight, RequestedRight};
use spaceport_wire::right::PermissionIdentifier;

use crate::approval::{Answer, Power, Waiting, answer, waiting};
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

/// Rights that the application asked for and nobody has answered, wherever the caller sees the place.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Approvals>, ApiError> {
    let (id, caller, catalogue) =
        (cx.access.application.id.clone(), cx.caller.clone(), cx.services.catalogue.current());
    let found =
        cx.read(move |tx| waiting(tx, &caller, &id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(out(&catalogue, &found)))
}

fn out(catalogue: &Catalogue, found: &[Waiting]) -> Approvals {
    let right = |one: &Waiting| RequestedRight {
        context_identifier: PermissionContextIdentifier(one.place.context().clone().into()),
        right_code: PermissionIdentifier(one.right.code().to_owned()),
        name: catalogue
            .right(one.right.code())
            .map_or_else(|| one.right.code().to_owned(), |entry| entry.title.clone()),
        may_approve: one.power == Power::Approve,
        may_reject: one.power != Power::None,
    };
    Approvals { rights: found.iter().map(right).collect() }
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
        let found = waiting(tx, &caller, &id)?;
        let mut answers: Vec<(Waiting, Answer)> = Vec::new();
        for (field, named, wanted) in
            [("approve", &body.approve, Answer::Approve), ("reject", &body.reject, Answer::Reject)]
        {
            for (index, right) in named.iter().enumerate() {
                let context = tx.find_context(&right.context_identifier.0)?;
                let one = named_in(&catalogue, &found, right, context.as_ref())
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
        answer(tx, &trail, &news, &id, &answers, body.comment.clone())?;
        let answered = AuditChange::between("approvals", None, Some(&answers.len().to_string()));
        trail.record(tx, AuditTarget::application(&id), answered)?;
        Ok::<_, ApiError>(waiting(tx, &caller, &id)?)
    });
    let left = left.await?;
    cx.services.callers.forget();
    Ok(Json(out(&shown, &left)))
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
