//! Facts about trusted certificates.

use spaceport_platform::trusted_certificate::TrustedCertificate;
use spaceport_store::{Store, StoreError};

use crate::make::at;

fn certificate(id: &str, alias: &str) -> TrustedCertificate {
    TrustedCertificate {
        id: id.to_owned(),
        alias: alias.to_owned(),
        der: vec![0, 255, 7],
        archived: false,
        created_at: at(1),
    }
}

pub(crate) async fn facts(store: &Store) {
    let inserted = store.write(|tx| {
        Ok::<_, StoreError>([
            tx.insert_trusted_certificate(&certificate("c2", "Zweite"))?,
            tx.insert_trusted_certificate(&certificate("c1", "Erste Ä"))?,
            tx.insert_trusted_certificate(&certificate("c3", "Zweite"))?,
        ])
    });
    assert_eq!(inserted.await.unwrap(), [true, true, false], "an alias belongs to one");
    let all = store.read(|tx| tx.trusted_certificates()).await.unwrap();
    assert_eq!(all, [certificate("c1", "Erste Ä"), certificate("c2", "Zweite")]);
    let changed = TrustedCertificate { archived: true, der: vec![1], ..certificate("c1", "Erste") };
    let (stored, taken) = (changed.clone(), TrustedCertificate { alias: "Zweite".to_owned(), ..changed.clone() });
    let updated = store.write(move |tx| {
        Ok::<_, StoreError>([tx.update_trusted_certificate(&stored)?, tx.update_trusted_certificate(&taken)?])
    });
    assert_eq!(updated.await.unwrap(), [true, false]);
    assert_eq!(store.read(|tx| tx.trusted_certificate("c1")).await.unwrap(), Some(changed));
    let deleted = store
        .write(|tx| Ok::<_, StoreError>([tx.delete_trusted_certificate("c1")?, tx.delete_trusted_certificate("c1")?]));
    assert_eq!(deleted.await.unwrap(), [true, false]);
    assert_eq!(store.read(|tx| tx.trusted_certificate("c1")).await.unwrap(), None);
}
