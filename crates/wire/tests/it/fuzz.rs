//! Expressions that nobody would write: field selections and templates, made by mutating real ones.
//!
//! The mutator is ours and small, so that it runs with every test on the stable compiler, always the same. For a long
//! run from another start:
//!
//! ```sh
//! SPACEPORT_FUZZ=7,5000000 cargo test --release -p spaceport-wire --test it fuzz
//! ```

use serde_json::Value;
use spaceport_platform::webhook::PayloadForm;
use spaceport_wire::canonical::canonical;
use spaceport_wire::payload::Shape;
use spaceport_wire::payload_fields::Withheld;
use spaceport_wire::template::{MAX_LENGTH, MAX_OUTPUT};

/// What applications really send, and what is special about the grammars.
const SEEDS: &[&str] = &[
    "clientId,webhookId,payload(issue(id,projectId,assignee(id)),status(new(resolved),old(resolved)))",
    "*",
    "payload(*,meta(principal(details(user(id)))))",
    "payload!",
    "{{issue.title}} by {{meta.principal.name}}",
    "{\"text\": {{json issue.title}}, \"inside\": \"{{escape issue.title}}\"}",
    "\\{ {{a}} \\\\",
    "{{a.b.c.d.e.f}}{{{{}}}}",
    "a(b(c(d(e(f(g(h(i(j))))))))),a(b(c(!)))",
    "",
];
/// Pieces that mutations put in.
const PIECES: &[&str] = &[
    "(",
    ")",
    ",",
    "*",
    "!",
    "{{",
    "}}",
    "{",
    "}",
    "\\",
    "\"",
    ".",
    "..",
    "json ",
    "escape ",
    " ",
    "\n",
    "\0",
    "ü",
    "🎉",
    "\u{202e}",
    "className",
    "payload",
    "id",
    "((((((((",
    "))))))))",
    ",,,,",
    "{{{{{{",
    "a.a.a.a.a.a.a.a",
];
const PAYLOADS: &[&str] = &[
    r#"{"a":{"b":{"c":[1,2,{"d":null}]}},"className":"X","id":"1"}"#,
    r#"{"className":"IssueWebhookEvent","issue":{"id":"i","title":"\"}}{{ü\u0001"},"meta":{"principal":{"name":"p"}}}"#,
    "{}",
];

/// Numbers that follow from a start (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides.max(1)
    }
}

/// One mutation: a piece put in, characters left out, or a part taken twice.
fn mutate(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = dice.roll(letters.len() + 1);
    match dice.roll(4) {
        0 => {
            let end = (at + 1 + dice.roll(5)).min(letters.len());
            letters.drain(at.min(end)..end);
        }
        1 => {
            let end = (at + dice.roll(20)).min(letters.len());
            let twice: Vec<char> = letters[at.min(end)..end].to_vec();
            letters.splice(at..at, twice);
        }
        _ => {
            letters.splice(at..at, PIECES[dice.roll(PIECES.len())].chars());
        }
    }
    letters.into_iter().collect()
}

/// What must hold for every text, whatever it is.
fn holds(text: &str) {
    for form in [PayloadForm::Fields(text.to_owned()), PayloadForm::Template(text.to_owned())] {
        let shape = match Shape::parse(&form) {
            Ok(shape) => shape,
            Err(refusal) => {
                let named = ["payloadFields", "payloadTemplate"].iter().any(|name| refusal.field.starts_with(name));
                assert!(named, "{text:?} is refused without a name: {refusal}");
                continue;
            }
        };
        assert!(text.len() <= MAX_LENGTH || !matches!(form, PayloadForm::Template(_)));
        for payload in PAYLOADS {
            let body = shape.body("c", "w", payload, None, &Withheld::default());
            match &form {
                PayloadForm::Fields(_) => {
                    let read: Value = serde_json::from_str(&body).unwrap_or_else(|fault| panic!("{text:?}: {fault}"));
                    assert_eq!(canonical(&body).unwrap(), body, "{text:?}");
                    assert_eq!(read["className"], "WebhookRequestPayload", "{text:?}");
                }
                _ => assert!(body.len() <= MAX_OUTPUT + MAX_LENGTH, "{text:?}"),
            }
            assert_eq!(body, shape.body("c", "w", payload, None, &Withheld::default()), "{text:?} is no function");
        }
    }
}

#[test]
fn no_expression_breaks_the_parser_or_the_renderer() {
    let (start, runs) = plan();
    println!("start {start}, {runs} runs");
    let mut dice = Dice(start);
    let mut corpus: Vec<String> = SEEDS.iter().map(|seed| (*seed).to_owned()).collect();
    for _ in 0..runs {
        let mut text = corpus[dice.roll(corpus.len())].clone();
        for _ in 0..=dice.roll(4) {
            text = mutate(&text, &mut dice);
        }
        holds(&text);
        // Children of children reach further; the corpus stays small.
        if text.len() < 2_000 {
            let place = SEEDS.len() + dice.roll(200);
            match corpus.get_mut(place) {
                Some(old) => *old = text,
                None => corpus.push(text),
            }
        }
    }
}

/// Where to start and how many runs to make.
#[expect(clippy::disallowed_methods, reason = "a long run is asked for in a variable")]
fn plan() -> (u64, usize) {
    let asked = std::env::var("SPACEPORT_FUZZ").ok();
    let asked = asked.as_deref().and_then(|text| text.split_once(','));
    let read = asked.and_then(|(start, runs)| Some((start.parse().ok()?, runs.parse().ok()?)));
    read.unwrap_or((20_240_305, 10_000))
}
