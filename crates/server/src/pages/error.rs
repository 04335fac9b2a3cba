//! The page that says what went wrong.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::http::error::ApiError;
use crate::pages::html::Html;

/// Something that went wrong, told to a person.
#[derive(Template, Clone, Debug)]
#[template(path = "error.html")]
pub struct Trouble {
    /// The status.
    pub status: StatusCode,
    /// In a few words.
    pub title: String,
    /// What happened and what to do.
    pub text: String,
    /// Id of the request, for faults of ours: the log tells more about it.
    pub request: Option<String>,
}

impl Trouble {
    /// With a title and a sentence.
    pub fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { status, title: title.into(), text: text.into(), request: None }
    }

    /// The page.
    ///
    /// # Errors
    /// When the template fails.
    pub fn html(&self) -> Result<Html, ApiError> {
        Ok(Html::page(self)?.status(self.status))
    }
}

/// The refusal of the request `id` as a page, for browsers.
pub fn response(refusal: ApiError, id: &str) -> Response {
    let title = match refusal.status {
        StatusCode::FORBIDDEN => "Not allowed",
        status if status.is_server_error() => "The server has a problem",
        _ => "This does not work",
    };
    let mut trouble = Trouble::new(refusal.status, title, refusal.description.as_str());
    if refusal.status.is_server_error() {
        trouble.request = Some(id.to_owned());
    }
    if refusal.status == StatusCode::INTERNAL_SERVER_ERROR {
        // People cannot see the headers that the description speaks of.
        "Whoever runs this server finds the cause in its log, with the id of your request."
            .clone_into(&mut trouble.text);
    }
    let page = trouble.html().and_then(Html::into_response);
    page.unwrap_or_else(|_| refusal.into_response())
}

#[cfg(test)]
impl super::samples::Sampled for Trouble {
    fn samples() -> Vec<Self> {
        let evil = super::samples::EVIL;
        vec![
            Self::new(StatusCode::BAD_REQUEST, "This does not work", "The application is not known."),
            Self::new(StatusCode::FORBIDDEN, evil, evil),
            Self {
                request: Some("kX2".to_owned()),
                ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The server has a problem", "Its log tells more.")
            },
        ]
    }
}
