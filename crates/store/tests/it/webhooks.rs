//! Webhooks and subscriptions.

use spaceport_platform::custom_header::CustomHeader;
use spaceport_platform::filter::Filter;
use spaceport_platform::id::{ApplicationId, SubscriptionId, WebhookId};
use spaceport_platform::secret::Secret;
use spaceport_platform::webhook::{PayloadForm, Webhook};
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

    settings_change(store).await;
    subscriptions_change(store).await;
    custom_headers(store).await;
}

async fn settings_change(store: &Store) {
    let payload = PayloadForm::Template("{{a}}".to_owned());
    let changed = Webhook { name: "Neu Ä".to_owned(), payload, enabled: false, ..webhook("a1", "w2") };
    let after_all = changed.clone();
    let write = store.write(move |tx| {
        let stored = tx.webhook(&ApplicationId::new("a1"), &WebhookId::new("w2"))?.unwrap();
        tx.update_webhook(&Webhook { revision: stored.revision, ..changed.clone() })?;
        tx.touch_webhook(&stored.id)?;
        tx.cancel_waiting(&stored.id, at(6))?;
        let counted = (tx.count_webhooks(&stored.application)?, tx.webhook(&stored.application, &stored.id)?);
        Ok::<_, StoreError>((stored, counted))
    });
    let (before, (count, after)) = write.await.unwrap();
    assert_eq!(count, 2, "the archived one came back");
    let expected = Webhook { revision: before.revision + 2, ..after_all };
    assert_eq!(after, Some(expected));
    let stale = store.write(move |tx| tx.update_webhook(&before)).await;
    assert!(stale.is_err(), "a change of what has changed meanwhile is refused");
}

async fn subscriptions_change(store: &Store) {
    let write = store.write(|tx| {
        let mut changed = subscription("w1", "s2", &["Issue.Moved"]);
        let fields = [("b", vec!["1", "ä"]), ("a", vec!["x"])]
            .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
        changed.filters = vec![
            Filter { class: "EmptyIn".to_owned(), ..Filter::default() },
            Filter { class: "FullIn".to_owned(), fields: fields.into() },
        ];
        changed.name = "renamed".to_owned();
        changed.enabled = false;
        tx.update_subscription(&changed)?;
        tx.delete_subscription(&SubscriptionId::new("s1"))?;
        tx.insert_subscription(&subscription("w1", "s0", &["Issue.Created"]))?;
        Ok::<_, StoreError>((changed, tx.subscriptions(&[WebhookId::new("w1")])?))
    });
    let (changed, found) = write.await.unwrap();
    let listening = store.read(|tx| tx.listening()).await.unwrap();
    let of_hook: Vec<_> = listening.iter().filter(|one| one.listener.webhook == changed.webhook).collect();
    assert_eq!(of_hook.len(), 1, "the changed one is disabled");
    assert_eq!(of_hook[0].subscription.id, SubscriptionId::new("s0"));
    assert_eq!(of_hook[0].listener.application, ApplicationId::new("a1"));
    assert_eq!(found, [changed, subscription("w1", "s0", &["Issue.Created"])], "new ones come last");
}

async fn custom_headers(store: &Store) {
    let header = |name: &str, value: &str| CustomHeader {
        name: name.to_owned(),
        value: Secret::new(value),
        description: (name == "X-B").then(|| "what for".to_owned()),
    };
    let headers = [header("X-B", "b"), header("X-A", "")];
    let write = store.write(move |tx| {
        let id = WebhookId::new("w1");
        tx.set_custom_headers(&id, &headers)?;
        let first = tx.custom_headers(&id)?;
        tx.set_custom_headers(&id, &headers[1..])?;
        Ok::<_, StoreError>((first, tx.custom_headers(&id)?))
    });
    let (first, second) = write.await.unwrap();
    let plain =
        |header: &CustomHeader| (header.name.clone(), header.value.reveal().to_owned(), header.description.clone());
    let expected =
        [("X-B".to_owned(), "b".to_owned(), Some("what for".to_owned())), ("X-A".to_owned(), String::new(), None)];
    assert_eq!(first.iter().map(plain).collect::<Vec<_>>(), expected);
    assert_eq!(second.iter().map(plain).collect::<Vec<_>>(), expected[1..]);
}
