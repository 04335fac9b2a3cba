//! The SQL: the only crate that knows a database driver.
//!
//! A transaction is a closure: [`Store::write`] commits when it returns `Ok`. What can be stored and
//! asked are the functions of [`Tx`], one file per resource under `tx/`, each written once for both
//! engines. What differs between the engines is in `engine/`, and each difference says why.

mod engine;
mod error;
mod migrate;
mod seal;
mod store;
mod tx;
mod value;

pub use error::StoreError;
pub use seal::{MasterKey, Sealer};
pub use store::Store;
pub use tx::Tx;
pub use tx::application_list::{
    ApplicationFilter, ApplicationOrder, ApplicationPage, ApplicationPlace, ApplicationStart,
};
pub use tx::attempt::Call;
pub use tx::audit::AuditFilter;
pub use tx::catalogue::{OwnFieldRights, OwnFilter};
pub use tx::channel::ChannelFilter;
pub use tx::delivery::{ClaimedRow, RecordedAttempt, RecordedNext, Wanted};
pub use tx::delivery_log::{AttemptFilter, AttemptKey, Carried, LogFilter, LoggedAttempt, LoggedDelivery};
pub use tx::dispatch::{ClaimedDispatch, NewDispatch};
pub use tx::event::{Heard, Stored};
pub use tx::failing::FailingWebhook;
pub use tx::key::PublicKey;
pub use tx::keystore::KeystoreUse;
pub use tx::list::{ListOrder, ListPlace, ListStart, Listed};
pub use tx::missed::{EventPlace, Missed, MissedQuery};
pub use tx::profile::{Addresses, Past, ProfileFilter};
pub use tx::project::{ProjectFilter, Visible};
pub use tx::refresh_token::RefreshToken;
pub use tx::revision::Remembered;
pub use tx::ring::ResealCursor;
pub use tx::secret::{Overlap, PreviousSecret, SecretMatch};
pub use tx::server_key::ServerKey;
pub use tx::session::StoredSession;
pub use tx::token::{NewToken, StoredToken, TokenStart};
pub use tx::webhook::LastAttempt;
