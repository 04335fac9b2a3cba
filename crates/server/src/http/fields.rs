//! The query parameter `$fields`, read where answers are cut, and before, by whoever would read what nobody asked for.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_wire::fields::Selection;
use spaceport_wire::query::parse_query;

use crate::http::error::ApiError;

/// The query parameter every operation with fields has.
#[derive(Deserialize, JsonSchema)]
struct Fields {
    #[serde(rename = "$fields")]
    fields: Option<String>,
}

/// What is asked for.
///
/// # Errors
/// `validation-error` naming the parameter.
pub fn selection(query: &str) -> Result<Option<Selection>, ApiError> {
    let fields: Fields = parse_query(query)?;
    let read = |text: String| Selection::parse(&text).map_err(|fault| fault.within("$fields"));
    Ok(fields.fields.map(read).transpose()?)
}

/// The names in `$fields`.
#[derive(Clone, Debug, Default)]
pub struct NamedFields(Option<String>);

impl NamedFields {
    /// Those of a query; none of one that cannot be read, which is refused later.
    pub fn of(query: &str) -> Self {
        let text = || parse_query::<Fields>(query).ok()?.fields;
        Self(if query.is_empty() { None } else { text() })
    }

    /// Whether a field may be named, at whatever place. A longer name that holds this one counts, too: reading too much
    /// costs little, reading too little would answer wrongly.
    pub fn may_name(&self, field: &str) -> bool {
        self.0.as_deref().is_some_and(|text| text.contains(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let names = |query: &str| NamedFields::of(query).may_name("domains");
        for query in ["$fields=domains", "$top=1&$fields=data(app(%64omains(domain)))", "%24fields=a,domains!"] {
            assert!(names(query), "{query}");
        }
        for query in ["", "$fields=*", "$fields=id,name", "domains=1", "$fields=%FF", "$fields="] {
            assert!(!names(query), "{query}");
        }
    }
}
