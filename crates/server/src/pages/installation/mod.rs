//! Pages on which a person installs an application from a link, and sees what came of it (wire-protocol 5.5).

pub mod deep_link;
pub mod link;
pub mod new;
pub mod outcome;

use crate::http::routes::Routes;

/// Where install links lead.
pub const NEW: &str = "/extensions/installedApplications/new";

/// The pages of this resource.
pub fn routes(routes: Routes) -> Routes {
    const OUTCOME: &str = "/extensions/installedApplications/{application}/installation";
    routes
        .get(NEW, "page.installation.new", "Look at an application that is to be installed", new::page)
        .post(NEW, "page.installation.new.submit", "Install an application", new::install)
        .get(
            "/space/app/install-app",
            "page.installation.forward",
            "Follow an install link that names no server",
            new::forward,
        )
        .get(OUTCOME, "page.installation", "See how far an installation has come", outcome::page)
        .get(
            "/extensions/installedApplications/{application}/homepage",
            "page.installation.homepage",
            "Follow an application's link to its homepage",
            deep_link::follow,
        )
        .get(
            "/topLevelPageExtension/{application}",
            "page.installation.top_level_page",
            "Follow an application's link to a page of its own",
            deep_link::follow,
        )
        .post(
            "/extensions/installedApplications/{application}/installation/approvals",
            "page.installation.approvals",
            "Answer what an application asks for",
            outcome::answer,
        )
        .post(
            "/extensions/installedApplications/{application}/installation/again",
            "page.installation.again",
            "Connect an application again",
            outcome::again,
        )
        .post(
            "/extensions/installedApplications/{application}/installation/remove",
            "page.installation.remove",
            "Remove an application",
            outcome::remove,
        )
}

/// The page about an application's installation.
pub fn outcome_path(application: &str) -> String {
    format!("/extensions/installedApplications/{application}/installation")
}
