//! Channels, as the host says them.

use spaceport_platform::audit::AuditChange;
use spaceport_platform::directory::channel::{Channel, check};
use spaceport_platform::directory::project::Openness;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ChannelFilter, ListOrder, ListStart, Listed, StoreError, Tx, Visible};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::{ChannelEntries, ChannelEntry, Ids, Outcome};

use crate::host::directory::project::openness;
use crate::host::directory::{
    At, BODY_LIMIT, Feeding, Kind, Named, Paging, archive, flag, list, listed_id, put, read_all, show, single_id,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/host/v1/directory/channels";
    const ONE: &str = "/api/host/v1/directory/channels/{id}";
    routes
        .get(ALL, "host.channel.list", "List channels", list_all)
        .put(ALL, "host.channel.put_all", "Put channels", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(ALL, "host.channel.delete_all", "Archive channels", delete_all)
        .with_body_limit(BODY_LIMIT)
        .get(ONE, "host.channel.get", "Get channel", get_one)
        .put(ONE, "host.channel.put", "Put channel", put_one)
        .delete(ONE, "host.channel.delete", "Archive channel", delete_one)
}

/// A channel as a `PUT` would say it.
///
/// # Errors
/// `not-found`.
pub async fn get_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<ChannelEntry>, ApiError> {
    show::<Channel>(&cx, path.id).await.map(Json)
}

/// All channels, archived ones too, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list_all(cx: Feeding, Query(paging): Query<Paging>) -> Result<Json<Batch<ChannelEntry>>, ApiError> {
    list::<Channel>(&cx, &paging).await.map(Json)
}

/// Puts a channel.
///
/// # Errors
/// `validation-error` naming the field.
pub async fn put_one(
    cx: Feeding,
    Path(path): Path<Named>,
    Body(body): Body<ChannelEntry>,
) -> Result<Json<Outcome>, ApiError> {
    let id = single_id(path.id, body.id.as_deref())?;
    let entry = read(id, body, cx.now())?;
    put(&cx, vec![entry], At::Single).await.map(Json)
}

/// Puts many channels.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<ChannelEntries>) -> Result<Json<Outcome>, ApiError> {
    let now = cx.now();
    let entries = read_all(Channel::LIST, body.channels, |mut body| read(listed_id(body.id.take())?, body, now))?;
    put(&cx, entries, At::List(Channel::LIST)).await.map(Json)
}

/// Archives a channel. What holds in it can still be looked at and withdrawn.
///
/// # Errors
/// Those of access.
pub async fn delete_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<Outcome>, ApiError> {
    archive::<Channel>(&cx, vec![path.id]).await.map(Json)
}

/// Archives many channels.
///
/// # Errors
/// Those of access.
pub async fn delete_all(cx: Feeding, Body(body): Body<Ids>) -> Result<Json<Outcome>, ApiError> {
    archive::<Channel>(&cx, body.ids).await.map(Json)
}

fn read(id: String, body: ChannelEntry, now: Timestamp) -> Result<Channel, Invalid> {
    let channel = Channel {
        id,
        name: body.name,
        description: body.description,
        icon: body.icon,
        openness: openness(body.private),
        created_at: now,
        archived_at: body.archived.unwrap_or(false).then_some(now),
    };
    check(&channel)?;
    Ok(channel)
}

impl Kind for Channel {
    const LIST: &'static str = "channels";
    const NAME: &'static str = "channel";

    type Out = ChannelEntry;

    fn id(&self) -> &str {
        &self.id
    }

    fn out(&self) -> ChannelEntry {
        ChannelEntry {
            id: Some(self.id.clone()),
            name: self.name.clone(),
            description: self.description.clone(),
            icon: self.icon.clone(),
            private: Some(self.openness == Openness::Private),
            archived: Some(self.archived_at.is_some()),
        }
    }

    fn page(tx: &mut Tx<'_>, start: &ListStart, limit: i64) -> Result<Listed<Self>, StoreError> {
        let (query, order) = (String::new(), ListOrder::Id);
        let filter = ChannelFilter { visible: Visible::All, query, with_archived: true, public_only: false, order };
        tx.list_channels(&filter, start, limit)
    }

    fn inherit(&mut self, known: &Self) {
        self.created_at = known.created_at;
        self.archived_at = self.archived_at.map(|now| known.archived_at.unwrap_or(now));
    }

    fn archive(&mut self, now: Timestamp) {
        self.archived_at = self.archived_at.or(Some(now));
    }

    fn changes(&self, known: Option<&Self>) -> Vec<AuditChange> {
        let text =
            |field, read: fn(&Self) -> Option<&str>| AuditChange::between(field, known.and_then(read), read(self));
        [
            text("name", |it| Some(&it.name)),
            text("description", |it| it.description.as_deref()),
            text("icon", |it| it.icon.as_deref()),
            flag("private", known.map(|it| it.openness == Openness::Private), self.openness == Openness::Private),
            flag("archived", known.map(|it| it.archived_at.is_some()), self.archived_at.is_some()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn load(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Self>, StoreError> {
        tx.channels(ids)
    }

    fn save(tx: &mut Tx<'_>, entries: &[(usize, Self)], _: Timestamp, _: &At) -> Result<(), ApiError> {
        let channels: Vec<Self> = entries.iter().map(|(_, channel)| channel.clone()).collect();
        Ok(tx.save_channels(&channels)?)
    }
}
