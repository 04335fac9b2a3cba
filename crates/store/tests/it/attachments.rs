//! Facts about uploads and attachments.

use spaceport_platform::access::Principal;
use spaceport_platform::attachment::{Attachment, Media};
use spaceport_platform::id::{ApplicationId, AttachmentId, ProfileId};
use spaceport_store::{Store, StoreError};

use crate::make::{application, at};

fn owner() -> Principal {
    Principal::User(ProfileId::new("u1"))
}

fn attachment(id: &str, millis: i64) -> Attachment {
    Attachment {
        id: AttachmentId::new(id),
        owner: owner(),
        file_name: "ä.png".to_owned(),
        media: Media::Png,
        size: 256,
        digest: "d".to_owned(),
        created_at: at(millis),
    }
}

pub(crate) async fn facts(store: &Store) {
    uploads_are_used_once(store).await;
    attachments_stay_while_something_uses_them(store).await;
}

async fn uploads_are_used_once(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_upload("h1", &owner(), at(0), at(100))?;
        tx.insert_upload("h2", &owner(), at(0), at(50))?;
        tx.insert_upload("h3", &Principal::Application(ApplicationId::new("u1")), at(0), at(100))
    });
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let read = store.read(|tx| {
        Ok::<_, StoreError>((
            tx.open_uploads(&owner(), at(10))?,
            tx.open_uploads(&owner(), at(50))?,
            tx.upload_owner("h1", at(10))?,
            tx.upload_owner("h2", at(50))?,
            tx.upload_owner("h4", at(10))?,
        ))
    });
    assert_eq!(read.await.unwrap(), (2, 1, Some(owner()), None, None));
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        uses.spawn(async move { store.write(|tx| tx.use_upload("h1", at(10))).await.unwrap() as Option<Principal> });
    }
    assert_eq!(uses.join_all().await.into_iter().flatten().collect::<Vec<_>>(), [owner()]);
    let late: Result<_, StoreError> = store.write(|tx| tx.use_upload("h2", at(50))).await;
    assert_eq!(late.unwrap(), None, "it is too old");
    let deleted: Result<_, StoreError> =
        store.write(|tx| Ok((tx.delete_expired_uploads(at(50), 9)?, tx.upload_owner("h3", at(50))?.is_some()))).await;
    assert_eq!(deleted.unwrap(), (1, true));
}

async fn attachments_stay_while_something_uses_them(store: &Store) {
    let bytes: Vec<u8> = (0..=255).collect();
    let (content, expected) = (bytes.clone(), bytes);
    let made = store.write(move |tx| {
        for (id, millis) in [("unused", 0), ("young", 90), ("kept", 0), ("let go", 0), ("shared", 0)] {
            tx.insert_attachment(&attachment(id, millis), &content)?;
        }
        for id in ["kept", "let go", "shared"] {
            assert!(tx.keep_attachment(&AttachmentId::new(id))?);
        }
        assert!(!tx.keep_attachment(&AttachmentId::new("unknown"))?);
        let mut shows = application("shows");
        shows.picture = Some(AttachmentId::new("shared"));
        tx.insert_application(&shows)?;
        tx.release_attachment(&AttachmentId::new("let go"), at(10))?;
        // Another application used it too.
        tx.release_attachment(&AttachmentId::new("shared"), at(10))
    });
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let read = store.read(|tx| {
        let id = AttachmentId::new("kept");
        let nothing = tx.attachment_content(&AttachmentId::new("unknown"))?;
        Ok::<_, StoreError>((
            tx.attachment(&id)?,
            tx.attachment_content(&id)?,
            nothing,
            tx.unused_attachment_bytes(&owner())?,
            tx.unused_attachment_bytes(&Principal::User(ProfileId::new("u2")))?,
        ))
    });
    assert_eq!(read.await.unwrap(), (Some(attachment("kept", 0)), Some(expected), None, 4 * 256, 0));

    let delete = async |limit: u32| -> u64 {
        store
            .write(move |tx| tx.delete_unused_attachments(at(50), limit))
            .await
            .unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    assert_eq!((delete(1).await, delete(9).await, delete(9).await), (1, 1, 0), "in small steps");
    let left = store.read(|tx| {
        let mut left = Vec::new();
        for id in ["unused", "young", "kept", "let go", "shared"] {
            left.push(tx.attachment(&AttachmentId::new(id))?.is_some());
        }
        Ok::<_, StoreError>(left)
    });
    assert_eq!(left.await.unwrap(), [false, true, true, false, true]);
}
