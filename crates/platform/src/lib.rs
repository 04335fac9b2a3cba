//! The rules of Spaceport: what exists, what is allowed, how it changes.
//!
//! Everything here is pure. Time, randomness and network come in as parameters; there is no
//! SQL, no JSON shape and no I/O. The map:
//!
//! | module | holds |
//! | --- | --- |
//! | [`id`], [`time`], [`random`], [`secret`] | the small words everything else is made of |
//! | [`identifier`] | how callers name applications, profiles and other things |
//! | [`right`], [`context`], [`scope`], [`grants`], [`access`], [`authorization`] | who may do what, where; how applications come to rights |
//! | [`directory`] | projects, channels, teams, memberships, roles: what the host product has |
//! | [`catalogue`], [`event`], [`subscription`], [`webhook`], [`custom_header`], [`webhook_changes`] | what happens and who hears of it |
//! | [`filter`], [`pattern`], [`listeners`] | filters of subscriptions; an index of who hears of which events |
//! | [`field_right`] | fields of payloads that demand a right of their own |
//! | [`application`], [`connection`], [`profile`] | applications, their settings, what ties them to a server, who owns them |
//! | [`lifecycle`], [`application_changes`] | how applications end and come back; what changed about one |
//! | [`installation`], [`install_link`], [`dispatch`] | how applications from elsewhere connect and leave; the payloads that tell them |
//! | [`audit`], [`access_record`] | who changed what; when and from where something was used |
//! | [`server_key`] | the keys that sign access tokens, and when they change |
//! | [`token`] | permanent tokens |
//! | [`parameter`], [`attachment`] | what applications keep here for themselves, and the pictures they upload |
//! | [`gpg_key`], [`ssh_key`], [`keystore`], [`trusted_certificate`] | keys that applications sign and sign in with; certificates that deliveries show and trust |
//! | [`gpg_key`], [`ssh_key`], [`keystore`] | keys that applications sign and sign in with; certificates that deliveries show |
//! | [`redirect`], [`consent`], [`delegation`] | how users let applications act for them |
//! | [`invalid`] | the one shape of "this input is wrong" |

pub mod access;
pub mod access_record;
pub mod application;
pub mod application_changes;
pub mod attachment;
pub mod audit;
pub mod authorization;
pub mod catalogue;
pub mod connection;
pub mod consent;
pub mod context;
pub mod custom_header;
pub mod delegation;
pub mod delivery;
pub mod directory;
pub mod dispatch;
pub mod event;
pub mod field_right;
pub mod filter;
mod filter_match;
pub mod gpg_key;
pub mod grants;
pub mod id;
pub mod identifier;
pub mod install_link;
pub mod installation;
pub mod invalid;
pub mod keystore;
pub mod lifecycle;
pub mod listeners;
pub mod parameter;
pub mod pattern;
pub mod profile;
pub mod random;
pub mod redirect;
pub mod right;
pub mod scope;
pub mod secret;
pub mod sending;
pub mod server_key;
pub mod ssh_key;
pub mod subscription;
pub mod time;
pub mod token;
pub mod trusted_certificate;
pub mod unfurl;
pub mod webhook;
pub mod webhook_changes;
