//! Paging: `$skip` and `$top` in, batches with `next` and `totalCount` out (wire-protocol 2.6).
//!
//! Three kinds of list: those that count (`Page::offset`); those that are walked by the place of the last entry
//! ([`Cursor`]), so that entries that come, go or move meanwhile neither hide nor repeat others; and logs
//! ([`LogPage`]), which nobody counts. Clients hand `next` back as it is; some begin with `0`, and some count for
//! themselves, so numbers are taken where entries are counted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_wire::batch::Batch;

/// Entries of a page unless the caller says otherwise.
const DEFAULT: i32 = 100;
/// Most entries of a page; larger wishes are cut.
const MOST: i64 = 1_000;
/// Longest `$skip` that is looked at, in bytes.
const LONGEST: usize = 4_000;
/// What tells a cursor from a number.
const MARK: &str = "c.";

/// Entries of a page unless the caller says otherwise, as the default of `$top` in a query type.
pub const fn page_size() -> Option<i32> {
    Some(DEFAULT)
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Where it begins.
    pub start: Start,
    /// Most entries in it.
    pub limit: i64,
    skip: String,
}

/// Where a page begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// After this many entries.
    Offset(i64),
    /// After the entry that the cursor names.
    After(Cursor),
}

/// The place of the last entry of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// What the list is ordered by; a cursor of one order means nothing in another.
    pub order: String,
    /// When the walk began.
    pub began: Timestamp,
    /// The entry's key in that order.
    pub key: String,
    /// The entry's id.
    pub id: String,
}

impl Page {
    /// Reads `$skip` and `$top` of a list that is walked by cursors.
    ///
    /// # Errors
    /// Names the parameter that is neither a number nor a cursor, or negative.
    pub fn walked(skip: Option<&str>, top: Option<i64>) -> Result<Self, Invalid> {
        let skip = skip.unwrap_or_default();
        let wrong = || Invalid::new("$skip", "must be the `next` of the page before, or 0");
        let start = match skip.strip_prefix(MARK) {
            Some(cursor) => Cursor::read(cursor).map(Start::After).ok_or_else(wrong)?,
            None if skip.is_empty() => Start::Offset(0),
            None => Start::Offset(skip.parse().ok().filter(|offset| *offset >= 0).ok_or_else(wrong)?),
        };
        let limit = top.unwrap_or(i64::from(DEFAULT));
        if limit < 0 {
            return Err(Invalid::new("$top", "must not be negative"));
        }
        let skip = if skip.is_empty() { "0" } else { skip }.to_owned();
        Ok(Self { start, limit: limit.min(MOST), skip })
    }

    /// Reads `$skip` and `$top` of a list that counts.
    ///
    /// # Errors
    /// Names the parameter that is no number or negative.
    pub fn new(skip: Option<&str>, top: Option<i64>) -> Result<Self, Invalid> {
        let page = Self::walked(skip, top)?;
        match page.start {
            Start::Offset(_) => Ok(page),
            Start::After(_) => Err(Invalid::new("$skip", "must be the `next` of the page before, or 0")),
        }
    }

    /// Entries before the page, in a list that counts.
    pub fn offset(&self) -> i64 {
        match self.start {
            Start::Offset(offset) => offset,
            Start::After(_) => 0,
        }
    }

    /// The cursor the page begins at, when it belongs to `order`.
    ///
    /// # Errors
    /// When it is a cursor of another order.
    pub fn cursor(&self, order: &str) -> Result<Option<&Cursor>, Invalid> {
        match &self.start {
            Start::Offset(_) => Ok(None),
            Start::After(cursor) if cursor.order == order => Ok(Some(cursor)),
            Start::After(_) => Err(Invalid::new("$skip", "belongs to a list in another order; begin again with 0")),
        }
    }

    /// The page with its entries, in a list that counts; `next` is the offset behind the last one, also on the last
    /// page.
    pub fn batch<T>(&self, data: Vec<T>, total: i64) -> Batch<T> {
        let returned = i64::try_from(data.len()).unwrap_or(i64::MAX);
        Batch { next: self.offset().saturating_add(returned).to_string(), total_count: Some(total), data }
    }

    /// The page with its entries, in a list walked by cursors; `next` is the place of the last entry. An empty page
    /// stays where it is: `next` is never empty.
    pub fn batch_after<T>(&self, data: Vec<T>, total: i64, last: Option<&Cursor>) -> Batch<T> {
        let next = last.map_or_else(|| self.skip.clone(), |cursor| format!("{MARK}{}", cursor.write()));
        Batch { next, total_count: Some(total), data }
    }
}

/// A page of a log: entries are added in front all the time, so it begins behind an entry. Counting years of entries for
/// each page would cost more than the page, so there is no total.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPage<P> {
    /// The place of the entry behind which it begins; `None` at the newest.
    pub before: Option<P>,
    /// Most entries in it.
    pub limit: i64,
    skip: String,
}

impl<P> LogPage<P> {
    /// Reads `$skip` and `$top`. `place` reads the place of an entry; where that is any text, it is an id.
    ///
    /// # Errors
    /// Names the parameter; `place` need not.
    pub fn new(skip: Option<String>, top: Option<i64>, place: impl FnOnce(&str) -> Option<P>) -> Result<Self, Invalid> {
        let limit = Page::new(None, top)?.limit;
        let skip = skip.filter(|skip| !skip.is_empty()).unwrap_or_else(|| "0".to_owned());
        let before = match skip.as_str() {
            "0" => None,
            other => {
                let wrong = || Invalid::new("$skip", "must be the `next` of the page before, or 0");
                Some(place(other).ok_or_else(wrong)?)
            }
        };
        Ok(Self { before, limit, skip })
    }

    /// The page with its entries, of which the last has the place `last`. An empty page stays where it is.
    pub fn batch<T>(&self, data: Vec<T>, last: Option<String>) -> Batch<T> {
        Batch { next: last.unwrap_or_else(|| self.skip.clone()), total_count: None, data }
    }
}

impl Cursor {
    /// Not signed: all it can do is to name a place in a list that its holder may read anyway.
    fn write(&self) -> String {
        let parts = serde_json::json!([self.order, self.began.millis(), self.key, self.id]);
        URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (order, began, key, id): (String, i64, String, String) =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // No text column of PostgreSQL can hold or be compared with NUL.
        let clean = ![&order, &key, &id].into_iter().any(|part| part.contains('\0'));
        clean.then(|| Self { order, began: Timestamp::from_millis(began), key, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_never_empty_and_the_limit_is_cut() {
        let page = Page::new(Some("5"), Some(100_000)).unwrap();
        assert_eq!((page.offset(), page.limit), (5, 1_000));
        assert_eq!(page.batch(vec![1, 2], 7).next, "7");
        assert_eq!(page.batch(Vec::<u8>::new(), 7).next, "5");
        assert_eq!(Page::walked(None, None).unwrap().batch_after(Vec::<u8>::new(), 0, None).next, "0");
    }

    #[test]
    fn bad_values_name_the_parameter() {
        assert!(Page::new(Some("x"), None).unwrap_err().to_string().starts_with("$skip"));
        assert!(Page::new(Some("-1"), None).is_err());
        assert!(Page::new(None, Some(-1)).unwrap_err().to_string().starts_with("$top"));
        for broken in ["c.", "c.x", "c.W10", "c.é", &format!("c.{}", "A".repeat(5_000))] {
            assert!(Page::walked(Some(broken), None).unwrap_err().to_string().starts_with("$skip"), "{broken}");
        }
    }

    #[test]
    fn a_log_goes_on_behind_its_last_entry() {
        let number = |skip: &str| skip.parse::<u8>().ok();
        let page = |skip: Option<&str>| LogPage::new(skip.map(str::to_owned), Some(2), number);
        for first in [None, Some(""), Some("0")] {
            assert_eq!(page(first).unwrap().before, None);
            assert_eq!(page(first).unwrap().batch(Vec::<u8>::new(), None).next, "0");
        }
        let second = page(Some("7")).unwrap();
        assert_eq!((second.before, second.limit), (Some(7), 2));
        let batch = second.batch(vec![6, 5], Some("5".to_owned()));
        assert_eq!((batch.next.as_str(), batch.total_count), ("5", None));
        assert_eq!(second.batch(Vec::<u8>::new(), None).next, "7", "an empty page stays where it is");
        assert!(page(Some("x")).unwrap_err().to_string().starts_with("$skip"));
        assert!(LogPage::new(None, Some(-1), number).unwrap_err().to_string().starts_with("$top"));
    }

    #[test]
    fn a_cursor_is_read_back_and_holds_in_its_own_order_alone() {
        let cursor = Cursor {
            order: "name".to_owned(),
            began: Timestamp::from_millis(7),
            key: "ä \"x\"".to_owned(),
            id: "1".to_owned(),
        };
        let page = Page::walked(Some("0"), Some(1)).unwrap();
        let next = page.batch_after(vec![1], 2, Some(&cursor)).next;
        assert!(next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{next}");
        let page = Page::walked(Some(&next), None).unwrap();
        assert_eq!(page.cursor("name").unwrap(), Some(&cursor));
        assert!(page.cursor("time").is_err());
        assert_eq!(page.batch_after(Vec::<u8>::new(), 2, None).next, next, "an empty page stays where it is");
        assert!(Page::new(Some(&next), None).is_err(), "a list that counts knows no cursors");
    }
}
