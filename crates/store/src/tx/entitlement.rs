//! Which applications may hear of an event: those that hold, in its context, the rights that its type demands.
//!
//! Asked when an event is published, and again each time a delivery is claimed, because rights can be taken back
//! while it waits.

use std::collections::{BTreeSet, HashMap};

use spaceport_platform::access::{Grant, own_rights};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::event::{About, NewEvent, entitled};
use spaceport_platform::field_right::FieldRight;
use spaceport_platform::grants::Grants;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::event::Heard;
use crate::tx::revision::Remembered;
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

/// What an application needs to hear of a stored event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Demand {
    pub(crate) rights: Vec<Right>,
    pub(crate) place: Place,
    pub(crate) about: Option<About>,
}

/// What an event tells, and to whom.
pub(crate) struct Told {
    /// Canonical JSON of its payload.
    pub payload: String,
    /// Code of its type.
    pub event_type: String,
    /// What an application needs.
    pub demand: Demand,
}

/// Whether an application may hear of an event, and which of these fields of it.
pub(crate) struct Question<'a> {
    /// What it needs to hear of it.
    pub demand: &'a Demand,
    /// Fields that demand rights of their own.
    pub fields: &'a [FieldRight],
}

impl Question<'_> {
    fn rights(&self) -> impl Iterator<Item = &Right> {
        self.demand.rights.iter().chain(self.fields.iter().map(|field| &field.right))
    }

    fn answer(&self, application: &ApplicationId, grants: &Grants) -> Option<Vec<String>> {
        let Demand { rights, place, about } = self.demand;
        let may = |rights: &[Right]| entitled(application, rights, place, about.as_ref(), grants);
        let hidden = |field: &&FieldRight| !may(std::slice::from_ref(&field.right));
        may(rights).then(|| self.fields.iter().filter(hidden).map(|field| field.path.clone()).collect())
    }
}

/// The columns of `event` that hold a [`Demand`].
pub(crate) const DEMAND: &str = "rights, context, outer_context, about";

impl Demand {
    /// Reads the columns of [`DEMAND`].
    pub(crate) fn read(row: &mut Row) -> Result<Self, StoreError> {
        let context = |stored: &str| {
            Context::from_stored(stored).ok_or_else(|| StoreError::corrupt(format!("the context {stored}")))
        };
        let rights = row.text()?.split_ascii_whitespace().map(Right::from_code).collect();
        let inner = context(&row.text()?)?;
        let place = match row.optional_text()? {
            Some(outer) => Place::within(inner, context(&outer)?),
            None => inner.into(),
        };
        let about = row.optional_text()?.and_then(|stored| {
            let mut ids = stored.split_ascii_whitespace().map(ApplicationId::new);
            Some(About { application: ids.next()?, maker: ids.next() })
        });
        Ok(Self { rights, place, about })
    }

    /// The values of the columns of [`DEMAND`].
    pub(crate) fn values(event: &NewEvent) -> [Value; 4] {
        // Between blanks on both sides each one can be searched for as a word.
        let rights: String = event.rights.iter().map(|right| format!(" {right}")).collect();
        let about = event.about.as_ref().map(|about| {
            let maker = about.maker.as_ref().map(|maker| format!("{maker} ")).unwrap_or_default();
            format!(" {} {maker}", about.application)
        });
        [
            format!("{rights} ").into(),
            event.place.context().to_string().into(),
            event.place.outer().map(ToString::to_string).into(),
            about.into(),
        ]
    }
}

impl Tx<'_> {
    /// What applications hold of the rights that decide about these events, where they happened; archived applications are
    /// not there. `None` when subscriptions have changed since `heard` was told.
    pub(crate) fn held(
        &mut self,
        heard: &Heard,
        applications: &[&ApplicationId],
        events: &[NewEvent],
    ) -> Result<Option<HashMap<ApplicationId, Grants>>, StoreError> {
        let mut held: HashMap<ApplicationId, Grants> = HashMap::new();
        if applications.is_empty() {
            let current = self.revision(Remembered::Subscriptions)?;
            return Ok((current == heard.revision).then_some(held));
        }
        let rights = heard.rights(events);
        let contexts: BTreeSet<String> =
            events.iter().flat_map(|event| event.place.covering().map(ToString::to_string)).collect();
        for portion in applications.chunks(500) {
            let mut values: Vec<Value> = Vec::with_capacity(portion.len() + contexts.len() + rights.len());
            let mut listed = |all: Vec<Value>| {
                let list = placeholders(values.len() + 1, all.len());
                values.extend(all);
                list
            };
            let theirs = listed(portion.iter().map(|id| (*id).into()).collect());
            let granted = match rights.is_empty() {
                true => "1 = 0".to_owned(),
                false => format!(
                    "r.context IN ({}) AND r.right_code IN ({})",
                    listed(contexts.iter().map(|context| context.as_str().into()).collect()),
                    listed(rights.iter().map(|right| (*right).into()).collect())
                ),
            };
            // One statement for all of it, so that publishing needs no more than before there was an index.
            let sql = format!(
                "SELECT v.number, a.id, r.right_code, r.context FROM revision v \
                 LEFT JOIN application a ON a.id IN ({theirs}) AND a.archived_at IS NULL \
                 LEFT JOIN authorized_right r ON r.application_id = a.id AND r.status = 'GRANTED' AND {granted} \
                 WHERE v.name = 'subscriptions'"
            );
            for mut row in self.connection.query(&sql, &values)? {
                if row.int()? != heard.revision {
                    return Ok(None);
                }
                let Some(id) = row.optional_text()? else { continue };
                let grants = held.entry(ApplicationId::new(id)).or_insert_with(Grants::none);
                if let (Some(right), Some(stored)) = (row.optional_text()?, row.optional_text()?) {
                    let context = Context::from_stored(&stored)
                        .ok_or_else(|| StoreError::corrupt(format!("the context {stored}")))?;
                    grants.add(Grant { right: Right::from_code(&right), context });
                }
            }
        }
        Ok(Some(held))
    }

    /// Cancels what waits for an application and demands one of these rights where it is no longer held. What is
    /// on its way is not called back, but not sent again either.
    pub fn cancel_unentitled(
        &mut self,
        application: &ApplicationId,
        withdrawn: &[Right],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut cancelled = 0;
        for right in withdrawn {
            let mut values: Vec<Value> =
                vec![now.into(), application.into(), format!("% {right} %").into(), right.code().into()];
            let own = match own_rights().contains(right) {
                true => {
                    values.push(format!("% {application} %").into());
                    " AND (e.about IS NULL OR e.about NOT LIKE $5)"
                }
                false => "",
            };
            let sql = format!(
                "UPDATE delivery SET state = 'cancelled', finished_at = $1 WHERE application_id = $2 AND finished_at IS NULL \
                 AND event_id IN (SELECT e.id FROM event e JOIN delivery d ON d.event_id = e.id \
                   WHERE d.application_id = $2 AND d.finished_at IS NULL AND e.rights LIKE $3 AND NOT EXISTS ( \
                     SELECT 1 FROM authorized_right r WHERE r.application_id = $2 AND r.right_code = $4 AND r.status = 'GRANTED' \
                     AND (r.context = 'global' OR r.context = e.context OR r.context = e.outer_context)){own})"
            );
            cancelled += self.connection.execute(&sql, &values)?;
        }
        Ok(cancelled)
    }

    /// Of these questions about one application, whether it may hear of each event now: `None` when it may not, or the
    /// paths of the fields that it may not see.
    pub(crate) fn meets(
        &mut self,
        application: &ApplicationId,
        questions: &[Question<'_>],
    ) -> Result<Vec<Option<Vec<String>>>, StoreError> {
        let rights: BTreeSet<&str> = questions.iter().flat_map(Question::rights).map(Right::code).collect();
        let contexts: BTreeSet<String> =
            questions.iter().flat_map(|question| question.demand.place.covering().map(ToString::to_string)).collect();
        let mut grants = Grants::none();
        if !rights.is_empty() {
            let sql = format!(
                "SELECT right_code, context FROM authorized_right WHERE application_id = $1 AND context IN ({}) \
                 AND right_code IN ({}) AND status = 'GRANTED'",
                placeholders(2, contexts.len()),
                placeholders(2 + contexts.len(), rights.len())
            );
            let mut values: Vec<Value> = vec![application.into()];
            values.extend(contexts.iter().map(|context| Value::from(context.as_str())));
            values.extend(rights.iter().map(|right| Value::from(*right)));
            for mut row in self.connection.query(&sql, &values)? {
                let (right, stored) = (row.text()?, row.text()?);
                let context = Context::from_stored(&stored)
                    .ok_or_else(|| StoreError::corrupt(format!("the context {stored}")))?;
                grants.add(Grant { right: Right::from_code(&right), context });
            }
        }
        Ok(questions.iter().map(|question| question.answer(application, &grants)).collect())
    }

    /// Paths of those of these fields that an application may not see in an event at this place.
    pub fn withheld_fields(
        &mut self,
        application: &ApplicationId,
        fields: &[FieldRight],
        place: &Place,
    ) -> Result<Vec<String>, StoreError> {
        let demand = Demand { rights: Vec::new(), place: place.clone(), about: None };
        let answers = self.meets(application, &[Question { demand: &demand, fields }])?;
        Ok(answers.into_iter().flatten().flatten().collect())
    }

    /// What is told by these events, by id.
    pub(crate) fn told(&mut self, events: &[String]) -> Result<HashMap<String, Told>, StoreError> {
        let ids: BTreeSet<&str> = events.iter().map(String::as_str).collect();
        let ids: Vec<Value> = ids.into_iter().map(Value::from).collect();
        let rows = self.rows_in(&format!("SELECT id, payload, event_type, {DEMAND} FROM event"), "id", &ids)?;
        let read = |mut row: Row| {
            let (id, payload, event_type) = (row.text()?, row.text()?, row.text()?);
            Ok((id, Told { payload, event_type, demand: Demand::read(&mut row)? }))
        };
        rows.into_iter().map(read).collect()
    }
}
