//! Things to store.

use std::time::Duration;

use spaceport_platform::access::Owner;
use spaceport_platform::application::{Application, AuthenticationMethod, Endpoint, Flows};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::Place;
use spaceport_platform::directory::channel::Channel;
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::directory::team::Team;
use spaceport_platform::event::NewEvent;
use spaceport_platform::id::{
    ApplicationId, DeliveryId, EventId, Id, KeyId, ProfileId, SubscriptionId, TeamId, WebhookId,
};
use spaceport_platform::listeners::Listeners;
use spaceport_platform::profile::Profile;
use spaceport_platform::random::Counting;
use spaceport_platform::sending::Sending;
use spaceport_platform::subscription::Subscription;
use spaceport_platform::time::Timestamp;
use spaceport_platform::webhook::{PayloadForm, Webhook};
use spaceport_store::{Heard, PublicKey, Remembered, Store, StoreError, Stored};
use std::sync::LazyLock;

/// A moment.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

/// The public half of a key that signs from the beginning of time.
pub(crate) fn public_key(id: &str, created_at: Timestamp) -> PublicKey {
    let (n, e, signs_from) = (format!("n of {id}"), "AQAB".to_owned(), Timestamp::from_millis(0));
    PublicKey { id: KeyId::new(id), n, e, created_at, signs_from, retires_at: None }
}

pub(crate) fn profile(id: &str) -> Profile {
    Profile {
        first_name: "Ann".to_owned(),
        last_name: "Ä".to_owned(),
        ..Profile::new(ProfileId::new(id), format!("user-{id}"), at(0))
    }
}

pub(crate) fn project(id: &str, key: &str) -> Project {
    Project {
        id: id.to_owned(),
        key: key.to_owned(),
        name: format!("Project {id}"),
        description: None,
        icon: None,
        openness: Openness::Public,
        created_at: at(0),
        archived_at: None,
    }
}

pub(crate) fn channel(id: &str) -> Channel {
    Channel {
        id: id.to_owned(),
        name: format!("Channel {id}"),
        description: Some("Übung".to_owned()),
        icon: None,
        openness: Openness::Private,
        created_at: at(0),
        archived_at: None,
    }
}

pub(crate) fn team(id: &str, parent: Option<&str>) -> Team {
    Team {
        id: TeamId::new(id),
        name: format!("Team {id}"),
        description: None,
        parent: parent.map(TeamId::new),
        external_id: Some(format!("external-{id}")),
        created_at: at(0),
        archived_at: None,
    }
}

pub(crate) fn application(id: &str) -> Application {
    let owner = Owner::User(ProfileId::new("u1"));
    let mut application =
        Application::new(ApplicationId::new(id), format!("client-{id}"), format!("Name {id}"), owner, at(0));
    application.description = Some("Zweck: 100 % Übung".to_owned());
    application.flows =
        Flows { code: true, code_redirect_uris: Some("https://a.example/cb".to_owned()), ..Flows::default() };
    application.endpoint = Some(Endpoint { url: "https://a.example/space".to_owned(), ssl_verification: false });
    application.authentication = AuthenticationMethod::Basic { username: "user".to_owned() };
    application.tokens_not_before = at(0);
    application
}

pub(crate) fn webhook(application: &str, id: &str) -> Webhook {
    Webhook {
        id: WebhookId::new(id),
        application: ApplicationId::new(application),
        name: format!("Hook {id}"),
        description: None,
        endpoint: None,
        authentication: Some(AuthenticationMethod::SigningKey),
        ssl_keystore: None,
        payload: PayloadForm::Fields("clientId".to_owned()),
        enabled: true,
        accepted_codes: vec![404, 410],
        retries: true,
        sending: Sending {
            retry_delays: Some(vec![Duration::from_millis(1_500), Duration::ZERO]),
            ordered: false,
            most_in_flight: Some(3),
            most_per_minute: Some(60),
        },
        created_at: at(0),
        archived_at: None,
        revision: 1,
    }
}

pub(crate) fn subscription(webhook: &str, id: &str, event_types: &[&str]) -> Subscription {
    Subscription {
        id: SubscriptionId::new(id),
        webhook: WebhookId::new(webhook),
        name: format!("Subscription {id}"),
        enabled: true,
        subject: "Issue".to_owned(),
        event_types: event_types.iter().map(|code| (*code).to_owned()).collect(),
        filters: Vec::new(),
    }
}

pub(crate) fn event(id: &str) -> NewEvent {
    NewEvent {
        id: EventId::new(id),
        subject: "Issue".to_owned(),
        event_type: "Issue.Created".to_owned(),
        place: Place::GLOBAL,
        about: None,
        rights: Vec::new(),
        occurred_at: at(0),
        payload: format!(r#"{{"className":"IssueWebhookEvent","id":"{id}"}}"#),
        attributes: None,
    }
}

/// Fresh delivery ids.
pub(crate) fn ids() -> impl Fn() -> DeliveryId + Send + Sync + 'static {
    static RANDOM: LazyLock<Counting> = LazyLock::new(Counting::default);
    || Id::generate(at(0), &*RANDOM)
}

/// An application with a webhook that hears of created issues, for each id.
pub(crate) async fn listeners(store: &Store, names: &'static [&'static str]) {
    let made = store.write(move |tx| {
        for name in names {
            tx.insert_application(&application(name))?;
            let hook = format!("w-{name}");
            let subscription = subscription(&hook, &format!("s-{name}"), &["Issue.Created", "Issue.Deleted"]);
            tx.insert_webhook(&webhook(name, &hook), &[subscription])?;
        }
        Ok::<_, StoreError>(())
    });
    made.await.unwrap();
}

/// Publishes events for those who subscribed to them, as the server does.
pub(crate) fn publish_in(
    tx: &mut spaceport_store::Tx<'_>,
    events: &[NewEvent],
    now: Timestamp,
    new_id: &dyn Fn() -> DeliveryId,
) -> Result<Stored, StoreError> {
    let heard = heard(tx, events)?;
    Ok(tx.publish(events, &heard, now, new_id)?.unwrap())
}

/// Who hears of events now.
pub(crate) fn heard(tx: &mut spaceport_store::Tx<'_>, events: &[NewEvent]) -> Result<Heard, StoreError> {
    let index = Listeners::new(&tx.listening()?, &Catalogue::default());
    let hear = |event: &NewEvent| index.hear(&event.subject, &event.event_type, &event.place, |_, _, _| Vec::new());
    Ok(Heard { revision: tx.revision(Remembered::Subscriptions)?, listeners: events.iter().map(hear).collect() })
}

/// Publishes events with these ids.
pub(crate) async fn publish(store: &Store, names: &'static [&'static str]) {
    let new_id = ids();
    let work = move |tx: &mut spaceport_store::Tx<'_>| {
        let events: Vec<NewEvent> = names.iter().map(|name| event(name)).collect();
        publish_in(tx, &events, at(0), &new_id).map(|_| ())
    };
    store.write(work).await.unwrap();
}
