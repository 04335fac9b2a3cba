//! Pages for people, made on the server: plain HTML, one stylesheet, no script.
//!
//! A page is a struct with the values it shows and a template beside it (`templates/`); each has samples, and one test
//! renders them all.

pub mod account;
pub mod administrator;
pub mod applications;
pub mod assets;
pub mod consent;
pub mod error;
pub mod hand_over;
pub mod home;
pub mod html;
pub mod installation;
pub mod login;
pub mod provider;
#[cfg(test)]
mod samples;
pub mod visitor;
pub mod words;

use crate::http::routes::Routes;

/// The pages that are not part of another resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/", "page.home", "Open the start page", home::page)
        .get("/login", "page.login", "Open the sign-in page", login::page)
        .post("/login", "page.login.submit", "Sign in", login::submit)
        .get("/login/provider", "page.provider.leave", "Go to the identity provider", provider::leave)
        .without_head()
        .get("/login/provider/back", "page.provider.back", "Come back from the identity provider", provider::arrive)
        .without_head()
        .get("/session", "page.session", "Sign in by a link of the host", hand_over::follow)
        .without_head()
        .get("/account", "page.account", "Open the account page", account::page)
        .post("/account/password", "page.account.password", "Set a password", account::set_password)
        .post("/account/sign-out", "page.account.sign_out", "Sign out", account::sign_out)
        .post(
            "/account/sign-out-everywhere",
            "page.account.sign_out_everywhere",
            "Sign out everywhere",
            account::sign_out_everywhere,
        )
        .get("/account/applications", "page.applications", "Open the list of consents", applications::page)
        .post(
            "/account/applications/withdraw",
            "page.applications.withdraw",
            "Withdraw consent",
            applications::withdraw,
        )
        .get("/administrator", "page.administrator", "Open the one-time administrator link", administrator::page)
        .post("/administrator", "page.administrator.use", "Use the one-time administrator link", administrator::redeem)
        .with(installation::routes)
}
