//! Channels.

use spaceport_platform::directory::channel::Channel;
use spaceport_platform::directory::project::Openness;
use spaceport_platform::profile::folded;

use crate::error::StoreError;
use crate::tx::list::{ListOrder, ListStart, Listed, Listing, page};
use crate::tx::project::{Visible, openness, visible};
use crate::tx::{Tx, containing};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, name, description, icon, openness, created_at, archived_at";

/// Which channels a list holds.
#[derive(Clone, Debug)]
pub struct ChannelFilter {
    /// Those that somebody sees.
    pub visible: Visible,
    /// Part of the name, in any case; empty finds all.
    pub query: String,
    /// Whether archived ones are in it.
    pub with_archived: bool,
    /// Whether private ones are left out.
    pub public_only: bool,
    /// What the list is ordered by.
    pub order: ListOrder,
}

impl Tx<'_> {
    /// Stores channels, in place of those with the same ids.
    pub fn save_channels(&mut self, channels: &[Channel]) -> Result<(), StoreError> {
        self.rights_changed()?;
        let into = format!("INSERT INTO channel ({COLUMNS}, name_folded)");
        let tail = "ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, \
                    icon = excluded.icon, openness = excluded.openness, archived_at = excluded.archived_at, \
                    name_folded = excluded.name_folded";
        self.insert_all(&into, tail, &channels.iter().map(values).collect::<Vec<_>>()).map(|_| ())
    }

    /// The channel with this id, archived or not.
    pub fn channel(&mut self, id: &str) -> Result<Option<Channel>, StoreError> {
        Ok(self.channels(&[id.to_owned()])?.pop())
    }

    /// The channels with these ids, in no order; unknown ids are left out.
    pub fn channels(&mut self, ids: &[String]) -> Result<Vec<Channel>, StoreError> {
        let ids: Vec<Value> = ids.iter().map(|id| id.as_str().into()).collect();
        self.rows_in(&format!("SELECT {COLUMNS} FROM channel"), "id", &ids)?.into_iter().map(read).collect()
    }

    /// Channels that have exactly this name, in any case, and are not archived. Names are not unique.
    pub fn channels_by_name(&mut self, name: &str) -> Result<Vec<Channel>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM channel WHERE name_folded = $1 AND archived_at IS NULL ORDER BY created_at, id"
        );
        self.connection.query(&sql, &[folded(name).into()])?.into_iter().map(read).collect()
    }

    /// A page of channels.
    pub fn list_channels(
        &mut self,
        filter: &ChannelFilter,
        start: &ListStart,
        limit: i64,
    ) -> Result<Listed<Channel>, StoreError> {
        let (mut conditions, mut bound): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        if !filter.with_archived {
            conditions.push("archived_at IS NULL".to_owned());
        }
        if !filter.query.is_empty() {
            bound.push(containing(&filter.query));
            conditions.push("name_folded LIKE $1 ESCAPE '!'".to_owned());
        }
        if filter.public_only {
            conditions.push(format!("openness = '{}'", Openness::Public.name()));
        }
        conditions.push(visible(&filter.visible, &mut bound));
        let listing = Listing { table: "channel", columns: COLUMNS, conditions, bound, order: filter.order };
        let (rows, total) = self.listed(listing, start, limit)?;
        let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page(found, total, filter.order, |channel| (folded(&channel.name), channel.id.clone())))
    }
}

fn values(channel: &Channel) -> Vec<Value> {
    vec![
        channel.id.as_str().into(),
        channel.name.as_str().into(),
        channel.description.as_deref().into(),
        channel.icon.as_deref().into(),
        channel.openness.name().into(),
        channel.created_at.into(),
        channel.archived_at.into(),
        folded(&channel.name).into(),
    ]
}

fn read(mut row: Row) -> Result<Channel, StoreError> {
    Ok(Channel {
        id: row.text()?,
        name: row.text()?,
        description: row.optional_text()?,
        icon: row.optional_text()?,
        openness: openness(&row.text()?)?,
        created_at: row.time()?,
        archived_at: row.optional_time()?,
    })
}
