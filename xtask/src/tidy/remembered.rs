//! What nodes remember about rights is given up in time: a store function that changes a table which decisions depend
//! on calls `rights_changed`.

use super::Finding;
use super::source::{Source, words};

/// Beginnings of statements that change what somebody may do. New tokens are none: nobody remembers anything about
/// them yet. Nor is the removal of those that ended.
const STATEMENTS: [&str; 25] = [
    "INSERT INTO granted_right ",
    "DELETE FROM granted_right ",
    "INSERT INTO authorized_right ",
    "UPDATE authorized_right ",
    "DELETE FROM authorized_right ",
    "INSERT INTO role ",
    "DELETE FROM role ",
    "INSERT INTO role_right ",
    "DELETE FROM role_right ",
    "INSERT INTO role_member ",
    "DELETE FROM role_member ",
    "INSERT INTO membership ",
    "DELETE FROM membership ",
    "INSERT INTO team ",
    "INSERT INTO project ",
    "INSERT INTO package_repository ",
    "INSERT INTO channel ",
    "UPDATE profile SET tokens_not_before",
    "UPDATE application SET {}",
    "UPDATE application SET archived_at",
    "UPDATE token SET revoked_at",
    "UPDATE token SET scope",
    "DELETE FROM previous_secret WHERE owner_id",
    "INSERT INTO revoked_access_token ",
    "UPDATE delegation SET revoked_at",
];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let of_store = sources.iter().filter(|source| source.path.starts_with("crates/store/src/tx/"));
    of_store
        .flat_map(|source| functions(source).into_iter().filter_map(|function| finding(source, &function)))
        .collect()
}

fn finding(source: &Source, function: &Function) -> Option<Finding> {
    let statement = STATEMENTS.iter().find(|statement| function.text.contains(*statement))?;
    let counted = words(&function.code).any(|word| word == "rights_changed");
    let advice = format!("`{}` changes what somebody may do; call `self.rights_changed()` in it", statement.trim());
    (!counted).then(|| Finding::new(format!("{}:{}", source.path, function.line), advice))
}

/// A function, from the line of its `fn` to the line of the brace that closes it.
struct Function {
    line: usize,
    text: String,
    code: String,
}

fn functions(source: &Source) -> Vec<Function> {
    let (code, text): (Vec<&str>, Vec<&str>) = (source.code.lines().collect(), source.text.lines().collect());
    let begins = |line: &&str| words(line).any(|word| word == "fn");
    let starts = code.iter().enumerate().filter(|(_, line)| begins(line)).map(|(index, _)| index);
    starts
        .map(|start| {
            let mut depth = 0_i64;
            let length = code.iter().skip(start).position(|line| {
                let opened = line.matches('{').count();
                depth += i64::try_from(opened).unwrap_or(0) - i64::try_from(line.matches('}').count()).unwrap_or(0);
                depth <= 0 && (line.contains('}') || line.trim_end().ends_with(';'))
            });
            let length = length.map_or(code.len() - start, |length| length + 1);
            let part = |lines: &[&str]| lines.iter().skip(start).take(length).copied().collect::<Vec<_>>().join("\n");
            Function { line: start + 1, text: part(&text), code: part(&code) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_rights_that_does_not_say_so_is_found() {
        let sources = [Source::new(
            "crates/store/src/tx/role.rs",
            r#"impl Tx<'_> {
                pub fn counted(&mut self) {
                    self.rights_changed()?;
                    self.execute("DELETE FROM role WHERE id = $1")
                }
                pub fn silent(&mut self) {
                    self.execute("DELETE FROM role WHERE id = $1")
                }
                pub fn read(&mut self) {
                    self.query("SELECT id FROM role WHERE id = $1")
                }
            }"#,
        )];
        let findings = check(&sources);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "crates/store/src/tx/role.rs:6");
    }
}
