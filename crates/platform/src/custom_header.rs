//! Header fields that an application wants with the requests of a webhook, and which it cannot have.

use std::collections::HashSet;

use crate::application::MAX_TEXT;
use crate::invalid::{Invalid, text_length};
use crate::secret::Secret;

/// Most custom headers of a webhook.
pub const MAX_HEADERS: usize = 50;
/// Longest name, in characters.
pub const MAX_NAME: usize = 100;
/// Longest value, in bytes.
pub const MAX_VALUE: usize = 4 * 1024;
/// Most bytes of all names and values together: servers commonly read 8 to 16 KiB, and ours need some of it.
pub const MAX_TOTAL: usize = 6 * 1024;

/// How the message is framed, routed and read (RFC 9110, section 7.6.1; RFC 9112, section 6), and what every request
/// has from the server.
const RESERVED: &[&str] = &[
    "accept",
    "accept-charset",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// Beginnings of names that say who signed a message and how.
const RESERVED_PREFIXES: &[&str] = &["x-space-", "webhook-"];

/// A header field of a webhook's requests.
#[derive(Clone, Debug)]
pub struct CustomHeader {
    /// Its name, as the application spells it.
    pub name: String,
    /// Its value; receivers may use it as a password.
    pub value: Secret,
    /// What it is for.
    pub description: Option<String>,
}

/// Whether requests carry `Authorization` of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authorization {
    /// They do, because that is how they prove where they come from.
    Ours,
    /// They do not.
    Free,
}

/// Checks the headers of a webhook before they are stored.
///
/// # Errors
/// Names the header by index, and the part of it that breaks a rule. Values are not repeated.
pub fn check(headers: &[CustomHeader], authorization: Authorization) -> Result<(), Invalid> {
    if headers.len() > MAX_HEADERS {
        let rule = format!("must hold at most {MAX_HEADERS} headers, holds {}", headers.len());
        return Err(Invalid::new("headers", rule));
    }
    let mut names = HashSet::new();
    for (index, header) in headers.iter().enumerate() {
        let within = |fault: Invalid| fault.within(&format!("headers[{index}]"));
        check_one(header, authorization).map_err(within)?;
        if !names.insert(header.name.to_ascii_lowercase()) {
            return Err(within(Invalid::new("name", format!("must not be given twice: {}", header.name))));
        }
    }
    let total: usize = headers.iter().map(|header| header.name.len() + header.value.reveal().len() + 4).sum();
    if total > MAX_TOTAL {
        return Err(Invalid::new("headers", format!("must have at most {MAX_TOTAL} bytes together, have {total}")));
    }
    Ok(())
}

fn check_one(header: &CustomHeader, authorization: Authorization) -> Result<(), Invalid> {
    text_length("name", &header.name, 1, MAX_NAME)?;
    if let Some((at, _)) = header.name.chars().enumerate().find(|(_, letter)| !of_token(*letter)) {
        let rule =
            format!("must be a token of RFC 9110: letters, digits and !#$%&'*+-.^_`|~; character {} is not", at + 1);
        return Err(Invalid::new("name", rule));
    }
    let name = header.name.to_ascii_lowercase();
    if RESERVED.contains(&name.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(Invalid::new("name", format!("must not be {}, which the server sets itself", header.name)));
    }
    if name == "authorization" && authorization == Authorization::Ours {
        return Err(Invalid::new("name", "must not be Authorization while the webhook authenticates by that header"));
    }
    let value = header.value.reveal();
    if value.len() > MAX_VALUE {
        return Err(Invalid::new("value", format!("must have at most {MAX_VALUE} bytes, has {}", value.len())));
    }
    if let Some((at, _)) = value.chars().enumerate().find(|(_, letter)| !matches!(letter, ' '..='~' | '\t')) {
        let rule = format!("must hold printable ASCII characters alone; character {} is none", at + 1);
        return Err(Invalid::new("value", rule));
    }
    match &header.description {
        Some(description) => text_length("description", description, 0, MAX_TEXT),
        None => Ok(()),
    }
}

/// `tchar` of RFC 9110, section 5.6.2.
fn of_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> CustomHeader {
        CustomHeader { name: name.to_owned(), value: Secret::new(value), description: None }
    }

    fn refusal(name: &str, value: &str) -> String {
        check(&[header(name, value)], Authorization::Ours).unwrap_err().to_string()
    }

    #[test]
    fn ordinary_headers_are_taken() {
        for (name, value) in
            [("X-Api-Key", "s3cret"), ("Authorization", "Token x"), ("X_y", ""), ("a!#$%&'*+-.^_`|~0", "a\tb")]
        {
            assert_eq!(check(&[header(name, value)], Authorization::Free), Ok(()), "{name}");
        }
    }

    #[test]
    fn nothing_can_be_injected() {
        for name in ["", "a b", "a:b", "a\r\nb", "a\nb", "a\0", "ä", " a", "a\u{7f}", "(a)", "a\"b"] {
            assert!(refusal(name, "v").starts_with("headers[0].name"), "{name:?}");
        }
        for value in ["a\r\nX: b", "a\nb", "a\rb", "a\0b", "ä", "\u{7f}", "\r\n folded"] {
            let refusal = refusal("X-A", value);
            assert!(refusal.starts_with("headers[0].value") && !refusal.contains("X: b"), "{value:?}");
        }
    }

    #[test]
    fn what_the_server_sets_is_refused_in_any_case() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "CONNECTION",
            "TE",
            "Trailer",
            "Upgrade",
            "Expect",
            "Keep-Alive",
            "Proxy-Connection",
            "Proxy-Authorization",
            "Content-Type",
            "Content-Encoding",
            "User-Agent",
            "X-Space-Signature",
            "x-space-anything",
            "Webhook-Id",
            "webhook-signature",
            "Authorization",
        ] {
            assert!(refusal(name, "v").starts_with("headers[0].name must not be"), "{name}");
        }
    }

    #[test]
    fn size_and_count_are_bounded_and_names_unique() {
        assert!(refusal("X-A", &"v".repeat(MAX_VALUE + 1)).contains("at most 4096 bytes"));
        assert!(refusal(&"n".repeat(MAX_NAME + 1), "v").starts_with("headers[0].name"));
        let many: Vec<_> = (0..=MAX_HEADERS).map(|index| header(&format!("X-{index}"), "v")).collect();
        assert!(check(&many, Authorization::Free).unwrap_err().to_string().contains("at most 50 headers"));
        let large = [header("X-A", &"v".repeat(MAX_VALUE)), header("X-B", &"v".repeat(MAX_VALUE))];
        assert!(check(&large, Authorization::Free).unwrap_err().to_string().contains("together"));
        let twice = [header("X-A", "1"), header("x-a", "2")];
        assert!(check(&twice, Authorization::Free).unwrap_err().to_string().starts_with("headers[1].name"));
    }
}
