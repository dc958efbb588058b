//! Opaque cursors: a position in a list, sealed against change, so that what comes back is what was given out.
//!
//! `base64url(version, tag, JSON)`. The tag is an HMAC over version, list and JSON: a cursor of another list, or of the same list
//! with other filters, is refused. It hides nothing; positions hold no secrets.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const CURSOR_CHARACTERS_MAX: usize = 4096;

/// What cursors are authenticated with: the same on all replicas, or a cursor of one is refused by the next.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// A key from outside: derived from the master key, or random where there is one process.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("CursorKey(***)")
    }
}

/// Makes and reads cursors.
#[derive(Clone, Debug)]
pub struct Cursors(hmac::Key);

impl Cursors {
    /// With a key.
    #[must_use]
    pub fn new(key: &CursorKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key.0))
    }

    /// The cursor of `position`. `list` names the list and whatever filters the position depends on.
    ///
    /// # Errors
    /// The position has no JSON form: a fault of the program.
    pub fn encode(&self, list: &str, position: &impl Serialize) -> Result<String, Problem> {
        let json = serde_json::to_vec(position).map_err(|error| Problem::internal(&error))?;
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.tag(list, &json));
        bytes.extend_from_slice(&json);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position of a cursor that [`encode`](Self::encode) made for the same list.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn decode<T: DeserializeOwned>(&self, list: &str, cursor: &str) -> Result<T, Problem> {
        self.open(list, cursor).ok_or_else(|| {
            Problem::new(Code::InvalidCursor, "the cursor is not one of this list with these filters; start again without it")
                .with_field("cursor", "expected the `nextCursor` of the page before")
        })
    }

    fn open<T: DeserializeOwned>(&self, list: &str, cursor: &str) -> Option<T> {
        if cursor.len() > CURSOR_CHARACTERS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (tag, json) = rest.split_at_checked(TAG_BYTES)?;
        let genuine = *version == VERSION && bool::from(subtle::ConstantTimeEq::ct_eq(tag, self.tag(list, json).as_slice()));
        if genuine { serde_json::from_slice(json).ok() } else { None }
    }

    fn tag(&self, list: &str, json: &[u8]) -> [u8; TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[VERSION]);
        context.update(&(list.len() as u64).to_be_bytes());
        context.update(list.as_bytes());
        context.update(json);
        let mut tag = [0; TAG_BYTES];
        tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors() -> Cursors {
        Cursors::new(&CursorKey::new([7; 32]))
    }

    #[test]
    fn a_cursor_comes_back_as_its_position() {
        let cursor = cursors().encode("runs", &("name", 7)).unwrap();
        assert_eq!(cursors().decode::<(String, u32)>("runs", &cursor).unwrap(), ("name".to_owned(), 7));
    }

    #[test]
    fn a_changed_foreign_or_invented_cursor_is_400() {
        let cursor = cursors().encode("runs", &7).unwrap();
        let mut changed = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        let other_key = Cursors::new(&CursorKey::new([8; 32])).encode("runs", &7).unwrap();
        let other_list = cursors().encode("users", &7).unwrap();
        let long = "A".repeat(CURSOR_CHARACTERS_MAX + 1);
        for bad in ["", "AQ", "ä", "{}", &long, &URL_SAFE_NO_PAD.encode(changed), &other_key, &other_list] {
            assert_eq!(cursors().decode::<u32>("runs", bad).unwrap_err().code(), Code::InvalidCursor, "{bad}");
        }
    }
}
