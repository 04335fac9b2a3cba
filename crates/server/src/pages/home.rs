//! The page at `/`: what this server is, for people who come without a link.

use askama::Template;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::pages::html::Html;
use crate::pages::visitor::Visitor;

/// What the page shows.
#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// Who is signed in.
    pub user: Option<String>,
}

/// The page.
///
/// # Errors
/// None.
pub async fn page(_: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    Html::page(&HomePage { user: visitor.session.as_ref().map(|session| session.profile.display_name()) })
}

#[cfg(test)]
impl super::samples::Sampled for HomePage {
    fn samples() -> Vec<Self> {
        let page = |user: Option<&str>| Self { user: user.map(str::to_owned) };
        vec![page(None), page(Some("Ann A")), page(Some(super::samples::EVIL))]
    }
}
