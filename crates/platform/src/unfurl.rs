//! What an application wants to preview links of: domains, and prefixes of ids that it knows links for (semantics 4.1).

use url::Host;

use crate::access::Principal;
use crate::authorization::RightStatus;
use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Most domains, and most patterns, of one application.
pub const MAX_TARGETS: usize = 500;
/// Longest prefix of an id, in characters.
pub const MAX_PREFIX: usize = 100;
/// Longest link of a pattern, in characters.
pub const MAX_LINK: usize = 2_000;
/// Stands in the link of a pattern for the number behind the prefix.
pub const NUMBER: &str = "<?>";

/// Which kind of target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetKind {
    /// Links to a domain and the domains below it.
    Domain,
    /// Ids with a prefix, such as `IDEA-12`.
    Pattern,
}

impl TargetKind {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Pattern => "pattern",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Domain, Self::Pattern].into_iter().find(|kind| kind.name() == name)
    }
}

/// A target that an application asks for, without how far that has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The domain, in lower case and ASCII, or the prefix.
    pub name: String,
    /// The link that a pattern stands for.
    pub link: Option<String>,
}

/// A target of an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnfurlTarget {
    /// What it is.
    pub wanted: Wanted,
    /// Whether it may preview that.
    pub status: RightStatus,
    /// Who brought the status about.
    pub author: Principal,
    /// When.
    pub modified_at: Timestamp,
}

/// A domain as it is stored: `Slack.com` is `slack.com`, `bücher.example` is `xn--bcher-kva.example`.
///
/// # Errors
/// For what is no domain, such as a URL, a port or an address.
pub fn domain(field: &str, text: &str) -> Result<Wanted, Invalid> {
    let wrong = || Invalid::new(field, "must be a domain, such as `tracker.example.com`, without scheme, port or path");
    // Hosts of URLs may hold more, such as `*`, which would never match anything.
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match Host::parse(text.trim()) {
        Ok(Host::Domain(name)) if name.len() <= 253 && name.split('.').all(label) => Ok(Wanted { name, link: None }),
        _ => Err(wrong()),
    }
}

/// A pattern: ids that begin with `prefix` stand for `link`, whose end is replaced by their number.
///
/// # Errors
/// Naming the field and what was expected.
pub fn pattern(prefix: &str, link: &str) -> Result<Wanted, Invalid> {
    text_length("prefix", prefix, 1, MAX_PREFIX)?;
    if prefix.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(Invalid::new("prefix", "must not hold blanks or control characters"));
    }
    text_length("linkReplacement", link, 1, MAX_LINK)?;
    let wrong = || Invalid::new("linkReplacement", "must be an http or https URL that ends with `<?>`");
    let before = link.strip_suffix(NUMBER).ok_or_else(wrong)?;
    if before.contains(NUMBER) {
        return Err(Invalid::new("linkReplacement", "must hold `<?>` once, at its end"));
    }
    let url = url::Url::parse(&format!("{before}1")).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::new("linkReplacement", "must not hold a user name or password"));
    }
    // The number must not end up in the host: `https://tracker<?>` would be another server for each id.
    let has_path = url.host_str().is_some() && url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if !matches!(url.scheme(), "http" | "https") || !has_path {
        return Err(wrong());
    }
    Ok(Wanted { name: prefix.to_owned(), link: Some(link.to_owned()) })
}

/// The targets after an application said which ones it wants: what was there keeps its status, unless a pattern got
/// another link, which somebody has to look at anew; what is not wanted any more goes.
pub fn replaced(known: &[UnfurlTarget], wanted: Vec<Wanted>, author: &Principal, now: Timestamp) -> Vec<UnfurlTarget> {
    let mut targets: Vec<UnfurlTarget> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        if targets.iter().any(|target| target.wanted.name == wanted.name) {
            continue;
        }
        let same = known.iter().find(|known| known.wanted == wanted);
        targets.push(same.cloned().unwrap_or_else(|| UnfurlTarget {
            wanted,
            status: RightStatus::Requested,
            author: author.clone(),
            modified_at: now,
        }));
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_as_browsers_do() {
        for (text, stored) in [
            ("slack.com", "slack.com"),
            (" Slack.COM ", "slack.com"),
            ("localhost", "localhost"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(domain("domains[0]", text).unwrap().name, stored);
        }
        for text in [
            "",
            " ",
            "https://slack.com",
            "slack.com/x",
            "slack.com:443",
            "127.0.0.1",
            "[::1]",
            "2130706433",
            "a b",
            "*.slack.com",
            "slack.com.",
            ".slack.com",
            "user@slack.com",
            "slack..com",
            "a?b",
            "a#b",
            "-a.example",
            "a-.example",
            &format!("{}.example", "a".repeat(64)),
            &vec!["a".repeat(60); 5].join("."),
        ] {
            let fault = domain("domains[0]", text).unwrap_err().to_string();
            assert!(fault.starts_with("domains[0]"), "{text:?}: {fault}");
        }
    }

    #[test]
    fn patterns_end_with_their_number() {
        for (prefix, link) in [
            ("IDEA-", "https://youtrack.example.com/issue/IDEA-<?>"),
            ("#", "http://tracker.example/<?>"),
            ("A", "https://tracker.example?id=<?>"),
        ] {
            assert_eq!(pattern(prefix, link).unwrap().link.as_deref(), Some(link));
        }
        for (prefix, link, field) in [
            ("", "https://e/<?>", "prefix"),
            ("A", "https://u:p@e/<?>", "linkReplacement"),
            ("A B", "https://e/<?>", "prefix"),
            ("A-", "https://e/", "linkReplacement"),
            ("A-", "https://e/<?>/x", "linkReplacement"),
            ("A-", "https://e/<?><?>", "linkReplacement"),
            ("A-", "https://e<?>", "linkReplacement"),
            ("A-", "javascript:alert(<?>", "linkReplacement"),
            ("A-", "/issue/<?>", "linkReplacement"),
        ] {
            let fault = pattern(prefix, link).unwrap_err().to_string();
            assert!(fault.starts_with(field), "{prefix:?} {link:?}: {fault}");
        }
        assert!(pattern(&"A".repeat(MAX_PREFIX + 1), "https://e/<?>").is_err());
        assert!(pattern("A", &format!("https://e/{}<?>", "a".repeat(MAX_LINK))).is_err());
    }

    #[test]
    fn what_is_wanted_again_keeps_its_status_and_a_changed_link_does_not() {
        let (at, later) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        let wanted = |prefix: &str, link: &str| Wanted { name: prefix.to_owned(), link: Some(link.to_owned()) };
        let target =
            |wanted: Wanted, status| UnfurlTarget { wanted, status, author: Principal::Nobody, modified_at: at };
        let known = [
            target(wanted("A-", "a"), RightStatus::Granted),
            target(wanted("B-", "b"), RightStatus::Granted),
            target(wanted("C-", "c"), RightStatus::Rejected),
        ];
        let next = vec![wanted("A-", "a"), wanted("B-", "changed"), wanted("A-", "twice"), wanted("D-", "d")];
        let after = replaced(&known, next, &Principal::Nobody, later);
        let seen: Vec<_> = after.iter().map(|it| (it.wanted.name.as_str(), it.status, it.modified_at)).collect();
        let expected = [
            ("A-", RightStatus::Granted, at),
            ("B-", RightStatus::Requested, later),
            ("D-", RightStatus::Requested, later),
        ];
        assert_eq!(seen, expected);
    }
}
