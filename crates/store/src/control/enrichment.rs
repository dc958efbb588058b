//! What people say of assets and columns. No crawl touches it: it stays while an asset is archived, and is there when it comes back.

use std::collections::BTreeMap;

use model::KnownAsset;
use serde_json::Value;

use crate::control::UserId;
use crate::control::audit::{Audit, AuditEvent, AuditTarget, append};
use crate::control::enrichment_words::refresh;
use crate::db::{Connection, Row, query, query_scalar};
use crate::dialect::number_list;
use crate::{Result, Store, StoreError};

/// What people say of an asset or of one of its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnrichmentText {
    /// What it is.
    pub description: Option<String>,
    /// Who is asked about it.
    pub owners: Vec<String>,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// How far it can be trusted.
    pub certificate: Option<Certificate>,
    /// Why so far.
    pub certificate_message: Option<String>,
}

/// How far an asset can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certificate {
    /// Somebody answers for it.
    Verified,
    /// It is being worked on.
    Draft,
    /// It shall not be used any more.
    Deprecated,
}

impl Certificate {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Verified, Self::Draft, Self::Deprecated];

    /// The word in documents and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Draft => "draft",
            Self::Deprecated => "deprecated",
        }
    }

    /// The certificate of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|certificate| certificate.as_str() == word)
    }

    /// The certificate of a stored word.
    pub(crate) fn stored(word: Option<&str>) -> Result<Option<Self>> {
        let read = |word| Self::parse(word).ok_or_else(|| StoreError::corrupt(format!("there is no certificate `{word}`")));
        word.map(read).transpose()
    }
}

/// Stored words of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrichment {
    /// The path of the column below its table; empty for the asset itself.
    pub path: String,
    /// What is said.
    pub text: EnrichmentText,
    /// Who said it last.
    pub updated_by: Option<UserId>,
    /// When, milliseconds since 1970 UTC.
    pub updated_ms: i64,
    /// Grows with every edit, from 1.
    pub version: i64,
}

const NOUN: &str = "enrichment of the asset";

impl Store {
    /// What is said of an asset and of its columns, by path: the asset itself comes first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn enrichment(&self, asset: KnownAsset) -> Result<Vec<Enrichment>> {
        let text = "SELECT path, description, owners, tags, certificate, updated_by, updated_ms, version, certificate_message
            FROM enrichment WHERE asset = $1 ORDER BY path";
        query(text).bind(asset.id).fetch_all(self.readers()).await?.iter().map(read).collect()
    }

    /// What is said of assets themselves, by their numbers; those of which nothing is said are left out.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn enrichment_of(&self, assets: &[KnownAsset]) -> Result<BTreeMap<i64, Enrichment>> {
        let text =
            "SELECT path, description, owners, tags, certificate, updated_by, updated_ms, version, certificate_message, asset
            FROM enrichment WHERE asset IN (SELECT value FROM json_each($1)) AND path = ''";
        let query = query(text).bind(number_list(assets.iter().map(|asset| asset.id)));
        query.fetch_all(self.readers()).await?.iter().map(|row| Ok((row.try_get(9)?, read(row)?))).collect()
    }

    /// Says something of an asset (`path` is empty) or of its column at `path`; the new version. Where nothing was said before, the
    /// expected version is 0.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is of another version, [`StoreError::NotFound`] when there is no such asset.
    pub async fn set_enrichment(
        &self,
        asset: KnownAsset,
        path: &str,
        expected_version: i64,
        text: &EnrichmentText,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        let name = expect(on, asset, path, expected_version).await?;
        let sql = "INSERT INTO enrichment (asset, path, description, owners, tags, certificate, updated_by, updated_ms, version,
                certificate_message)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (asset, path) DO UPDATE SET description = excluded.description, owners = excluded.owners,
                tags = excluded.tags, certificate = excluded.certificate, updated_by = excluded.updated_by,
                updated_ms = excluded.updated_ms, version = excluded.version, certificate_message = excluded.certificate_message";
        query(sql)
            .bind(asset.id)
            .bind(path.to_owned())
            .bind(text.description.clone())
            .bind(serde_json::json!(text.owners).to_string())
            .bind(serde_json::json!(text.tags).to_string())
            .bind(text.certificate.map(|certificate| certificate.as_str().to_owned()))
            .bind(audit.actor.user().map(|user| user.0))
            .bind(now_ms)
            .bind(expected_version + 1)
            .bind(text.certificate_message.clone())
            .execute(&mut *on)
            .await?;
        refresh(on, asset.id).await?;
        append(on, audit, &event("enrichment.update", name, path), now_ms).await?;
        transaction.commit().await?;
        Ok(expected_version + 1)
    }

    /// Removes what was said of an asset or of its column at `path`.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is of another version, [`StoreError::NotFound`] when there is no such asset.
    pub async fn delete_enrichment(
        &self,
        asset: KnownAsset,
        path: &str,
        expected_version: i64,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        let name = expect(on, asset, path, expected_version).await?;
        let text = "DELETE FROM enrichment WHERE asset = $1 AND path = $2";
        query(text).bind(asset.id).bind(path.to_owned()).execute(&mut *on).await?;
        refresh(on, asset.id).await?;
        append(on, audit, &event("enrichment.delete", name, path), now_ms).await?;
        transaction.commit().await
    }
}

fn event(action: &'static str, asset: String, path: &str) -> AuditEvent {
    let name = (!path.is_empty()).then(|| path.to_owned());
    AuditEvent { action, target: AuditTarget { kind: "asset", id: Some(asset), name }, detail: Value::Null }
}

/// Refuses an edit of what is of another version; the qualified name of the asset.
async fn expect(connection: &mut Connection<'_>, asset: KnownAsset, path: &str, expected: i64) -> Result<String> {
    let text = "SELECT p.path, c.part FROM content c JOIN place p ON p.id = c.place WHERE c.id = $1";
    let Some(row) = query(text).bind(asset.id).fetch_optional(&mut *connection).await? else {
        return Err(StoreError::NotFound { message: "there is no such asset any more: search for it by name".to_owned() });
    };
    let name = format!("{}{}", row.try_get::<&str, _>(0)?, row.try_get::<&str, _>(1)?);
    let text = "SELECT version FROM enrichment WHERE asset = $1 AND path = $2";
    let query = query_scalar(text).bind(asset.id).bind(path.to_owned());
    let version: i64 = query.fetch_optional(connection).await?.unwrap_or(0);
    if version == expected { Ok(name) } else { Err(StoreError::Stale { noun: NOUN, id: asset.id, version }) }
}

fn read(row: &Row) -> Result<Enrichment> {
    let text = EnrichmentText {
        description: row.try_get(1)?,
        owners: serde_json::from_str(row.try_get(2)?).map_err(StoreError::corrupt)?,
        tags: serde_json::from_str(row.try_get(3)?).map_err(StoreError::corrupt)?,
        certificate: Certificate::stored(row.try_get(4)?)?,
        certificate_message: row.try_get(8)?,
    };
    Ok(Enrichment {
        path: row.try_get(0)?,
        text,
        updated_by: row.try_get::<Option<i64>, _>(5)?.map(UserId),
        updated_ms: row.try_get(6)?,
        version: row.try_get(7)?,
    })
}
