//! What every endpoint shares: problems, extractors that answer them, pages and cursors, versions, and the layers around a request.

pub mod cursor;
pub mod etag;
pub mod extract;
pub mod headers;
pub mod layers;
pub mod page;
pub mod problem;
pub mod request_id;

pub use cursor::{CursorKey, Cursors};
pub use etag::{ETag, IfMatch};
pub use extract::{Json, Path, Query};
pub use page::{Limit, Page};
pub use problem::{Code, Existing, FieldError, PROBLEM_JSON, Problem};
pub use request_id::{RequestId, RequestIds};
