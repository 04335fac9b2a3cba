//! Scopes: what a token may be used for, of all that its principal may do (wire-protocol 1.6).

use std::fmt;

use crate::identifier::PermissionContextIdentifier;
use crate::invalid::Invalid;
use crate::right::Right;

/// The scope of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// `**`: everything the principal may do.
    Everything,
    /// The listed elements only; an empty list gives a token that merely tells who calls.
    Elements(Vec<ScopeElement>),
}

/// One `context:Right.Code` of a scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeElement {
    /// Where.
    pub context: PermissionContextIdentifier,
    /// What.
    pub right: Right,
}

/// Longest scope that is read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

impl Scope {
    /// Reads a scope: `**`, nothing, or elements separated by blanks. Duplicates are dropped.
    ///
    /// # Errors
    /// Names the element that has no form `context:Right.Code`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_LENGTH {
            return Err(Invalid::new("scope", format!("must have at most {MAX_LENGTH} bytes")));
        }
        let mut elements: Vec<ScopeElement> = Vec::new();
        for part in text.split_ascii_whitespace() {
            if part == "**" {
                return Ok(Self::Everything);
            }
            let element = ScopeElement::parse(part)?;
            if !elements.contains(&element) {
                elements.push(element);
            }
        }
        Ok(Self::Elements(elements))
    }
}

impl Scope {
    /// Whether it lets through all that `other` does. Contexts are compared as they are named, so of a project's
    /// key and its id neither covers the other.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Elements(_), Self::Everything) => false,
            (Self::Elements(own), Self::Elements(other)) => other.iter().all(|wanted| {
                own.iter().any(|element| {
                    let everywhere = element.context == PermissionContextIdentifier::Global;
                    element.right == wanted.right && (everywhere || element.context == wanted.context)
                })
            }),
        }
    }
}

impl ScopeElement {
    fn parse(part: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("scope", format!("must hold elements like `global:Profile.View`, not `{part}`"));
        // The context may hold colons, a right code never does: split at the last one.
        let (context, code) = part.rsplit_once(':').ok_or_else(wrong)?;
        let code_is_well_formed = !code.is_empty()
            && code.split('.').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric()));
        if !code_is_well_formed {
            return Err(wrong());
        }
        let context = PermissionContextIdentifier::parse(context).map_err(|_| wrong())?;
        Ok(Self { context, right: Right::from_code(code) })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("**"),
            Self::Elements(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    write!(f, "{}:{}", element.context, element.right)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_split_at_the_last_colon() {
        let scope =
            Scope::parse("global:Profile.View  project:key:DEMO:Project.Issues.View global:Profile.View").unwrap();
        assert_eq!(scope.to_string(), "global:Profile.View project:key:DEMO:Project.Issues.View");
    }

    #[test]
    fn a_scope_covers_what_it_lets_through() {
        let covers = |one: &str, other: &str| Scope::parse(one).unwrap().covers(&Scope::parse(other).unwrap());
        assert!(covers("**", "**") && covers("**", "global:Profile.View") && covers("", ""));
        assert!(covers("global:Profile.View", "project:id:p:Profile.View global:Profile.View"));
        assert!(!covers("project:id:p:Profile.View", "global:Profile.View"));
        assert!(!covers("project:id:p:Profile.View", "project:id:q:Profile.View"));
        assert!(!covers("global:Profile.View", "**") && !covers("", "global:Profile.View"));
    }

    #[test]
    fn everything_and_nothing_are_scopes() {
        assert_eq!(Scope::parse("**").unwrap(), Scope::Everything);
        assert_eq!(Scope::parse("").unwrap(), Scope::Elements(vec![]));
    }

    #[test]
    fn legacy_and_broken_forms_are_refused() {
        for text in ["0-0-0-0-0 abc", "Profile", "global:", "global:Profile..View", "Team:EditTeam,Profile", "global:*"]
        {
            assert!(Scope::parse(text).is_err(), "{text}");
        }
    }
}
