//! Lists of applications: filtered, ordered, walked while others move.

use spaceport_platform::access::Owner;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_store::{ApplicationFilter, ApplicationOrder, ApplicationPage, ApplicationStart, Store};

use crate::make::{application, at};

pub(crate) async fn facts(store: &Store) {
    lists_are_filtered_and_ordered(store).await;
    a_walk_shows_everything_once_while_places_change(store).await;
}

fn ids(page: &ApplicationPage) -> Vec<String> {
    page.applications.iter().map(|application| application.id.to_string()).collect()
}

async fn lists_are_filtered_and_ordered(store: &Store) {
    let made = store.write(|tx| {
        for (index, (id, name)) in [("b1", "beta 50%"), ("b2", "Älter"), ("b3", "BETA zwei")].into_iter().enumerate() {
            let mut application = application(id);
            application.name = name.to_owned();
            application.owner = Owner::User(ProfileId::new("lister"));
            application.updated_at = at(i64::try_from(index).unwrap());
            tx.insert_application(&application)?;
        }
        let mut child = application("b4");
        child.owner = Owner::Application(ApplicationId::new("b1"));
        child.name = "beta child".to_owned();
        tx.insert_application(&child)?;
        tx.archive_application(&ApplicationId::new("b3"), at(9))
    });
    made.await.unwrap();
    let list = |filter: ApplicationFilter, order, offset, limit| async move {
        let start = ApplicationStart::Offset(offset);
        let page = store.read(move |tx| tx.applications(&filter, order, &start, limit, at(10))).await.unwrap();
        (ids(&page), page.total)
    };
    let own = || ApplicationFilter {
        owners: Some(vec![ProfileId::new("lister")]),
        with_archived: true,
        with_managed: true,
        name: None,
    };
    let by_name = list(own(), ApplicationOrder::NameAscending, 0, 10).await;
    assert_eq!(by_name, (vec!["b1".to_owned(), "b3".to_owned(), "b2".to_owned()], 3));
    let reversed = list(own(), ApplicationOrder::NameDescending, 0, 1).await;
    assert_eq!(reversed, (vec!["b2".to_owned()], 3));
    let edited = list(own(), ApplicationOrder::LastEdited, 0, 10).await;
    assert_eq!(edited.0, ["b3", "b2", "b1"]);
    let active =
        list(ApplicationFilter { with_archived: false, ..own() }, ApplicationOrder::NameAscending, 1, 10).await;
    assert_eq!(active, (vec!["b2".to_owned()], 2));
    let nobody = ApplicationFilter { owners: Some(Vec::new()), ..own() };
    assert_eq!(list(nobody, ApplicationOrder::NameAscending, 0, 10).await, (Vec::new(), 0));
    let named = |name: &str, with_managed| ApplicationFilter {
        name: Some(name.to_owned()),
        owners: None,
        with_archived: false,
        with_managed,
    };
    assert_eq!(list(named("BETA", true), ApplicationOrder::NameAscending, 0, 10).await.0, ["b1", "b4"]);
    assert_eq!(list(named("BETA", false), ApplicationOrder::NameAscending, 0, 10).await.0, ["b1"]);
    assert_eq!(list(named("50%", true), ApplicationOrder::NameAscending, 0, 10).await.0, ["b1"]);
    assert_eq!(list(named("ÄLT", true), ApplicationOrder::NameAscending, 0, 10).await.0, ["b2"]);
}

async fn a_walk_shows_everything_once_while_places_change(store: &Store) {
    for order in [ApplicationOrder::NameAscending, ApplicationOrder::NameDescending, ApplicationOrder::LastEdited] {
        let owner = move || ProfileId::new(format!("walker {order:?}"));
        let id = move |number: usize| ApplicationId::new(format!("{order:?}{number:02}"));
        let named = move |number: usize, name: String, millis: i64| {
            let mut application = application(id(number).as_str());
            application.name = name;
            application.updated_at = at(millis);
            application.owner = Owner::User(owner());
            application
        };
        let made = store.write(move |tx| {
            (0..9).try_for_each(|number| {
                let millis = i64::try_from(number).unwrap();
                tx.insert_application(&named(number, format!("walked {number}"), millis))
            })
        });
        made.await.unwrap();
        let filter =
            || ApplicationFilter { owners: Some(vec![owner()]), with_managed: true, ..ApplicationFilter::default() };
        let mut start = ApplicationStart::Offset(0);
        let mut seen = Vec::new();
        for round in 0_i64.. {
            let (filter, from) = (filter(), start.clone());
            // The walk began before any of the changes, whenever its pages are read.
            let page = store.read(move |tx| tx.applications(&filter, order, &from, 2, at(100 + round))).await.unwrap();
            let Some(last) = page.last.clone() else { break };
            assert_eq!(last.began, at(100));
            start = ApplicationStart::After(last);
            seen.extend(ids(&page));
            // Everything moves to the other end, twice, and new ones come.
            let moved = store.write(move |tx| {
                for (step, number) in (0..9).chain((0..9).rev()).enumerate() {
                    let name = format!("{} {number}", if step % 2 == 0 { "aaa" } else { "zzz" });
                    let millis = 101 + round * 50 + i64::try_from(step).unwrap();
                    tx.update_application(&named(number, name, millis))?;
                }
                let extra = usize::try_from(round).unwrap() + 50;
                tx.insert_application(&named(extra, "aaaa".to_owned(), 120 + round))
            });
            moved.await.unwrap();
        }
        let walked: Vec<_> = seen.iter().filter(|seen| (0..9).any(|number| id(number).as_str() == *seen)).collect();
        let mut once: Vec<_> = walked.clone();
        once.sort();
        once.dedup();
        assert_eq!((walked.len(), once.len()), (9, 9), "{order:?}: {seen:?}");
    }
    store.write(|tx| tx.forget_places(at(1_000_000))).await.unwrap();
}
