//! The shapes: JSON in and out, `$fields`, identifiers, OpenAPI and the HTTP API model.
//!
//! | question | module |
//! | --- | --- |
//! | what does a resource look like | [`application`], [`profile`], [`webhook`], [`token`], [`right`], [`parameter`], [`upload`], [`catalogue`], [`host`] |
//! | what does a resource look like | [`application`], [`profile`], [`webhook`], [`parameter`], [`catalogue`], [`host`] |
//! | what are people, projects, channels, teams and roles | [`profile`], [`project`], [`channel`], [`team`], [`role`], [`organization`] |
//! | how does the host feed the directory | [`directory`] |
//! | what does `$fields` select | [`fields`] (the text), [`shape`] (the value) |
//! | how far an installation has come | [`installation`] |
//! | keys of applications, keystores, trusted certificates | [`gpg_key`], [`ssh_key`], [`keystore`], [`trusted_certificate`] |
//! | scalars, pages, identifiers | [`scalar`], [`batch`], [`identifier`] |
//! | how is input read | [`body`], [`query`] |
//! | what goes into a payload | [`canonical`], [`payload`], [`application_payload`] |
//! | how does the API describe itself | [`describe`] |
//! | rights, who holds them, who did something | [`right`], [`permission`], [`principal`] |
//! | which subjects, event types and rights are built in | [`preset`] |

pub mod application;
pub mod application_payload;
pub mod audit;
pub mod batch;
pub mod body;
pub mod canonical;
pub mod catalogue;
pub mod channel;
pub mod consent;
pub mod delivery;
pub mod describe;
pub mod directory;
pub mod facts;
pub mod field_right;
pub mod fields;
pub mod filter;
pub mod filter_class;
pub mod gpg_key;
pub mod host;
pub mod identifier;
pub mod installation;
pub mod keystore;
pub mod organization;
pub mod parameter;
pub mod payload;
pub mod payload_fields;
pub mod permission;
pub mod preset;
pub mod principal;
pub mod profile;
pub mod project;
pub mod query;
pub mod right;
pub mod role;
pub mod scalar;
pub mod shape;
pub mod ssh_key;
mod storable;
pub mod team;
pub mod template;
pub mod token;
pub mod trusted_certificate;
pub mod upload;
pub mod webhook;
pub mod webhook_request;
