//! People: how they sign in and stay signed in.

pub mod login;
pub mod password;
pub mod provider;
pub mod session;
