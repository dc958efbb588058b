//! The first administrator of a catalog that nobody visits: a token which the operator chose before the first start.

use super::audit::Audit;
use super::guard::{Guard, enter};
use super::secret::SecretHash;
use super::token::{NewToken, insert as insert_token};
use super::user::{Role, User};
use super::user_write::{NewUser, insert};
use crate::db::{Connection, query_scalar};
use crate::{Result, Store};

/// What the first user is called.
const NAME: &str = "admin";

/// The token of the first administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapToken {
    /// What it is for.
    pub name: String,
    /// What it is found by.
    pub hash: SecretHash,
    /// What it may do at most, JSON.
    pub scopes: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// There were no users: now there is one.
    Created(Box<User>),
    /// It was done before with the same token.
    AlreadyDone,
    /// There are users, and none of them has this token: nothing was done.
    NotEmpty,
}

impl Store {
    /// Creates the user `admin` with a token where there are no users. Every replica may ask for it at every start.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn bootstrap(&self, token: &BootstrapToken, audit: &Audit, now_ms: i64) -> Result<Bootstrap> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        if let Some(done) = done(connection, token).await? {
            return Ok(done);
        }
        let (name, role) = (NAME.to_owned(), Role::Administrator);
        let new = NewUser { name, display_name: None, email: None, role, password: None, identity: None };
        let user = insert(connection, &new, audit, now_ms).await?;
        let BootstrapToken { name, hash, scopes } = token.clone();
        insert_token(connection, &NewToken { user: user.id, name, hash, scopes, expires_ms: None }, audit, now_ms).await?;
        transaction.commit().await?;
        Ok(Bootstrap::Created(Box::new(user)))
    }
}

async fn done(connection: &mut Connection<'_>, token: &BootstrapToken) -> Result<Option<Bootstrap>> {
    let any: Option<i64> = query_scalar("SELECT id FROM person LIMIT 1").fetch_optional(&mut *connection).await?;
    if any.is_none() {
        return Ok(None);
    }
    let text = "SELECT id FROM api_token WHERE hash = $1";
    let same: Option<i64> = query_scalar(text).bind(token.hash.value()).fetch_optional(connection).await?;
    Ok(Some(if same.is_some() { Bootstrap::AlreadyDone } else { Bootstrap::NotEmpty }))
}
