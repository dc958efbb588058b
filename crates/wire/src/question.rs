//! What a crawl asks the catalog: what is known already, and what a complete listing no longer has.

use model::document::ReadError;
use model::{Asset, Kind, KnownAsset, MissingAsset, QualifiedName, Scope, ScopeReport, SourceHash};
use serde::{Deserialize, Serialize};

use crate::batch::{AssetLine, hash_of, hash_text};
use crate::finish::ScopeRead;
use crate::ids::{LeaseId, Sequence};

/// `POST /runtime/v1/questions/{run}/{number}`. The number tells questions of one lease apart; the same one may be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuestionRequest {
    /// The lease.
    pub lease: LeaseId,
    /// The answer takes into account what was sent up to here.
    pub after: Sequence,
    /// How long to wait for the answer, at most [`crate::LONG_POLL_SECONDS_MAX`].
    pub wait_seconds: u64,
    /// What is asked.
    pub question: Question,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// Which of these tables are stored as they are.
    Unchanged {
        /// Names, and the hashes of the bytes that they are made from.
        slices: Vec<Slice>,
    },
    /// What is stored of an asset.
    #[serde(rename_all = "camelCase")]
    Stored {
        /// Its name.
        qualified_name: String,
    },
    /// The tables whose data is at these places.
    TablesAt {
        /// `s3://` URLs in their canonical form.
        locations: Vec<String>,
    },
    /// What these scopes no longer list.
    Missing {
        /// How far each was read.
        scopes: Vec<ScopeRead>,
        /// The most that are wanted.
        limit: usize,
    },
}

/// A table and the hash of the bytes that it is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slice {
    /// Its name.
    pub qualified_name: String,
    /// 16 digits of lower-case hex.
    pub hash: String,
}

/// The answer to [`QuestionRequest`]; absent when it takes longer: then the same question is asked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// The answer to a [`Question`] of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// In the order of the slices.
    Unchanged {
        /// The stored asset, where it was made from the same bytes.
        known: Vec<Option<Known>>,
    },
    /// What is stored.
    Stored {
        /// The asset, if it is there and active.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asset: Option<AssetLine>,
    },
    /// Which tables are where.
    TablesAt {
        /// Places and names.
        tables: Vec<(String, String)>,
    },
    /// What is missing.
    Missing {
        /// Assets.
        assets: Vec<MissingLine>,
    },
}

/// An asset of the catalog by its number there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// The catalog's number.
    pub id: i64,
    /// What it is.
    pub type_name: String,
}

/// An asset that a complete listing no longer had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingLine {
    /// Which one.
    #[serde(flatten)]
    pub known: Known,
    /// Its name.
    pub qualified_name: String,
}

impl From<KnownAsset> for Known {
    fn from(known: KnownAsset) -> Self {
        Self { id: known.id, type_name: known.kind.type_name().to_owned() }
    }
}

impl Known {
    /// The asset; none where a newer program knows more kinds.
    #[must_use]
    pub fn asset(&self) -> Option<KnownAsset> {
        Some(KnownAsset { id: self.id, kind: Kind::from_type_name(&self.type_name)? })
    }
}

impl From<&MissingAsset> for MissingLine {
    fn from(missing: &MissingAsset) -> Self {
        Self { known: missing.known.into(), qualified_name: missing.qualified_name.as_str().to_owned() }
    }
}

impl MissingLine {
    /// The asset; none where a newer program knows more kinds.
    #[must_use]
    pub fn asset(&self) -> Option<MissingAsset> {
        Some(MissingAsset { known: self.known.asset()?, qualified_name: QualifiedName::from_encoded(self.qualified_name.clone()) })
    }
}

impl Slice {
    /// A slice of a page.
    #[must_use]
    pub fn new(name: &QualifiedName, hash: SourceHash) -> Self {
        Self { qualified_name: name.as_str().to_owned(), hash: hash_text(hash) }
    }

    /// Name and hash; none where the hash is no hash.
    #[must_use]
    pub fn parts(&self) -> Option<(QualifiedName, SourceHash)> {
        Some((QualifiedName::from_encoded(self.qualified_name.clone()), hash_of(&self.hash)?))
    }
}

impl Answer {
    /// The answer to [`Question::Stored`].
    #[must_use]
    pub fn stored(asset: Option<&Asset>) -> Self {
        Self::Stored { asset: asset.map(AssetLine::of) }
    }
}

impl AssetLine {
    /// The asset of an answer; none where a newer program knows more kinds.
    ///
    /// # Errors
    /// When attributes or columns have another form.
    pub fn asset(&self) -> Result<Option<Asset>, ReadError> {
        self.read()
    }
}

impl From<&ScopeReport> for ScopeRead {
    fn from(report: &ScopeReport) -> Self {
        Self { scope: report.scope.as_str().to_owned(), complete: report.complete }
    }
}

impl From<&ScopeRead> for ScopeReport {
    fn from(read: &ScopeRead) -> Self {
        Self { scope: Scope::new(read.scope.clone()), complete: read.complete }
    }
}
