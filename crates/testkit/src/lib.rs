//! What the tests of every crate share, kept independent of the code under test.
//!
//! | module | holds |
//! | --- | --- |
//! | [`clock`] | a clock that moves only when told to |
//! | [`foreign`] | programs in Python and JavaScript, with the libraries that receivers use |
//! | [`name_server`] | a DNS server that changes its answers |
//! | [`postgres`] | one fresh PostgreSQL database per call |
//! | [`provider`] | an OpenID Connect provider that says right and wrong things |
//! | [`receiver`] | an application that receives deliveries and answers as scripted |
//! | [`published`] | an application that installs itself, works and leaves like the published ones |
//! | [`javascript`] | what JavaScript makes of a JSON text |
//! | [`http`] | a small HTTP client to call operations with |
//! | [`verify`] | signatures checked with other libraries than the product's |
//!
//! A mistake in a test's own setting up ends that test with a panic that names it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: a panic is how a test reports what went wrong"
)]

mod background;
pub mod clock;
pub mod foreign;
pub mod http;
pub mod javascript;
pub mod name_server;
pub mod postgres;
pub mod provider;
pub mod published;
pub mod receiver;
pub mod verify;
