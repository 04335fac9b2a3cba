//! What the command line prints: results to standard output, complaints to standard error.

/// A line for the person (or script) that ran the command.
#[expect(clippy::print_stdout, reason = "this is the one place where the command line speaks")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Whether a command tells people what it does, step by step, or leaves that to one JSON object for scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Narration {
    /// It tells.
    Told,
    /// It does not.
    Silent,
}

impl Narration {
    /// A line for people.
    pub(crate) fn tell(self, line: &str) {
        match self {
            Self::Told => say(line),
            Self::Silent => {}
        }
    }
}

/// Why a command failed.
#[expect(clippy::print_stderr, reason = "this is the one place where the command line complains")]
pub(crate) fn complain(sentence: &str, json: bool) {
    if json {
        eprintln!("{}", serde_json::json!({ "error": sentence }));
    } else {
        eprintln!("spaceport: {sentence}");
    }
}
