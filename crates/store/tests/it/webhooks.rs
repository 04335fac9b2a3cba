//! Webhooks and subscriptions.

use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_store::{Store, StoreError};

use crate::make::{application, at, subscription, webhook};

pub(crate) async fn facts(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_application(&application("a1"))?;
        let subscriptions =
            [subscription("w1", "s2", &["Issue.Deleted", "Issue.Created"]), subscription("w1", "s1", &["Issue.Moved"])];
        tx.insert_webhook(&webhook("a1", "w1"), &subscriptions)?;
        tx.insert_webhook(&webhook("a1", "w2"), &[])
    });
    made.await.unwrap();
    let (own, foreign) = (ApplicationId::new("a1"), ApplicationId::new("a2"));
    let read = store.read(move |tx| {
        let id = WebhookId::new("w1");
        Ok::<_, StoreError>((
            tx.webhook(&own, &id)?,
            tx.webhook(&foreign, &id)?,
            tx.webhooks(&own, false, None, 0, 1)?,
            tx.webhooks(&own, false, Some("HOOK W2"), 0, 10)?,
            tx.subscriptions(&[id.clone(), WebhookId::new("w2")])?,
            tx.last_attempts(&[id])?,
        ))
    });
    let (found, not_mine, page, named, subscriptions, attempts) = read.await.unwrap();
    assert_eq!(found, Some(webhook("a1", "w1")));
    assert_eq!(not_mine, None, "another application's webhook is not found");
    assert_eq!((page.0.len(), page.1), (1, 2));
    assert_eq!(named.0, [webhook("a1", "w2")]);
    let expected =
        [subscription("w1", "s2", &["Issue.Deleted", "Issue.Created"]), subscription("w1", "s1", &["Issue.Moved"])];
    assert_eq!(subscriptions, expected, "in the order they were given");
    assert_eq!(attempts, []);

    store.write(|tx| tx.archive_webhook(&WebhookId::new("w2"), at(5))).await.unwrap();
    let read = store.read(|tx| {
        let own = ApplicationId::new("a1");
        Ok::<_, StoreError>((tx.webhooks(&own, false, None, 0, 10)?, tx.webhooks(&own, true, None, 0, 10)?))
    });
    let (active, all) = read.await.unwrap();
    assert_eq!((active.1, all.1), (1, 2));
    assert_eq!(all.0[1].archived_at, Some(at(5)));
}
