//! The catalogue as this node knows it: what is built in, and what the host added.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::field_right::FieldRights;
use spaceport_store::{OwnFilter, Remembered, Store, StoreError, Tx};
use spaceport_wire::filter_class::DefineFilter;

use crate::services::Services;

/// How often a node looks whether another one changed the catalogue.
pub const NOTICE: Duration = Duration::from_millis(400);

/// The present catalogue.
pub struct Catalogues {
    built_in: Arc<Catalogue>,
    current: RwLock<(i64, Arc<Catalogue>)>,
}

impl Catalogues {
    /// With what is built in alone; [`Catalogues::notice`] adds the rest.
    pub fn new(built_in: Arc<Catalogue>) -> Self {
        let current = RwLock::new((0, Arc::clone(&built_in)));
        Self { built_in, current }
    }

    /// The catalogue.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// Takes in what was added, here or on another node, since the last look.
    ///
    /// # Errors
    /// That the database failed.
    pub async fn notice(&self, store: &Store) -> Result<(), StoreError> {
        let known = self.current.read().unwrap_or_else(PoisonError::into_inner).0;
        let found = store.read(move |tx| {
            let revision = tx.revision(Remembered::Catalogue)?;
            let own =
                |tx: &mut Tx<'_>| Ok::<_, StoreError>((tx.own_rights()?, tx.own_filters()?, tx.own_field_rights()?));
            let changed = (revision != known).then(|| own(tx)).transpose()?;
            Ok::<_, StoreError>(changed.map(|own| (revision, own)))
        });
        if let Some((revision, (rights, filters, of_fields))) = found.await? {
            let mut field_rights = FieldRights::default();
            of_fields.into_iter().for_each(|own| field_rights.put(own.event_type, own.fields));
            let mut catalogue = self.built_in.with_rights(rights).with_field_rights(field_rights);
            for OwnFilter { code, subjects, definition } in filters {
                let fault = |fault: &dyn std::fmt::Display| {
                    StoreError::corrupt(format!("the class of filters {code}: {fault}"))
                };
                let read: DefineFilter = serde_json::from_str(&definition).map_err(|error| fault(&error))?;
                catalogue = catalogue.with_own_filter(read.read().map_err(|invalid| fault(&invalid))?, &subjects);
            }
            let catalogue = Arc::new(catalogue);
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if revision >= current.0 {
                *current = (revision, catalogue);
            }
        }
        Ok(())
    }
}

/// One run of the periodic task.
pub fn notice(services: Services) -> BoxFuture<'static, Result<(), String>> {
    Box::pin(async move { services.catalogue.notice(&services.store).await.map_err(|error| error.to_string()) })
}
