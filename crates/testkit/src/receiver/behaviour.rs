//! How the receiving application answers: well, late, never, too much, drop by drop.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::Response;
use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::watch;
use tokio::time::{Interval, interval};

/// The size of one piece of a huge body.
const CHUNK: u64 = 64 * 1024;

/// What the receiver does with a request, once it has read and recorded it.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers at once.
    Answer {
        /// The status, 100 to 999.
        status: u16,
        /// Headers besides those HTTP needs.
        headers: Vec<(String, String)>,
        /// The whole body.
        body: Bytes,
    },
    /// Takes the next behaviour for each request of the path; the last one stays.
    Sequence(Vec<Behaviour>),
    /// Keeps the connection open and never answers.
    Hang,
    /// Answers 200 at once, then writes the same byte again and again, and never ends.
    Drip {
        /// The time between two bytes.
        interval: Duration,
        /// What is written.
        byte: u8,
    },
    /// Answers 200 with a body of this size, without announcing the size.
    Huge {
        /// How large the body is.
        bytes: u64,
    },
    /// Closes the connection without an answer.
    Close,
    /// Behaves like `then`, but not before the gate is opened.
    Held {
        /// What it waits for.
        gate: Gate,
        /// What it does afterwards.
        then: Box<Behaviour>,
    },
}

impl Behaviour {
    /// Answers 200 with an empty body.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// Answers with this status and an empty body.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Answers with this status and text.
    pub fn text(status: u16, text: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Bytes::copy_from_slice(text.as_bytes()) }
    }

    /// Answers 302 and points somewhere else.
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self::Answer { status: 302, headers, body: Bytes::new() }
    }

    /// Answers 503 and asks to come back after some seconds.
    pub fn retry_after(seconds: u32) -> Self {
        let headers = vec![("retry-after".to_owned(), seconds.to_string())];
        Self::Answer { status: 503, headers, body: Bytes::new() }
    }

    /// Behaves like `self` once `gate` is open.
    #[must_use]
    pub fn held_by(self, gate: &Gate) -> Self {
        Self::Held { gate: gate.clone(), then: Box::new(self) }
    }

    /// What a sequence says for its request number `index`; any other behaviour is always the same.
    pub(super) fn nth(&self, index: usize) -> Self {
        match self {
            Self::Sequence(steps) => {
                steps.get(index).or(steps.last()).map_or_else(Self::ok, |behaviour| behaviour.nth(0))
            }
            other => other.clone(),
        }
    }

    /// Does it. `in_flight` lives until the answer is complete; `taken` hears of bytes of huge bodies.
    pub(super) async fn perform<G: Send + Unpin + 'static>(
        mut self,
        in_flight: G,
        taken: impl Fn(u64) + Send + Unpin + 'static,
    ) -> Result<Response<ScriptedBody>, Closed> {
        while let Self::Held { gate, then } = self {
            gate.opened().await;
            self = *then;
        }
        let content = match self {
            Self::Answer { status, headers, body } => {
                let mut answer = Response::builder().status(status);
                for (name, value) in headers {
                    answer = answer.header(name, value);
                }
                let body = ScriptedBody { content: Content::Whole(Some(body)), _in_flight: Box::new(in_flight) };
                return Ok(answer.body(body).expect("a test writes answers that HTTP allows"));
            }
            Self::Drip { interval: period, byte } => Content::Drip(interval(period), byte),
            Self::Huge { bytes } => Content::Huge(bytes, Box::new(taken)),
            Self::Hang | Self::Sequence(_) | Self::Held { .. } => return pending().await,
            Self::Close => return Err(Closed),
        };
        Ok(Response::new(ScriptedBody { content, _in_flight: Box::new(in_flight) }))
    }
}

/// Holds answers back until a test opens it. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets through all who wait and all who come.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn opened(&self) -> impl Future<Output = ()> + use<> {
        let mut state = self.0.subscribe();
        let keep = Arc::clone(&self.0);
        async move {
            // The sender lives as long as `keep`, so this only ends when the gate is open.
            let _ = state.wait_for(|open| *open).await;
            drop(keep);
        }
    }
}

/// The script says to close the connection.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed as scripted")
    }
}

impl std::error::Error for Closed {}

/// A body that is produced as the script says.
pub(super) struct ScriptedBody {
    content: Content,
    _in_flight: Box<dyn Send>,
}

enum Content {
    Whole(Option<Bytes>),
    Drip(Interval, u8),
    Huge(u64, Box<dyn Fn(u64) + Send>),
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut self.content {
            Content::Whole(body) => body.take().filter(|body| !body.is_empty()),
            Content::Drip(interval, byte) => {
                ready!(interval.poll_tick(cx));
                Some(Bytes::copy_from_slice(&[*byte]))
            }
            Content::Huge(0, _) => None,
            Content::Huge(left, taken) => {
                let size = (*left).min(CHUNK);
                *left -= size;
                taken(size);
                Some(Bytes::from(vec![b'x'; usize::try_from(size).unwrap_or_default()]))
            }
        };
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match &self.content {
            Content::Whole(body) => {
                let length = body.as_ref().map_or(0, Bytes::len);
                http_body::SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Content::Drip(..) | Content::Huge(..) => http_body::SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(None) | Content::Huge(0, _))
    }
}
