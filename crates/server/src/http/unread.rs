//! Bodies that were not read to their end when the answer is there: the connection ends behind that answer, which says
//! so, or a client would send its next request into a connection that is gone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Version, header};
use http_body::{Frame, SizeHint};

/// A body that tells whether it came to its end.
struct Watched {
    body: Body,
    ended: Arc<AtomicBool>,
}

/// Whether the body of a request came to its end.
pub(crate) struct Ending {
    ended: Arc<AtomicBool>,
    version: Version,
}

/// The same request, its body watched.
pub(crate) fn watched(request: Request) -> (Request, Ending) {
    let (parts, body) = request.into_parts();
    let ended = Arc::new(AtomicBool::new(http_body::Body::is_end_stream(&body)));
    let ending = Ending { ended: Arc::clone(&ended), version: parts.version };
    (Request::from_parts(parts, Body::new(Watched { body, ended })), ending)
}

impl Ending {
    /// Says in the answer that the connection ends behind it, if it does. In HTTP/2 only the stream ends.
    pub(crate) fn announce(&self, response: &mut Response) {
        if self.version <= Version::HTTP_11 && !self.ended.load(Ordering::Acquire) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.ended.store(true, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
