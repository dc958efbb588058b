//! Answers, and the bodies that break off before they are whole.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

pub(crate) const JSON_1_1: &str = "application/x-amz-json-1.1";
pub(crate) const JSON: &str = "application/json";
pub(crate) const XML: &str = "text/xml";
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// What happens to an answer on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    #[default]
    Whole,
    /// Half of it, then the connection closes.
    Truncated,
    /// No answer: the connection is reset.
    Reset,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    /// Those beside the usual ones.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
    pub(crate) delay_ms: u64,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, headers: Vec::new(), body, delivery: Delivery::Whole, delay_ms: 0 }
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Payload {
    Whole(Option<Bytes>),
    /// Sends what it has and ends before the promised length.
    Truncated(Truncated),
}

#[derive(Debug)]
pub(crate) enum Truncated {
    Unsent(Bytes),
    /// One turn of the connection in which it flushes what it was given.
    Flushing,
    Ended,
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Truncated(state) => match std::mem::replace(state, Truncated::Ended) {
                Truncated::Unsent(bytes) => {
                    *state = Truncated::Flushing;
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Truncated::Flushing => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                Truncated::Ended => Poll::Ready(None),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Truncated(_) => SizeHint::default(),
        }
    }
}
