//! Events of the server itself: one file for each subject.

pub mod application;
