//! `/api/http/trusted-certificates`: authorities that endpoints are verified with, beside those that the machine trusts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_keys::certificate::{Certificate, read};
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::KeyId;
use spaceport_platform::trusted_certificate::{MAX_TRUSTED_CERTIFICATES, TrustedCertificate, check_alias};
use spaceport_store::StoreError;
use spaceport_wire::scalar::{DateTime, Patch};
use spaceport_wire::trusted_certificate::{
    CertificateInfo, CreateTrustedCertificate, Fingerprint, TrustedCertificate as TrustedCertificateOut,
    UpdateTrustedCertificate,
};

use crate::http::access::{Administer, Cx, Holding};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::services::Services;
use crate::tasks::Periodic;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/http/trusted-certificates";
    const ONE: &str = "/api/http/trusted-certificates/{id}";
    routes
        .get(ALL, "api.trusted_certificate.list", "Get all trusted certificates", list)
        .post(ALL, "api.trusted_certificate.create", "Create trusted certificate", create)
        .get("/api/http/trusted-certificates/info", "api.trusted_certificate.info", "Get certificate info", info)
        .patch(ONE, "api.trusted_certificate.update", "Update trusted certificate", update)
        .delete(ONE, "api.trusted_certificate.delete", "Delete trusted certificate", delete)
}

/// Senders of other nodes notice within this time.
pub const NOTICE: Periodic = Periodic {
    name: "notice changes of trusted certificates",
    period: Duration::from_secs(2),
    run: |services| trust(services).boxed(),
};

/// Lets the senders of this node trust what is stored now.
async fn trust(services: Services) -> Result<(), String> {
    let found = services.store.read(|tx| tx.trusted_certificates()).await;
    let found = found.map_err(|error: StoreError| error.to_string())?;
    let mut trusted: Vec<Vec<u8>> = found.into_iter().filter(|one| !one.archived).map(|one| one.der).collect();
    trusted.sort();
    services.dispatches.trust(trusted)
}

/// All of them, by alias.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<Holding<Administer>>) -> Result<Json<Vec<TrustedCertificateOut>>, ApiError> {
    let found = cx.read(|tx| tx.trusted_certificates()).await.map_err(|error: StoreError| ApiError::from(error))?;
    found.into_iter().map(out).collect::<Result<_, _>>().map(Json)
}

/// Stores one. Endpoints are verified with it from now on, unless it is archived.
///
/// # Errors
/// `validation-error` naming the argument; `duplicated-entity` when the alias is taken.
pub async fn create(
    cx: Cx<Holding<Administer>>,
    Body(body): Body<CreateTrustedCertificate>,
) -> Result<Json<TrustedCertificateOut>, ApiError> {
    check_alias(&body.alias)?;
    let (now, trail, text) = (cx.now(), cx.trail(), body.data);
    let certificate = cx.services.key_reading.run(move || read(&text)).await??;
    let new = TrustedCertificate {
        id: KeyId::generate(now, cx.services.random.as_ref()).to_string(),
        alias: body.alias.trim().to_owned(),
        der: certificate.der.clone(),
        archived: body.archived,
        created_at: now,
    };
    let shown = shown(&new, &certificate);
    let written = cx.write(move |tx| {
        if tx.trusted_certificates()?.len() >= MAX_TRUSTED_CERTIFICATES {
            return Err(ApiError::validation(format!(
                "There can be {MAX_TRUSTED_CERTIFICATES} trusted certificates; delete one first"
            )));
        }
        if !tx.insert_trusted_certificate(&new)? {
            return Err(taken(&new.alias));
        }
        Ok(trail.record(tx, target(&new.id), changes(None, &new))?)
    });
    written.await?;
    trust(cx.services.clone()).await.map_err(ApiError::internal)?;
    Ok(Json(shown))
}

/// The certificate in question.
#[derive(Deserialize, JsonSchema)]
pub struct InfoQuery {
    /// One certificate: PEM, or DER in base64.
    data: String,
}

/// What a certificate says, before anybody trusts it.
///
/// # Errors
/// `validation-error` when it is none.
pub async fn info(
    cx: Cx<Holding<Administer>>,
    Query(query): Query<InfoQuery>,
) -> Result<Json<CertificateInfo>, ApiError> {
    let certificate = cx.services.key_reading.run(move || read(&query.data)).await??;
    Ok(Json(described(&certificate)))
}

/// The certificate in the path.
#[derive(Deserialize, JsonSchema)]
pub struct CertificatePath {
    /// Its id.
    id: String,
}

/// Changes one: absent and null keep.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument; `duplicated-entity` when the alias is taken.
pub async fn update(
    cx: Cx<Holding<Administer>>,
    Path(path): Path<CertificatePath>,
    Body(body): Body<UpdateTrustedCertificate>,
) -> Result<Done, ApiError> {
    let trail = cx.trail();
    let alias = body.alias.into_value();
    if let Some(alias) = &alias {
        check_alias(alias)?;
    }
    let certificate = match body.data {
        Patch::Value(text) => Some(cx.services.key_reading.run(move || read(&text)).await??),
        Patch::Absent | Patch::Null => None,
    };
    let archived = body.archived.into_value();
    let written = cx.write(move |tx| {
        let before = tx.trusted_certificate(&path.id)?.ok_or_else(|| missing(&path.id))?;
        let mut after = before.clone();
        if let Some(alias) = &alias {
            alias.trim().clone_into(&mut after.alias);
        }
        if let Some(certificate) = &certificate {
            after.der.clone_from(&certificate.der);
        }
        after.archived = archived.unwrap_or(before.archived);
        if !tx.update_trusted_certificate(&after)? {
            return Err(taken(&after.alias));
        }
        Ok(trail.record(tx, target(&after.id), changes(Some(&before), &after))?)
    });
    written.await?;
    trust(cx.services.clone()).await.map_err(ApiError::internal)?;
    Ok(Done)
}

/// Deletes one. Endpoints that only it speaks for are refused from now on.
///
/// # Errors
/// `not-found`.
pub async fn delete(cx: Cx<Holding<Administer>>, Path(path): Path<CertificatePath>) -> Result<Done, ApiError> {
    let trail = cx.trail();
    let written = cx.write(move |tx| {
        let before = tx.trusted_certificate(&path.id)?.ok_or_else(|| missing(&path.id))?;
        tx.delete_trusted_certificate(&path.id)?;
        let gone = AuditChange::between("alias", Some(&before.alias), None);
        Ok::<_, ApiError>(trail.record(tx, target(&path.id), gone)?)
    });
    written.await?;
    trust(cx.services.clone()).await.map_err(ApiError::internal)?;
    Ok(Done)
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found(format!("Trusted certificate {id} not found"))
}

fn taken(alias: &str) -> ApiError {
    ApiError::duplicated(format!("There is a trusted certificate named {alias} already"))
}

fn target(id: &str) -> AuditTarget {
    AuditTarget::other("trustedCertificate", id)
}

fn changes(before: Option<&TrustedCertificate>, after: &TrustedCertificate) -> Vec<AuditChange> {
    let digest = |one: &TrustedCertificate| spaceport_keys::certificate::sha256(&one.der);
    let flag = |one: &TrustedCertificate| one.archived.to_string();
    [
        AuditChange::between("alias", before.map(|one| one.alias.as_str()), Some(&after.alias)),
        AuditChange::between("fingerprint", before.map(digest).as_deref(), Some(&digest(after))),
        AuditChange::between("archived", before.map(flag).as_deref(), Some(&flag(after))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn out(stored: TrustedCertificate) -> Result<TrustedCertificateOut, ApiError> {
    let certificate = read(&STANDARD.encode(&stored.der)).map_err(ApiError::internal)?;
    Ok(shown(&stored, &certificate))
}

fn shown(stored: &TrustedCertificate, certificate: &Certificate) -> TrustedCertificateOut {
    TrustedCertificateOut {
        id: stored.id.clone(),
        alias: stored.alias.clone(),
        data: spaceport_keys::certificate::pem(&stored.der),
        info: described(certificate),
        archived: stored.archived,
    }
}

fn described(certificate: &Certificate) -> CertificateInfo {
    let prints = certificate.fingerprints.clone();
    CertificateInfo {
        certificate_type: "X.509".to_owned(),
        version: i32::try_from(certificate.version).unwrap_or_default(),
        serial_number: certificate.serial_number.clone(),
        issued_by: certificate.issuer.clone(),
        issued_to: certificate.subject.clone(),
        valid_from: DateTime(certificate.valid_from),
        valid_to: DateTime(certificate.valid_until),
        algorithm: certificate.algorithm.clone(),
        fingerprint: Fingerprint {
            md5: prints.md5,
            sha1: prints.sha1,
            sha256: prints.sha256,
            sha384: prints.sha384,
            sha512: prints.sha512,
        },
    }
}
