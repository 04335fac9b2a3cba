//! OAuth 2.0: the token endpoint, access tokens, and the keys that sign them.

pub mod client;
pub mod form;
pub mod jwks;
pub mod jwt;
pub mod permanent;
pub mod ring;
pub mod rotation;
pub mod signing;
pub mod throttle;
pub mod token;
