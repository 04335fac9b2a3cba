//! The edge: HTTP operations, OAuth, the host API, pages, and how it is all put together.
//!
//! | question | file |
//! | --- | --- |
//! | which URL and method, who may call | [`operations`], and the handler's first parameter |
//! | what an operation does | `api/<resource>.rs`, `host/<resource>.rs`, `oauth/<resource>.rs` |
//! | how is a refusal worded and numbered | [`http::error`] |
//! | what can be configured | [`config`] and `config.default.toml` |
//! | what happens on the first start | [`start`] |
//! | what is running | [`run`] |
//! | how payloads that are no events reach applications | [`dispatch`], [`target`] |
//! | what the server does by itself | [`tasks`], [`housekeeping`], [`failing`] |
//! | how an operator becomes the administrator again | [`administrator_link`] |
//! | where master keys are and how they change | [`ring`], [`rotation`] |

pub mod accesses;
pub mod administrator_link;
pub mod api;
pub mod approval;
pub mod asked;
pub mod attempt;
pub mod authorization;
pub mod catalogues;
pub mod config;
pub mod dispatch;
pub mod events;
pub mod failing;
pub mod health;
pub mod host;
pub mod housekeeping;
pub mod http;
pub mod keys;
pub mod metrics;
pub mod oauth;
pub mod operations;
pub mod outbox;
pub mod pages;
pub mod people;
pub mod picture;
pub mod random;
pub mod rate_limit;
pub mod ring;
pub mod rotation;
pub mod run;
pub mod services;
pub mod start;
pub mod subscriptions;
pub mod target;
pub mod tasks;
pub mod ui_extension;
pub mod unfurl;
