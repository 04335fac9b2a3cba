//! Each fact, on each engine. A PostgreSQL server comes from `cargo xtask test`.

use spaceport_store::{MasterKey, Sealer, Store};
use spaceport_testkit::postgres::{TestDatabase, database};
use tempfile::TempDir;

use crate::keys;
use crate::{
    application_lists, applications, attachments, audit, authorizations, catalogue, delegations, deliveries,
    delivery_log, events, identities, parameters, revisions, server_keys, transactions, webhooks,
};

pub(crate) fn sealer() -> Sealer {
    Sealer::new(MasterKey::new([7; 32]))
}

pub(crate) async fn sqlite() -> (Store, TempDir) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    (Store::open(&url, sealer()).await.unwrap(), folder)
}

pub(crate) async fn postgres() -> (Store, TestDatabase) {
    let database = database();
    let store = Store::open(&database.url, sealer()).await.unwrap();
    (store, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_on_sqlite() {
    let (store, _folder) = sqlite().await;
    identities::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_on_postgres() {
    let (store, _database) = postgres().await;
    identities::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_keys_on_sqlite() {
    let (store, _folder) = sqlite().await;
    server_keys::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_keys_on_postgres() {
    let (store, _database) = postgres().await;
    server_keys::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_on_sqlite() {
    let (store, _folder) = sqlite().await;
    applications::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_on_postgres() {
    let (store, _database) = postgres().await;
    applications::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_on_sqlite() {
    let (store, _folder) = sqlite().await;
    crate::directory::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_on_postgres() {
    let (store, _database) = postgres().await;
    crate::directory::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_of_people_on_sqlite() {
    let (store, _folder) = sqlite().await;
    crate::rights_of_people::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_of_people_on_postgres() {
    let (store, _database) = postgres().await;
    crate::rights_of_people::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn application_lists_on_sqlite() {
    let (store, _folder) = sqlite().await;
    application_lists::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn application_lists_on_postgres() {
    let (store, _database) = postgres().await;
    application_lists::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_on_sqlite() {
    let (store, _folder) = sqlite().await;
    audit::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_on_postgres() {
    let (store, _database) = postgres().await;
    audit::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_on_sqlite() {
    let (store, _folder) = sqlite().await;
    attachments::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_on_postgres() {
    let (store, _database) = postgres().await;
    attachments::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_on_sqlite() {
    let (store, _folder) = sqlite().await;
    parameters::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_on_postgres() {
    let (store, _database) = postgres().await;
    parameters::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_on_sqlite() {
    let (store, _folder) = sqlite().await;
    keys::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_on_postgres() {
    let (store, _database) = postgres().await;
    keys::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_on_sqlite() {
    let (store, _folder) = sqlite().await;
    webhooks::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_on_postgres() {
    let (store, _database) = postgres().await;
    webhooks::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_on_sqlite() {
    let (store, _folder) = sqlite().await;
    events::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_on_postgres() {
    let (store, _database) = postgres().await;
    events::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delegations_on_sqlite() {
    let (store, _folder) = sqlite().await;
    delegations::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delegations_on_postgres() {
    let (store, _database) = postgres().await;
    delegations::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_on_sqlite() {
    let (store, _folder) = sqlite().await;
    deliveries::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_on_postgres() {
    let (store, _database) = postgres().await;
    deliveries::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorizations_on_sqlite() {
    let (store, _folder) = sqlite().await;
    authorizations::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorizations_on_postgres() {
    let (store, _database) = postgres().await;
    authorizations::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogue_on_sqlite() {
    let (store, _folder) = sqlite().await;
    catalogue::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogue_on_postgres() {
    let (store, _database) = postgres().await;
    catalogue::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_on_sqlite() {
    let (store, _folder) = sqlite().await;
    revisions::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_on_postgres() {
    let (store, _database) = postgres().await;
    revisions::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_on_sqlite() {
    let (store, _folder) = sqlite().await;
    transactions::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_on_postgres() {
    let (store, _database) = postgres().await;
    transactions::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_refused_on_postgres() {
    let (store, database) = postgres().await;
    store.close().await;
    let other = Store::open(&database.url, Sealer::new(MasterKey::new([8; 32]))).await;
    assert!(matches!(other.err(), Some(spaceport_store::StoreError::WrongMasterKey)));
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatches_on_sqlite() {
    let (store, _folder) = sqlite().await;
    crate::dispatches::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatches_on_postgres() {
    let (store, _database) = postgres().await;
    crate::dispatches::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trusted_certificates_on_sqlite() {
    let (store, _folder) = sqlite().await;
    crate::trusted_certificates::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trusted_certificates_on_postgres() {
    let (store, _database) = postgres().await;
    crate::trusted_certificates::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_log_on_sqlite() {
    let (store, _folder) = sqlite().await;
    delivery_log::facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_log_on_postgres() {
    let (store, _database) = postgres().await;
    delivery_log::facts(&store).await;
}
