//! S3 locations: one spelling for the many that catalogs hold, stripped of what could be secret or data.

/// An `s3://bucket[/prefix]` URL without a trailing slash, user info, query or fragment; `key=value` segments read `key=*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct S3Location(String);

impl S3Location {
    /// Parses `s3://`, `s3a://` and `s3n://` URLs; `None` for anything else, and for a URL without a bucket.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let clean = clean_url(url);
        let rest = clean.strip_prefix("s3://").or_else(|| clean.strip_prefix("s3a://")).or_else(|| clean.strip_prefix("s3n://"))?;
        let rest = rest.trim_end_matches('/');
        (!rest.is_empty() && !rest.starts_with('/')).then(|| Self(format!("s3://{rest}")))
    }

    /// Takes a URL that is known to be in the canonical form: from a stored row.
    #[must_use]
    pub fn from_canonical(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The canonical URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        let rest = &self.0["s3://".len()..];
        rest.split_once('/').map_or(rest, |(bucket, _)| bucket)
    }

    /// The key prefix below the bucket, if there is one.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.0["s3://".len()..].split_once('/').map(|(_, prefix)| prefix)
    }

    /// This location and everything above it up to the bucket, longest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let bucket_end = "s3://".len() + self.bucket().len();
        let mut next = Some(self.0.as_str());
        std::iter::from_fn(move || {
            let current = next?;
            next = current.rfind('/').filter(|at| *at >= bucket_end).map(|at| &current[..at]);
            Some(current)
        })
    }
}

/// A URL without user info, query and fragment, and with the values of `key=value` path segments replaced by `*`: partition
/// values are business data, and user info or presigned queries are secrets. Text that is no URL is treated as a path.
#[must_use]
pub fn clean_url(url: &str) -> String {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let mut clean = String::with_capacity(url.len());
    if let Some(scheme) = scheme {
        clean.push_str(scheme);
        clean.push_str("://");
    }
    for (index, segment) in rest.split('/').enumerate() {
        if index > 0 {
            clean.push('/');
        }
        let segment = if index == 0 && scheme.is_some() { segment.rsplit('@').next().unwrap_or_default() } else { segment };
        match segment.split_once('=') {
            Some((key, _)) => clean.extend([key, "=*"]),
            None => clean.push_str(segment),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_location_become_one() {
        for url in
            ["s3://b/raw/orders/", "s3a://b/raw/orders", "s3n://user:pw@b/raw/orders?X-Amz-Signature=1#f", " s3://b/raw/orders// "]
        {
            assert_eq!(S3Location::parse(url).unwrap().as_str(), "s3://b/raw/orders", "{url}");
        }
        for url in ["hdfs://n/x", "s3://", "s3:///x", "jdbc:mysql://h/db", ""] {
            assert_eq!(S3Location::parse(url), None, "{url}");
        }
    }

    #[test]
    fn partition_values_in_paths_are_masked() {
        assert_eq!(clean_url("s3://b/t/dt=2024-01-01/country=DE/"), "s3://b/t/dt=*/country=*/");
        assert_eq!(clean_url("a=b/c"), "a=*/c");
    }

    #[test]
    fn ancestors_go_up_to_the_bucket() {
        let location = S3Location::parse("s3://b/raw/orders").unwrap();
        assert_eq!(location.ancestors().collect::<Vec<_>>(), ["s3://b/raw/orders", "s3://b/raw", "s3://b"]);
        assert_eq!((location.bucket(), location.prefix()), ("b", Some("raw/orders")));
        assert_eq!(S3Location::parse("s3://b").unwrap().prefix(), None);
    }
}
