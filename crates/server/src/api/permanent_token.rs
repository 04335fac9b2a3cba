//! `/api/http/applications/{application}/permanent-tokens`: tokens that live until they are revoked.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::{Credential, Principal};
use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::id::{ApplicationId, Id, TokenId};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Timestamp;
use spaceport_platform::token::{MOST, check_end, check_name, check_within};
use spaceport_store::{NewToken, StoreError, StoredToken, TokenStart, Tx};
use spaceport_wire::batch::{Batch, Pair};
use spaceport_wire::scalar::Patch;
use spaceport_wire::token::{CreatePermanentToken, PermanentToken, UpdatePermanentToken};

use crate::api::page::{Cursor, Page, Start, page_size};
use crate::api::permanent_token_out::out_all;
use crate::http::access::{Cx, EditApplications, LookAfterApplications, OnApplication, WatchApplicationSecrets};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::own_access::CurrentToken;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::oauth::permanent;

/// What the list is ordered by, as cursors name it.
const ORDER: &str = "t";

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const TOKENS: &str = "/api/http/applications/{application}/permanent-tokens";
    const TOKEN: &str = "/api/http/applications/{application}/permanent-tokens/{tokenId}";
    const CURRENT: &str = "/api/http/applications/{application}/permanent-tokens/current";
    routes
        .post(TOKENS, "api.permanent_token.create", "Create permanent token", create)
        .get(TOKENS, "api.permanent_token.list", "Get all permanent tokens", list)
        .patch(TOKEN, "api.permanent_token.update", "Update permanent token", update)
        .delete(TOKEN, "api.permanent_token.delete", "Delete permanent token", delete)
        .delete(CURRENT, "api.permanent_token.delete_current", "Delete current permanent token", delete_current)
}

/// A permanent token, by id.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Id of the token.
    token_id: String,
}

/// Makes a token; its text is in the answer and nowhere else.
///
/// # Errors
/// `validation-error` naming the argument, or that there are too many.
pub async fn create(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<CreatePermanentToken>,
) -> Result<Json<Pair<PermanentToken, String>>, ApiError> {
    let application = cx.access.application.clone();
    let (now, trail, catalogue) = (cx.now(), cx.trail(), cx.services.catalogue.current());
    let name = body.name.trim().to_owned();
    check_name(&name)?;
    let scope = read_scope(&body.scope, &catalogue)?;
    let expires_at = body.expires.map(|time| time.0);
    check_end(expires_at, now)?;
    let text = permanent::make(cx.services.random.as_ref());
    let token = NewToken {
        hash: token_hash(&text),
        id: Id::generate(now, cx.services.random.as_ref()),
        name,
        scope: scope.to_string(),
        created_at: now,
        expires_at,
    };
    let (limit, caller) = (own_limit(&cx, &application.id), Arc::clone(&cx.caller));
    let first = cx
        .write(move |tx| {
            // Read again and held: no token is given to an application that is archived at this moment, and of
            // many new ones at once none slips past the limit.
            let application = active(tx, &application.id)?;
            within_own(tx, limit.as_ref(), &scope)?;
            let principal = Principal::Application(application.id.clone());
            let (_, total) = tx.tokens_of(&principal, &TokenStart::Offset(0), 0)?;
            if total >= MOST {
                return Err(ApiError::validation(format!(
                    "The application has {MOST} permanent tokens; delete some first"
                )));
            }
            tx.insert_token(&token, &principal)?;
            let ends = token.expires_at.map(|time| time.to_string());
            let changes = [
                AuditChange::between("name", None, Some(&token.name)),
                AuditChange::between("scope", None, Some(&token.scope)),
                AuditChange::between("expires", None, ends.as_deref()),
                Some(AuditChange::secret("token")),
            ];
            trail.record(tx, target(&application.id, &token.id), changes.into_iter().flatten())?;
            let Some(stored) = tx.token(&token.id)? else { return Err(ApiError::internal("a new token vanished")) };
            let mut shown = out_all(tx, &caller, &application, &catalogue, vec![stored])?;
            shown.pop().ok_or_else(|| ApiError::internal("a new token vanished"))
        })
        .await?;
    Ok(Json(Pair { first, second: text }))
}

/// Paging of the list.
#[derive(Deserialize, JsonSchema)]
pub struct Paging {
    /// `next` of the page before.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top", default = "page_size")]
    top: Option<i32>,
}

/// Tokens that are not revoked, expired ones too, the oldest first.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<OnApplication<WatchApplicationSecrets>>,
    Query(paging): Query<Paging>,
) -> Result<Json<Batch<PermanentToken>>, ApiError> {
    let page = Page::walked(paging.skip.as_deref(), paging.top.map(i64::from))?;
    let start = match (page.cursor(ORDER)?, &page.start) {
        (Some(cursor), _) => TokenStart::After(TokenId::new(cursor.id.as_str())),
        (None, Start::Offset(offset)) => TokenStart::Offset(*offset),
        (None, Start::After(_)) => TokenStart::Offset(0),
    };
    let (application, catalogue, limit) = (cx.access.application.clone(), cx.services.catalogue.current(), page.limit);
    // Looked at before the database: what is stored meanwhile is found there.
    let waiting: HashMap<TokenId, AccessRecord> = cx.services.token_uses.waiting().into_iter().collect();
    let caller = Arc::clone(&cx.caller);
    let (data, total) = cx
        .read(move |tx| {
            let (mut tokens, total) = tx.tokens_of(&Principal::Application(application.id.clone()), &start, limit)?;
            for token in &mut tokens {
                if let Some(waiting) = waiting.get(&token.id)
                    && token.last_access.as_ref().is_none_or(|stored| stored.at <= waiting.at)
                {
                    token.last_access = Some(waiting.clone());
                }
            }
            Ok::<_, StoreError>((out_all(tx, &caller, &application, &catalogue, tokens)?, total))
        })
        .await
        .map_err(ApiError::from)?;
    let last = data.last().map(|token| Cursor {
        order: ORDER.to_owned(),
        began: cx.now(),
        key: String::new(),
        id: token.id.clone(),
    });
    Ok(Json(page.batch_after(data, total, last.as_ref())))
}

/// Changes name, scope and end of a token; the text stays.
///
/// # Errors
/// `not-found` for a token of somebody else; `validation-error` naming the argument.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Path(named): Path<Named>,
    Body(body): Body<UpdatePermanentToken>,
) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    let name = body.name.map(|name| name.trim().to_owned());
    if let Some(name) = &name {
        check_name(name)?;
    }
    let scope = body.scope.as_deref().map(|text| read_scope(text, &cx.services.catalogue.current())).transpose()?;
    if let Patch::Value(end) = &body.expires {
        check_end(Some(end.0), now)?;
    }
    let limit = own_limit(&cx, &application);
    cx.write(move |tx| {
        active(tx, &application)?;
        let token = find(tx, &application, &named.token_id)?;
        if token.expires_at.is_some_and(|end| end <= now) {
            return Err(ApiError::validation("The token has expired; make a new one"));
        }
        let stays = Scope::parse(&token.scope).unwrap_or(Scope::Elements(Vec::new()));
        // Also where the scope stays: a narrow token must not prolong a wide one.
        within_own(tx, limit.as_ref(), &stays)?;
        let new_scope = scope.as_ref().unwrap_or(&stays);
        within_own(tx, limit.as_ref(), new_scope)?;
        let new_scope = scope.as_ref().map_or_else(|| token.scope.clone(), ToString::to_string);
        let new_name = name.as_ref().unwrap_or(&token.name);
        let ends = match &body.expires {
            Patch::Absent => token.expires_at,
            Patch::Null => None,
            Patch::Value(end) => Some(end.0),
        };
        let shown = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let changes = [
            AuditChange::between("name", Some(&token.name), Some(new_name)),
            AuditChange::between("scope", Some(&token.scope), Some(&new_scope)),
            AuditChange::between("expires", shown(token.expires_at).as_deref(), shown(ends).as_deref()),
        ];
        let changes: Vec<AuditChange> = changes.into_iter().flatten().collect();
        if !changes.is_empty() {
            tx.update_token(&token.id, new_name, &new_scope, ends)?;
            trail.record(tx, target(&application, &token.id), changes)?;
        }
        Ok(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// Revokes a token: it ends at once.
///
/// # Errors
/// `not-found` for a token of somebody else.
pub async fn delete(cx: Cx<OnApplication<LookAfterApplications>>, Path(named): Path<Named>) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    cx.write(move |tx| {
        let token = find(tx, &application, &named.token_id)?;
        tx.revoke_token(&token.id, now)?;
        Ok::<_, ApiError>(trail.record(tx, target(&application, &token.id), [AuditChange::secret("token")])?)
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// Revokes the token that the call is made with.
///
/// # Errors
/// Those of access.
pub async fn delete_current(cx: Cx<CurrentToken>) -> Result<Done, ApiError> {
    let (application, token) = (cx.access.application.clone(), cx.access.token.clone());
    let (now, trail) = (cx.now(), cx.trail());
    cx.write(move |tx| {
        tx.revoke_token(&token, now)?;
        trail.record(tx, target(&application, &token), [AuditChange::secret("token")])
    })
    .await
    .map_err(ApiError::from)?;
    cx.services.callers.forget();
    Ok(Done)
}

fn target(application: &ApplicationId, token: &TokenId) -> AuditTarget {
    AuditTarget::of_application(application, "permanent_token", token.as_str())
}

/// The application, held against changes until the end of the transaction.
fn active(tx: &mut Tx<'_>, id: &ApplicationId) -> Result<Application, ApiError> {
    let Some(application) = tx.application(id)? else {
        return Err(ApiError::not_found(format!("Application id:{id} not found")));
    };
    if application.archived_at.is_some() {
        return Err(ApiError::validation("The application is archived; restore it first"));
    }
    Ok(application)
}

/// A token of the application that is not revoked.
fn find(tx: &mut Tx<'_>, application: &ApplicationId, id: &str) -> Result<StoredToken, ApiError> {
    let token = tx.token(&TokenId::new(id))?.filter(|token| {
        token.revoked_at.is_none() && matches!(&token.principal, Principal::Application(id) if id == application)
    });
    token.ok_or_else(|| ApiError::not_found("The application has no such permanent token"))
}

/// Reads a scope. Rights that the application does not hold are taken: the scope is asked anew at each call, and
/// applications ask for rights later. Whether a project of a scope exists is not told.
fn read_scope(text: &str, catalogue: &Catalogue) -> Result<Scope, Invalid> {
    let scope = Scope::parse(text)?;
    if let Scope::Elements(elements) = &scope
        && let Some(unknown) = elements.iter().find(|element| catalogue.right(element.right.code()).is_none())
    {
        return Err(Invalid::new("scope", format!("holds no known right: `{}`", unknown.right)));
    }
    Ok(scope)
}

/// The token that calls, when it speaks for the application whose tokens are changed.
fn own_limit<A>(cx: &Cx<A>, application: &ApplicationId) -> Option<TokenId> {
    let own = cx.caller.credential == Credential::PermanentToken && cx.caller.application() == Some(application);
    cx.caller.token.clone().filter(|_| own)
}

fn within_own(tx: &mut Tx<'_>, limit: Option<&TokenId>, scope: &Scope) -> Result<(), ApiError> {
    let Some(id) = limit else { return Ok(()) };
    let own = tx.token(id)?.and_then(|token| Scope::parse(&token.scope).ok());
    Ok(check_within(&own.unwrap_or(Scope::Elements(Vec::new())), scope)?)
}
