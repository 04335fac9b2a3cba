//! `/api/http/uploads`, `/uploads/…`, `/d/…`: pictures are uploaded and fetched.
//!
//! A caller requests an upload and gets a path. Whoever knows the path may put one file there, without a token: the
//! client libraries send none, or a broken one (wire-protocol 1.9). Whoever knows the id of the file may fetch it.

use aws_lc_rs::digest;
use axum::body::Body as HttpBody;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::attachment::{Attachment, MAX_BYTES, MOST_OPEN, MOST_UNUSED_BYTES, OPEN_FOR, check_file_name};
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::{AttachmentId, random_text};
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;
use spaceport_wire::describe::Operation;
use spaceport_wire::fields::Selection;
use spaceport_wire::upload::CreateUpload;

use crate::http::access::{Access, Anyone, Authenticated, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::input::{Body, Input, Path};
use crate::http::reply::{Document, Reply, Text};
use crate::http::request::Request;
use crate::http::routes::Routes;
use crate::picture::recognize;

/// Characters of the text in an upload's path, and of an attachment's id: 190 bits.
const CAPABILITY: usize = 32;

/// The operations of this resource that clients find in the API.
pub fn routes(routes: Routes) -> Routes {
    routes.post("/api/http/uploads", "api.upload.create", "Create upload", create)
}

/// The addresses beside the API where files are put and fetched.
pub fn file_routes(routes: Routes) -> Routes {
    routes
        .put("/uploads/{upload}/{fileName}", "file.put", "Put the file of an upload", put)
        .with_body_limit(MAX_BYTES)
        .get("/d/{attachment}", "file.get", "Get an attachment", get)
}

/// Begins an upload; answers the path where the file is to be put, at most an hour later.
///
/// # Errors
/// `validation-error` when too many uploads wait for their files.
pub async fn create(cx: Cx<Authenticated>, Body(_): Body<CreateUpload>) -> Result<Text, ApiError> {
    let (owner, now) = (cx.caller.principal.clone(), cx.now());
    let code = random_text(CAPABILITY, cx.services.random.as_ref());
    let hash = token_hash(&code);
    cx.write(move |tx| {
        if tx.open_uploads(&owner, now)? >= MOST_OPEN {
            return Err(ApiError::validation(format!(
                "{MOST_OPEN} uploads that you requested still wait for their files; put those first, or wait an hour"
            )));
        }
        Ok(tx.insert_upload(&hash, &owner, now, now.plus(OPEN_FOR))?)
    })
    .await?;
    Ok(Text(format!("/uploads/{code}")))
}

/// Whoever knows the path of an upload that waits for its file.
pub struct OpenUpload {
    hash: String,
}

impl Access for OpenUpload {
    const READS_CALLER: bool = false;

    fn rule() -> String {
        "whoever knows the path of a requested upload, once".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        Vec::new()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let (hash, now) = (token_hash(request.variable("upload")?), request.services.clock.now());
        let asked = hash.clone();
        let owner = request.services.store.read(move |tx| tx.upload_owner(&asked, now)).await;
        match owner.map_err(|error: StoreError| ApiError::from(error))? {
            Some(_) => Ok(Self { hash }),
            None => Err(no_upload()),
        }
    }
}

fn no_upload() -> ApiError {
    ApiError::not_found("No file is expected here: request an upload with POST /api/http/uploads, and put one file")
}

/// The bytes of a file, whatever the request says they are.
pub struct File(Bytes);

impl Input for File {
    fn describe(_: &mut Operation) {}

    fn read(request: &Request) -> Result<Self, ApiError> {
        Ok(Self(request.body.clone()))
    }
}

/// Where a file is put.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// What the file is called.
    file_name: String,
}

/// Takes the file of an upload; answers the id of the attachment, as plain text.
///
/// # Errors
/// `validation-error` for what is no picture, `not-found` when no file is expected here.
pub async fn put(cx: Cx<OpenUpload>, Path(place): Path<Place>, File(bytes): File) -> Result<Document, ApiError> {
    check_file_name(&place.file_name)?;
    let media = recognize(&bytes).map_err(ApiError::validation)?;
    let (now, trail, hash) = (cx.now(), cx.trail(), cx.access.hash.clone());
    let id = AttachmentId::new(random_text(CAPABILITY, cx.services.random.as_ref()));
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let digest: String =
        digest::digest(&digest::SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let answer = id.to_string();
    cx.write(move |tx| {
        let Some(owner) = tx.use_upload(&hash, now)? else { return Err(no_upload()) };
        if tx.unused_attachment_bytes(&owner)?.saturating_add(size) > MOST_UNUSED_BYTES {
            return Err(ApiError::validation(format!(
                "The files that you uploaded and nothing uses must have at most {MOST_UNUSED_BYTES} bytes together; what is \
                 not used goes after a day"
            )));
        }
        let attachment = Attachment {
            id: id.clone(),
            owner,
            file_name: place.file_name.clone(),
            media,
            size,
            digest: digest.clone(),
            created_at: now,
        };
        tx.insert_attachment(&attachment, &bytes)?;
        let changes = [
            AuditChange::between("fileName", None, Some(&attachment.file_name)),
            AuditChange::between("mediaType", None, Some(media.name())),
        ];
        Ok(trail.record(tx, AuditTarget::other("attachment", id.as_str()), changes.into_iter().flatten())?)
    })
    .await?;
    Ok(Document {
        status: StatusCode::OK,
        content_type: "text/plain; charset=utf-8",
        headers: Vec::new(),
        body: answer,
    })
}

/// The attachment to fetch.
#[derive(Deserialize, JsonSchema)]
pub struct Named {
    /// Id of the attachment.
    attachment: String,
}

/// What the client has already.
pub struct Known(Option<String>);

impl Input for Known {
    fn describe(_: &mut Operation) {}

    fn read(request: &Request) -> Result<Self, ApiError> {
        let header = request.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        Ok(Self(header.map(str::to_owned)))
    }
}

impl Known {
    /// Whether it is what `tag` names (RFC 9110 13.1.2, weak comparison).
    fn holds(&self, tag: &str) -> bool {
        self.0.as_deref().is_some_and(|known| {
            known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
        })
    }
}

/// The bytes of an attachment.
///
/// # Errors
/// `not-found` when there is none.
pub async fn get(cx: Cx<Anyone>, Path(named): Path<Named>, known: Known) -> Result<Fetched, ApiError> {
    let id = AttachmentId::new(named.attachment);
    let (known, fetched) = (std::sync::Arc::new(known), id.clone());
    let found = cx
        .read(move |tx| {
            let Some(attachment) = tx.attachment(&fetched)? else { return Ok(None) };
            let tag = tag(&attachment);
            let content = if known.holds(&tag) { Some(None) } else { tx.attachment_content(&fetched)?.map(Some) };
            Ok::<_, StoreError>(content.map(|content| Fetched { attachment, tag, content }))
        })
        .await
        .map_err(ApiError::from)?;
    found.ok_or_else(|| ApiError::not_found("There is no such attachment"))
}

fn tag(attachment: &Attachment) -> String {
    format!("\"{}\"", attachment.digest)
}

/// An attachment on its way to the client; without its bytes when the client has them.
pub struct Fetched {
    attachment: Attachment,
    tag: String,
    content: Option<Vec<u8>>,
}

impl Reply for Fetched {
    const HAS_FIELDS: bool = false;

    fn describe(_: &mut Operation) {}

    fn into_response(self, _: Option<&Selection>) -> Result<Response, ApiError> {
        let mut response = match self.content {
            Some(content) => Response::new(HttpBody::from(content)),
            None => {
                let mut response = Response::new(HttpBody::empty());
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response
            }
        };
        let headers = response.headers_mut();
        let name = utf8_percent_encode(&self.attachment.file_name, NON_ALPHANUMERIC);
        put_header(headers, header::ETAG, &self.tag)?;
        put_header(headers, header::LAST_MODIFIED, &http_date(self.attachment.created_at))?;
        put_header(headers, header::CONTENT_TYPE, self.attachment.media.name())?;
        put_header(headers, header::CONTENT_DISPOSITION, &format!("inline; filename*=UTF-8''{name}"))?;
        // An id never gets other bytes.
        put_header(headers, header::CACHE_CONTROL, "public, max-age=31536000, immutable")?;
        // Only pictures come here; should one ever be read as a page all the same, it can do nothing.
        put_header(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")?;
        put_header(headers, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin")?;
        Ok(response)
    }
}

fn put_header(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), ApiError> {
    headers.insert(name, HeaderValue::from_str(value).map_err(ApiError::internal)?);
    Ok(())
}

/// The form of RFC 9110 5.6.7.
fn http_date(time: Timestamp) -> String {
    let seconds = u64::try_from(time.millis().div_euclid(1_000)).unwrap_or_default();
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
