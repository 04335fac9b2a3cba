//! Pages for people.

pub mod administrator;
