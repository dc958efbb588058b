//! A browser as far as signing in needs one: it keeps cookies, follows redirects and sends forms.

use std::time::Duration;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Url};
use serde_json::Value;
use tokio::runtime::Runtime;

/// Redirects and pages of one sign-in; more would be a circle.
const STEPS_MAX: usize = 20;

/// Cookies are told apart by path alone: all servers of a test are one host, and cookies know no ports.
struct Cookie {
    name: String,
    path: String,
    value: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Where a redirect leads.
    pub(crate) location: Option<Url>,
    /// Names of the cookies that were given, not those that were taken away.
    pub(crate) given: Vec<String>,
    pub(crate) body: Value,
    url: Url,
    text: String,
}

/// Somebody's browser.
pub(crate) struct Browser {
    client: reqwest::Client,
    runtime: Runtime,
    cookies: Vec<Cookie>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client: client.build().unwrap(), runtime, cookies: Vec::new() }
    }

    pub(crate) fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, |request| request)
    }

    /// What a page's script sends: JSON, with the CSRF token or without one.
    pub(crate) fn call(&mut self, method: Method, url: &str, csrf: Option<&str>, body: &Value) -> Page {
        self.send(method, url, |request| {
            let request = csrf.into_iter().fold(request, |request, csrf| request.header("x-csrf-token", csrf));
            if body.is_null() { request } else { request.json(body) }
        })
    }

    /// Goes to a provider and through its pages for login and consent; where it sends the browser back to. Nothing is asked there yet.
    pub(crate) fn authorize(&mut self, authorize_url: &str, login: &str, back: &str) -> String {
        let mut page = self.get(authorize_url);
        for _ in 0..STEPS_MAX {
            let next = match &page.location {
                Some(url) if url.as_str().starts_with(back) => return url.to_string(),
                Some(url) => url.to_string(),
                None => {
                    page = self.fill(&page, login);
                    continue;
                }
            };
            page = self.get(&next);
        }
        panic!("the provider sends the browser in circles: {page:?}");
    }

    /// The cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// Puts a cookie where a server took it away, as who copied it can.
    pub(crate) fn restore(&mut self, name: &str, path: &str, value: &str) {
        self.keep(&format!("{name}={value}; Path={path}"));
    }

    fn send(&mut self, method: Method, url: &str, with: impl Fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Page {
        let url: Url = url.parse().unwrap();
        let fits = |cookie: &&Cookie| url.path().starts_with(&cookie.path);
        let sent: Vec<String> =
            self.cookies.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let request = self.client.request(method, url.clone()).header(COOKIE, sent.join("; ")).timeout(Duration::from_secs(60));
        // A time limit needs the runtime's clock already when it is set.
        let response = self.runtime.block_on(async { with(request).send().await }).unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = self.runtime.block_on(response.text()).unwrap();
        let given = headers.get_all(SET_COOKIE).iter().filter_map(|value| self.keep(value.to_str().unwrap())).collect();
        let location = headers.get(LOCATION).map(|value| url.join(value.to_str().unwrap()).unwrap());
        Page { status, location, given, body: serde_json::from_str(&text).unwrap_or(Value::Null), url, text }
    }

    /// Keeps what a header `Set-Cookie` says; the name, unless it takes a cookie away.
    fn keep(&mut self, header: &str) -> Option<String> {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let (mut path, mut is_gone) = ("/", value.is_empty());
        for (attribute, value) in parts.filter_map(|part| part.split_once('=')) {
            match attribute.to_ascii_lowercase().as_str() {
                "path" => path = value,
                "max-age" => is_gone |= value == "0",
                "expires" => is_gone |= value.contains("1970"),
                _ => {}
            }
        }
        self.cookies.retain(|cookie| (cookie.name.as_str(), cookie.path.as_str()) != (name, path));
        if is_gone {
            return None;
        }
        self.cookies.push(Cookie { name: name.to_owned(), path: path.to_owned(), value: value.to_owned() });
        Some(name.to_owned())
    }

    /// Fills the form of a page in and sends it.
    fn fill(&mut self, page: &Page, login: &str) -> Page {
        let action = page.url.join(&page.between("action=\"", "\"")).unwrap();
        let prompt = page.between("name=\"prompt\" value=\"", "\"");
        let form: Vec<(&str, &str)> = match prompt.as_str() {
            "login" => vec![("prompt", "login"), ("login", login), ("password", "any")],
            _ => vec![("prompt", prompt.as_str())],
        };
        self.send(Method::POST, action.as_str(), |request| request.form(&form))
    }
}

impl Page {
    /// The link of a page that gives up.
    pub(crate) fn cancel(&self) -> String {
        self.url.join(&self.between("href=\"", "\">[ Cancel ]")).unwrap().to_string()
    }

    /// Asserts the status of a redirect; where it leads.
    #[track_caller]
    pub(crate) fn redirects(&self) -> String {
        assert!((300..400).contains(&self.status), "{self:?}");
        self.location.as_ref().unwrap().to_string()
    }

    /// Asserts a problem that says all of this, and that it gave no session.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, parts: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(!self.given.iter().any(|name| name == "isinglass_session"), "{self:?}");
        let detail = self.body["detail"].as_str().unwrap_or_else(|| panic!("no detail: {self:?}"));
        for part in parts {
            assert!(detail.contains(part), "\"{part}\" is not said: {detail}");
        }
    }

    #[track_caller]
    fn between(&self, before: &str, after: &str) -> String {
        let found = self.text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
        found.unwrap_or_else(|| panic!("no {before} in {self:?}")).0.replace("&amp;", "&")
    }
}
