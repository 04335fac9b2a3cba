//! Lists that are walked: from the query's page to the store's place in the list and back.

use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListOrder, ListPlace, ListStart, Listed};
use spaceport_wire::batch::Batch;

use crate::api::page::{Cursor, Page, Start};

/// Where the page begins.
///
/// # Errors
/// When `$skip` belongs to a list in another order.
pub fn start(page: &Page, order: ListOrder) -> Result<ListStart, Invalid> {
    Ok(match (page.cursor(name(order))?, &page.start) {
        (Some(cursor), _) => ListStart::After(ListPlace { key: cursor.key.clone(), id: cursor.id.clone() }),
        (None, Start::Offset(offset)) => ListStart::Offset(*offset),
        (None, Start::After(_)) => ListStart::Offset(0),
    })
}

/// The page with its entries.
pub fn batch<T>(page: &Page, order: ListOrder, listed: Listed<T>) -> Batch<T> {
    let last = listed.last.map(|place| Cursor {
        order: name(order).to_owned(),
        began: Timestamp::from_millis(0),
        key: place.key,
        id: place.id,
    });
    page.batch_after(listed.entries, listed.total, last.as_ref())
}

fn name(order: ListOrder) -> &'static str {
    match order {
        ListOrder::Id => "id",
        ListOrder::Name => "name",
        ListOrder::NameBackwards => "name-backwards",
    }
}
