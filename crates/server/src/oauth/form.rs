//! The form body of the token endpoint: urlencoded or multipart, each parameter at most once.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, header};
use spaceport_platform::invalid::storable;

use crate::http::error::ApiError;

/// Most parameters a form may hold (security T6).
const MAX_PARAMETERS: usize = 64;

/// One of these is in every form of ours.
const EXPECTED: [&str; 2] = ["grant_type", "token"];

/// The parameters of a token request.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body as what its content type says; urlencoded when it says nothing we know.
    ///
    /// # Errors
    /// `invalid_request` for broken forms, for too many and for repeated parameters (RFC 6749 3.2).
    pub async fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, ApiError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let pairs = match multer::parse_boundary(content_type) {
            Ok(boundary) => multipart(boundary, body.clone()).await?,
            Err(_) => form_urlencoded::parse(body)
                .take(MAX_PARAMETERS + 1)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        };
        if !EXPECTED.iter().any(|name| pairs.iter().any(|(known, _)| known == name)) && !may_be_form(content_type) {
            let named = printable(content_type);
            return Err(invalid(format!("The body must be a form, application/x-www-form-urlencoded, not {named}")));
        }
        if pairs.len() > MAX_PARAMETERS {
            return Err(invalid(format!("The form must hold at most {MAX_PARAMETERS} parameters")));
        }
        let mut form = Self(Vec::with_capacity(pairs.len()));
        for (name, value) in pairs {
            if form.0.iter().any(|(known, _)| *known == name) {
                return Err(invalid(format!("The parameter {} occurs twice", printable(&name))));
            }
            if storable("", &value).is_err() {
                return Err(invalid(format!("The parameter {} must not hold the character U+0000", printable(&name))));
            }
            form.0.push((name, value));
        }
        Ok(form)
    }

    /// The value of a parameter; an empty one counts as absent (RFC 6749 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// Whether a body of this type can be a form. Others are read as one all the same, and only named when that shows
/// nothing: there are clients that label their forms wrongly.
fn may_be_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let multipart = essence.eq_ignore_ascii_case("multipart/form-data") && multer::parse_boundary(content_type).is_ok();
    essence.is_empty() || multipart || essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn multipart(boundary: String, body: Bytes) -> Result<Vec<(String, String)>, ApiError> {
    let broken = |_| invalid("The multipart body cannot be read");
    let mut parts = multer::Multipart::new(stream::iter([Ok::<_, std::io::Error>(body)]), boundary);
    let mut pairs = Vec::new();
    while let Some(field) = parts.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        pairs.push((name, field.text().await.map_err(broken)?));
        if pairs.len() > MAX_PARAMETERS {
            break;
        }
    }
    Ok(pairs)
}

fn invalid(description: impl Into<String>) -> ApiError {
    ApiError::oauth("invalid_request", description)
}

/// Text cut to what an `error_description` may hold (RFC 6749 5.2: printable ASCII, no `"`, no `\`).
pub fn printable(text: &str) -> String {
    text.chars().take(100).map(|c| if (' '..='~').contains(&c) && c != '"' && c != '\\' { c } else { '?' }).collect()
}
