//! The directory as applications see it: one line for each resource.

use crate::api::{channel, organization, profile, project, role, role_member};
use crate::http::routes::Routes;

/// The operations of people, projects, channels, roles and the organization.
pub fn routes(routes: Routes) -> Routes {
    routes
        .with(profile::routes)
        .with(project::routes)
        .with(channel::routes)
        .with(organization::routes)
        .with(role::routes)
        .with(role_member::routes)
}
