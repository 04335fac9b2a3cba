//! What hosts add to the catalogue, and what follows from it when deliveries are made and claimed.

use std::sync::Arc;

use spaceport_platform::authorization::RightStatus;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::event::About;
use spaceport_platform::field_right::{FieldRight, FieldRights};
use spaceport_platform::filter::Filter;
use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::listeners::Listener;
use spaceport_platform::right::Right;
use spaceport_platform::subscription::Subscription;
use spaceport_store::{Heard, OwnFieldRights, OwnFilter, Remembered, Store, StoreError, Tx, Wanted};

use crate::authorizations::{demanding, set};
use crate::make::{application, at, ids, listeners, publish_in, subscription, webhook};

pub(crate) async fn facts(store: &Store) {
    filters_of_hosts_are_kept_by_name(store).await;
    filters_are_deleted_and_their_use_is_found(store).await;
    rights_on_fields_are_kept_in_order(store).await;
    fields_are_withheld_where_their_right_is_not_held(store).await;
    whoever_filters_by_a_field_needs_its_right(store).await;
}

fn filter(subjects: &[&str]) -> OwnFilter {
    OwnFilter {
        code: "OwnIn".to_owned(),
        subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
        definition: "{}".to_owned(),
    }
}

async fn filters_of_hosts_are_kept_by_name(store: &Store) {
    let (first, second) = (filter(&["Issue"]), filter(&["Issue", "Blog"]));
    for one in [first, second.clone()] {
        store.write(move |tx| tx.save_filter(&one)).await.unwrap();
    }
    let kept = store.read(|tx| tx.own_filters()).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(kept, [second]);
}

async fn filters_are_deleted_and_their_use_is_found(store: &Store) {
    let filtered = |id: &str| {
        let filter = Filter { class: "OwnIn".to_owned(), ..Filter::default() };
        let filters = vec![filter.clone(), filter];
        Subscription { filters, ..subscription(&format!("w-{id}"), &format!("s-{id}"), &["Issue.Created"]) }
    };
    let made = store.write(move |tx| {
        for id in ["user-1", "user-2", "gone", "archived"] {
            tx.insert_application(&application(id))?;
            tx.insert_webhook(&webhook(id, &format!("w-{id}")), &[filtered(id)])?;
        }
        tx.archive_webhook(&WebhookId::new("w-gone"), at(1))?;
        let mut archived = application("archived");
        archived.archived_at = Some(at(1));
        tx.update_application(&archived)
    });
    made.await.unwrap();
    let used = async |limit| {
        let found = store.read(move |tx| tx.filter_use("OwnIn", limit)).await;
        let found = found.unwrap_or_else(|error: StoreError| panic!("{error}"));
        found.into_iter().map(|id| id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(used(9).await, ["w-user-1", "w-user-2"], "each once");
    assert_eq!(used(1).await, ["w-user-1"]);
    let before = store.read(|tx| tx.revision(Remembered::Catalogue)).await;
    let before = before.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let deleted = store.write(|tx| {
        tx.delete_filter("OwnIn")?;
        Ok::<_, StoreError>((tx.own_filters()?, tx.revision(Remembered::Catalogue)?))
    });
    assert_eq!(deleted.await.unwrap(), (Vec::new(), before + 1));
}

fn field(path: &str, right: &str) -> FieldRight {
    FieldRight { path: path.to_owned(), right: Right::from_code(right) }
}

async fn rights_on_fields_are_kept_in_order(store: &Store) {
    let of = |event_type: &str, fields: Vec<FieldRight>| OwnFieldRights { event_type: event_type.to_owned(), fields };
    let issue = of("Issue.Created", vec![field("z", "A.View"), field("a.b", "B.View"), field("m", "A.View")]);
    let blog = of("Blog.Created", vec![field("text", "B.View")]);
    let (first, second) = (issue.clone(), blog.clone());
    let kept = store.write(move |tx| {
        tx.save_field_rights(&first)?;
        tx.save_field_rights(&second)?;
        tx.own_field_rights()
    });
    assert_eq!(kept.await.unwrap_or_else(|error: StoreError| panic!("{error}")), [blog.clone(), issue]);
    let (shorter, none) = (of("Blog.Created", vec![field("body", "A.View")]), of("Issue.Created", Vec::new()));
    let kept = store.write(move |tx| {
        let before = tx.revision(Remembered::Catalogue)?;
        tx.save_field_rights(&shorter)?;
        tx.save_field_rights(&none)?;
        assert_eq!(tx.revision(Remembered::Catalogue)?, before + 1);
        tx.own_field_rights()
    });
    let kept = kept.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(kept, [of("Blog.Created", vec![field("body", "A.View")])]);
}

async fn fields_are_withheld_where_their_right_is_not_held(store: &Store) {
    listeners(store, &["some", "all"]).await;
    let project = Context::Project("f1".to_owned());
    let granted = RightStatus::Granted;
    set(store, "some", project.clone(), &[("F.View", granted), ("G.View", RightStatus::Requested)]).await;
    set(store, "all", Context::Global, &[("F.View", granted), ("G.View", granted), ("H.View", granted)]).await;
    let fields = vec![field("a", "F.View"), field("b.c", "G.View"), field("d", "Applications.View")];
    let mut field_rights = FieldRights::default();
    field_rights.put("Issue.Created".to_owned(), fields.clone());
    let new_id = ids();
    let about = About { application: ApplicationId::new("some"), maker: None };
    let (inside, asked) = (Place::from(project), fields.clone());
    let (there, elsewhere) = store
        .write(move |tx: &mut Tx<'_>| {
            let mut other = demanding("f3", inside.clone(), &["F.View"], None);
            other.event_type = "Issue.Deleted".to_owned();
            let events = [
                demanding("f1", inside.clone(), &[], None),
                demanding("f2", inside.clone(), &[], Some(about.clone())),
                other,
            ];
            publish_in(tx, &events, at(0), &new_id)?;
            let some = ApplicationId::new("some");
            let there = tx.withheld_fields(&some, &asked, &inside)?;
            Ok::<_, StoreError>((there, tx.withheld_fields(&some, &asked, &Place::GLOBAL)?))
        })
        .await
        .unwrap();
    assert_eq!(there, ["b.c", "d"]);
    assert_eq!(elsewhere, ["a", "b.c", "d"]);
    let claim = async |name: &'static str, field_rights: FieldRights| {
        let wants = [Wanted::of(ApplicationId::new(name), 9)];
        let claimed = store.write(move |tx| {
            let claimed = tx.claim(&wants, &field_rights, at(10), at(20))?;
            let leases: Vec<_> = claimed.iter().map(|row| (row.id.clone(), row.attempt, at(10))).collect();
            tx.release(&leases)?;
            Ok::<_, StoreError>(claimed)
        });
        let mut found: Vec<_> = claimed.await.unwrap().into_iter().map(|row| (row.payload, row.withheld)).collect();
        found.sort();
        found.into_iter().map(|(_, withheld)| withheld).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(
        claim("some", field_rights.clone()).await,
        [vec!["b.c", "d"], vec!["b.c"], none.to_vec()],
        "what an event is about needs no right on itself; another event type guards nothing"
    );
    assert_eq!(claim("all", field_rights.clone()).await, [vec!["d"], vec!["d"], none.to_vec()]);
    assert_eq!(claim("some", FieldRights::default()).await, [none, none, none]);
    // What is granted meanwhile counts from the next attempt on.
    set(store, "some", Context::Global, &[("G.View", granted)]).await;
    assert_eq!(claim("some", field_rights).await, [vec!["d"], none.to_vec(), none.to_vec()]);
}

async fn whoever_filters_by_a_field_needs_its_right(store: &Store) {
    listeners(store, &["knows", "knows-not", "other-filter"]).await;
    set(store, "knows", Context::Global, &[("F.View", RightStatus::Granted), ("G.View", RightStatus::Granted)]).await;
    set(store, "other-filter", Context::Global, &[("G.View", RightStatus::Granted)]).await;
    let listener = |name: &str, rights: &[&str]| Listener {
        webhook: WebhookId::new(format!("w-{name}")),
        application: ApplicationId::new(name),
        rights: (!rights.is_empty()).then(|| rights.iter().map(|code| Right::from_code(code)).collect()),
    };
    let listeners: Arc<[Listener]> = Arc::new([
        listener("knows", &["F.View"]),
        listener("knows", &["G.View"]),
        listener("knows-not", &["F.View", "G.View"]),
        listener("other-filter", &["F.View"]),
        listener("other-filter", &["G.View"]),
    ]);
    let new_id = ids();
    let (published, mut woken) = store
        .write(move |tx: &mut Tx<'_>| {
            let heard =
                Heard { revision: tx.revision(Remembered::Subscriptions)?, listeners: vec![Arc::clone(&listeners)] };
            let events = [demanding("filtered-by-a-field", Place::GLOBAL, &[], None)];
            Ok::<_, StoreError>(tx.publish(&events, &heard, at(0), &new_id)?.unwrap())
        })
        .await
        .unwrap();
    woken.sort();
    assert_eq!(published[0].deliveries, 2, "each webhook gets one");
    assert_eq!(woken, ["knows", "other-filter"].map(ApplicationId::new));
}
