//! Paging: `$skip` and `$top` in, batches with `next` and `totalCount` out (wire-protocol 2.6).

use spaceport_platform::invalid::Invalid;
use spaceport_wire::batch::Batch;

/// Entries of a page unless the caller says otherwise.
const DEFAULT: i64 = 100;
/// Most entries of a page; larger wishes are cut.
const MOST: i64 = 1_000;

/// A page of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Entries before it.
    pub offset: i64,
    /// Most entries in it.
    pub limit: i64,
}

impl Page {
    /// Reads `$skip` and `$top`.
    ///
    /// # Errors
    /// Names the parameter that is no number or negative.
    pub fn new(skip: Option<&str>, top: Option<i64>) -> Result<Self, Invalid> {
        let offset = match skip.filter(|skip| !skip.is_empty()) {
            None => 0,
            Some(text) => text
                .parse()
                .ok()
                .filter(|offset| *offset >= 0)
                .ok_or_else(|| Invalid::new("$skip", "must be the `next` of the page before, or 0"))?,
        };
        let limit = top.unwrap_or(DEFAULT);
        if limit < 0 {
            return Err(Invalid::new("$top", "must not be negative"));
        }
        Ok(Self { offset, limit: limit.min(MOST) })
    }

    /// The page with its entries; `next` is the offset behind the last one, also on the last page.
    pub fn batch<T>(self, data: Vec<T>, total: i64) -> Batch<T> {
        let returned = i64::try_from(data.len()).unwrap_or(i64::MAX);
        Batch { next: self.offset.saturating_add(returned).to_string(), total_count: Some(total), data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_never_empty_and_the_limit_is_cut() {
        let page = Page::new(Some("5"), Some(100_000)).unwrap();
        assert_eq!(page, Page { offset: 5, limit: 1_000 });
        assert_eq!(page.batch(vec![1, 2], 7).next, "7");
        assert_eq!(page.batch(Vec::<u8>::new(), 7).next, "5");
    }

    #[test]
    fn bad_values_name_the_parameter() {
        assert!(Page::new(Some("x"), None).unwrap_err().to_string().starts_with("$skip"));
        assert!(Page::new(Some("-1"), None).is_err());
        assert!(Page::new(None, Some(-1)).unwrap_err().to_string().starts_with("$top"));
    }
}
