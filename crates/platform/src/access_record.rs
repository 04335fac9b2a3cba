//! When and from where something was used last.

use crate::time::Timestamp;

/// Longest user agent that is kept, in characters; longer ones are cut.
pub const MAX_USER_AGENT: usize = 500;

/// One use of a credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessRecord {
    /// When.
    pub at: Timestamp,
    /// The address the request came from; empty when it is not known.
    pub address: String,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

impl AccessRecord {
    /// A use; a long user agent is cut, an empty one is none.
    pub fn new(at: Timestamp, address: impl Into<String>, user_agent: Option<&str>) -> Self {
        let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect::<String>();
        let user_agent = user_agent.map(cut).filter(|text| !text.is_empty());
        Self { at, address: address.into(), user_agent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_are_cut_and_cleaned() {
        let record = |text: &str| AccessRecord::new(Timestamp::from_millis(0), "::1", Some(text)).user_agent;
        assert_eq!(record(""), None);
        assert_eq!(record("a\r\nb").as_deref(), Some("ab"));
        assert_eq!(record(&"ü".repeat(501)).unwrap().chars().count(), MAX_USER_AGENT);
    }
}
