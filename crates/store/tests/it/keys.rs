//! Facts about OpenPGP and SSH keys of applications, and about keystores.

use spaceport_platform::gpg_key::{GpgKey, Revocation};
use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::keystore::Keystore;
use spaceport_platform::ssh_key::SshKey;
use spaceport_platform::webhook::Webhook;
use spaceport_store::{KeystoreUse, Store, StoreError};

use crate::make::{application, at, webhook};

fn gpg_key(application: &str, fingerprint: &str, added: i64) -> GpgKey {
    GpgKey {
        application: ApplicationId::new(application),
        fingerprint: fingerprint.to_owned(),
        public_key: format!("-----BEGIN {fingerprint}"),
        user_ids: vec![format!("Ä <{fingerprint}@example.com>"), "second".to_owned()],
        comment: "wofür".to_owned(),
        created_at: at(0),
        added_at: at(added),
        expires_at: (added % 2 == 0).then(|| at(9)),
        revocation: None,
    }
}

fn ssh_key(application: &str, name: &str, added: i64) -> SshKey {
    SshKey {
        application: ApplicationId::new(application),
        md5_fingerprint: format!("md5-{name}"),
        sha256_fingerprint: format!("SHA256:{name}"),
        public_key: format!("ssh-ed25519 {name}"),
        comment: name.to_owned(),
        added_at: at(added),
    }
}

pub(crate) async fn facts(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_application(&application("a1"))?;
        tx.insert_application(&application("a2"))
    });
    made.await.unwrap();
    gpg_keys(store).await;
    ssh_keys(store).await;
    keystores(store).await;
}

async fn gpg_keys(store: &Store) {
    let (own, other) = (ApplicationId::new("a1"), ApplicationId::new("a2"));
    let (first, second) = (gpg_key("a1", "FF", 1), gpg_key("a1", "AA", 2));
    let keys = [first.clone(), second.clone()];
    let work = store.write(move |tx| {
        let inserted = [tx.insert_gpg_key(&keys[0])?, tx.insert_gpg_key(&keys[1])?];
        let taken = GpgKey { application: ApplicationId::new("a2"), ..keys[0].clone() };
        Ok::<_, StoreError>((inserted, tx.insert_gpg_key(&taken)?))
    });
    assert_eq!(work.await.unwrap(), ([true, true], false), "a fingerprint belongs to one application");

    let (asked, foreign) = (own.clone(), other.clone());
    let read = store.read(move |tx| {
        Ok::<_, StoreError>((
            tx.gpg_keys(&asked)?,
            tx.gpg_keys(&foreign)?,
            tx.gpg_key(&asked, "AA")?,
            tx.gpg_key(&foreign, "AA")?,
            tx.count_gpg_keys(&asked)?,
        ))
    });
    let (listed, none, found, hidden, count) = read.await.unwrap();
    assert_eq!(listed, [first.clone(), second.clone()], "in the order they were added");
    assert_eq!((none, hidden, count), (Vec::new(), None, 2));
    assert_eq!(found, Some(second.clone()));

    let mut revoked = first.clone();
    revoked.revoke(Revocation { at: at(7), comment: "verloren".to_owned() }).unwrap();
    let stored = revoked.clone();
    let asked = own.clone();
    let work = store.write(move |tx| {
        tx.set_gpg_key_revocation(&stored)?;
        let deleted = (tx.delete_gpg_key(&other, "AA")?, tx.delete_gpg_key(&asked, "AA")?);
        Ok::<_, StoreError>((tx.gpg_keys(&asked)?, deleted, tx.insert_gpg_key(&gpg_key("a2", "AA", 3))?))
    });
    let (left, deleted, again) = work.await.unwrap();
    assert_eq!(left, [revoked]);
    assert_eq!(deleted, (false, true), "another application's key is not deleted");
    assert!(again, "a deleted key is free, with its user ids");
}

async fn ssh_keys(store: &Store) {
    let (own, other) = (ApplicationId::new("a1"), ApplicationId::new("a2"));
    let (first, second) = (ssh_key("a1", "z", 1), ssh_key("a1", "b", 2));
    let keys = [first.clone(), second.clone()];
    let work = store.write(move |tx| {
        let inserted = [tx.insert_ssh_key(&keys[0])?, tx.insert_ssh_key(&keys[1])?];
        let same_md5 = SshKey { sha256_fingerprint: "SHA256:new".to_owned(), ..ssh_key("a2", "z", 3) };
        let taken = [tx.insert_ssh_key(&ssh_key("a2", "z", 3))?, tx.insert_ssh_key(&same_md5)?];
        Ok::<_, StoreError>((inserted, taken))
    });
    assert_eq!(work.await.unwrap(), ([true, true], [false, false]), "each fingerprint belongs to one application");

    let (asked, foreign) = (own.clone(), other.clone());
    let read = store.read(move |tx| {
        Ok::<_, StoreError>((tx.ssh_keys(&asked)?, tx.ssh_keys(&foreign)?, tx.count_ssh_keys(&asked)?))
    });
    assert_eq!(read.await.unwrap(), (vec![first.clone(), second.clone()], Vec::new(), 2));

    let work = store.write(move |tx| {
        let foreign = tx.delete_ssh_key(&other, "md5-z")?;
        let by_md5 = tx.delete_ssh_key(&own, "md5-z")?;
        let by_sha256 = tx.delete_ssh_key(&own, "SHA256:b")?;
        Ok::<_, StoreError>((foreign, by_md5, by_sha256, tx.ssh_keys(&own)?))
    });
    assert_eq!(work.await.unwrap(), (None, Some(first), Some(second), Vec::new()));
}

pub(crate) fn keystore(name: &str, subject: &str) -> Keystore {
    Keystore {
        name: name.to_owned(),
        chain: vec![vec![0, 1, 255], b"middle".to_vec()],
        subject: subject.to_owned(),
        issuer: "CN=Ä".to_owned(),
        valid_from: at(0),
        valid_until: at(9),
        fingerprint: "aa:bb".to_owned(),
        created_at: at(1),
        updated_at: at(1),
    }
}

async fn keystores(store: &Store) {
    let (first, second) = (keystore("b", "CN=first"), keystore("a", "CN=second"));
    let made = [first.clone(), second.clone()];
    let work = store.write(move |tx| {
        let inserted = [tx.insert_keystore(&made[0], b"key one")?, tx.insert_keystore(&made[1], b"key two")?];
        Ok::<_, StoreError>((inserted, tx.insert_keystore(&keystore("a", "CN=other"), b"key three")?))
    });
    assert_eq!(work.await.unwrap(), ([true, true], false), "a name is taken once");
    let read = store.read(|tx| {
        Ok::<_, StoreError>((
            tx.keystores()?,
            tx.keystore("b")?,
            tx.keystore("c")?,
            tx.keystore_key("a")?,
            tx.keystore_key("c")?,
        ))
    });
    let (listed, found, missing, key, no_key) = read.await.unwrap();
    assert_eq!(listed, [second, first.clone()], "by name");
    assert_eq!((found, missing, no_key), (Some(first.clone()), None, None));
    assert_eq!(key.as_deref(), Some(b"key two".as_slice()));

    let work = store.write(|tx| {
        let mut user = tx.application(&ApplicationId::new("a1"))?.unwrap();
        user.ssl_keystore = Some("b".to_owned());
        tx.update_application(&user)?;
        let hook = Webhook { ssl_keystore: Some("b".to_owned()), ..webhook("a2", "w9") };
        tx.insert_webhook(&hook, &[])?;
        let held = [tx.hold_keystore("b")?, tx.hold_keystore("c")?];
        Ok::<_, StoreError>((user.revision, held, tx.keystore_use("b", 10)?, tx.keystore_use("a", 10)?))
    });
    let (revision, held, used, unused) = work.await.unwrap();
    assert_eq!(held, [true, false]);
    let expected = KeystoreUse { applications: vec!["Name a1".to_owned()], webhooks: vec!["Hook w9".to_owned()] };
    assert_eq!(used, expected);
    assert_eq!(unused, KeystoreUse { applications: Vec::new(), webhooks: Vec::new() });

    let changed = Keystore { updated_at: at(5), ..keystore("b", "CN=renewed") };
    let stored = changed.clone();
    let work = store.write(move |tx| {
        tx.replace_keystore(&stored, b"key four")?;
        let application = tx.application(&ApplicationId::new("a1"))?.unwrap();
        let hook = tx.webhook(&ApplicationId::new("a2"), &WebhookId::new("w9"))?.unwrap();
        let deleted = [tx.delete_keystore("a")?, tx.delete_keystore("a")?];
        let key = tx.keystore_key("b")?;
        Ok::<_, StoreError>((application.revision, hook, tx.keystores()?, key, deleted))
    });
    let (after, hook, listed, key, deleted) = work.await.unwrap();
    assert!(after > revision + 1, "its users are loaded anew: {after}");
    assert_eq!((hook.revision, hook.ssl_keystore.as_deref()), (2, Some("b")));
    assert_eq!(listed, [changed]);
    assert_eq!(key.as_deref(), Some(b"key four".as_slice()));
    assert_eq!(deleted, [true, false]);
}
