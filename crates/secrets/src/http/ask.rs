//! One request to a store.

use bytes::Bytes;
use model::Secret;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Url};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::fault::Fault;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
/// Room for the body of a sign-in, whose tokens take a few kibibytes.
const BODY_BYTES: usize = 16 * 1024;

/// A request that may be made several times. It does not print.
pub(crate) struct Ask {
    pub(super) url: Url,
    method: Method,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Ask {
    pub(crate) fn get(url: Url) -> Self {
        Self { url, method: Method::GET, headers: HeaderMap::from_iter([(ACCEPT, JSON)]), body: None }
    }

    /// A form; its content is overwritten when the request is dropped.
    pub(crate) fn post_form(url: Url, fields: &[(&str, &str)]) -> Self {
        let room = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        let mut form = Zeroizing::new(Vec::with_capacity(room));
        for (index, (name, value)) in fields.iter().enumerate() {
            if index > 0 {
                form.push(b'&');
            }
            push_encoded(name, &mut form);
            form.push(b'=');
            push_encoded(value, &mut form);
        }
        Self::post(url, FORM, form)
    }

    /// A JSON body; its content is overwritten when the request is dropped.
    pub(crate) fn post_json(url: Url, content: &impl Serialize) -> Result<Self, Fault> {
        let mut json = Zeroizing::new(Vec::with_capacity(BODY_BYTES));
        serde_json::to_writer(&mut *json, content)
            .map_err(|_| Fault::misconfigured("the sign-in cannot be written as JSON", "check what signs in for odd characters"))?;
        Ok(Self::post(url, JSON, json))
    }

    fn post(url: Url, kind: HeaderValue, body: Zeroizing<Vec<u8>>) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, JSON), (CONTENT_TYPE, kind)]);
        Self { url, method: Method::POST, headers, body: Some(Bytes::from_owner(body)) }
    }

    /// A header without a secret.
    pub(crate) fn header(mut self, name: &'static str, value: &HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value.clone());
        self
    }

    /// A header that no log shows.
    pub(crate) fn secret_header(mut self, name: &'static str, value: &Secret) -> Result<Self, Fault> {
        self.headers.insert(HeaderName::from_static(name), sensitive(value.expose())?);
        Ok(self)
    }

    /// `Authorization: Bearer …`.
    pub(crate) fn bearer(mut self, token: &Secret) -> Result<Self, Fault> {
        let value = Zeroizing::new(format!("Bearer {}", token.expose()));
        self.headers.insert(AUTHORIZATION, sensitive(&value)?);
        Ok(self)
    }

    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = self.body.clone().map(Body::from);
        request
    }
}

fn sensitive(value: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Fault::misconfigured("the token that signs in has characters that no token has", "check that the token was copied whole")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Encodes everything but the unreserved characters of RFC 3986, which a form takes as it takes a query.
fn push_encoded(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("https://vault.example").unwrap()
    }

    #[test]
    fn form_fields_are_encoded() {
        let ask = Ask::post_form(url(), &[("grant_type", "a:b"), ("secret", "p+ =&é")]);
        assert_eq!(ask.body.unwrap(), "grant_type=a%3Ab&secret=p%2B%20%3D%26%C3%A9");
    }

    #[test]
    fn headers_with_secrets_do_not_print_and_broken_tokens_are_refused() {
        let token = Secret::new("hunter2");
        let ask = Ask::get(url()).bearer(&token).unwrap().secret_header("x-vault-token", &token).unwrap();
        assert!(!format!("{:?}", ask.request()).contains("hunter2"));
        assert_eq!(ask.request().headers()["authorization"], "Bearer hunter2");
        let broken = Ask::get(url()).bearer(&Secret::new("hunter2\nx"));
        assert!(broken.is_err_and(|fault| !format!("{fault:?}").contains("hunter2")));
    }
}
