//! What tests of the control plane's state are made of.

use store::{
    Actor, Audit, AuditEntry, AuditFilter, AuditVia, IdempotencyKey, NewUser, PageRequest, PasswordHash, Role, SecretHash, Store,
    User, UserEdit, UserId, UserState,
};

pub(crate) const NOW: i64 = 1_700_000_000_000;
pub(crate) const MINUTE: i64 = 60_000;

pub(crate) fn system() -> Audit {
    Audit { actor: Actor::System { name: "test".into() }, via: AuditVia::Internal, address: None, request_id: None }
}

/// A user of a number, as the control plane names them; there need be none.
pub(crate) fn person(number: i64) -> Audit {
    Audit { actor: Actor::User { id: UserId(number), name: format!("user {number}") }, ..system() }
}

pub(crate) fn by(user: &User) -> Audit {
    Audit {
        actor: Actor::User { id: user.id, name: user.name.clone() },
        via: AuditVia::Session,
        address: Some("203.0.113.7".into()),
        request_id: Some("req-1".into()),
    }
}

pub(crate) fn hash(number: u8) -> SecretHash {
    SecretHash([number; 32])
}

pub(crate) fn password(text: &str) -> PasswordHash {
    PasswordHash(format!("$argon2id${text}"))
}

pub(crate) fn new_user(name: &str, role: Role) -> NewUser {
    NewUser { name: name.into(), display_name: None, email: None, role, password: None, identity: None }
}

pub(crate) async fn user(store: &Store, name: &str, role: Role) -> User {
    store.create_user(&new_user(name, role), &system(), NOW).await.unwrap()
}

/// The edit that changes nothing.
pub(crate) fn edit_of(user: &User) -> UserEdit {
    UserEdit {
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        email: user.email.clone(),
        role: user.role,
        state: user.state(),
    }
}

pub(crate) async fn disable(store: &Store, user: &User) -> store::Result<User> {
    let edit = UserEdit { state: UserState::Disabled, ..edit_of(user) };
    store.update_user(user.id, user.version, &edit, &system(), NOW).await
}

pub(crate) fn request(key: &str) -> IdempotencyKey {
    IdempotencyKey { principal: "user:1".into(), key: key.into(), method: "POST".into(), path: "/api/v1/users".into() }
}

/// The whole audit log, newest first.
pub(crate) async fn audit_log(store: &Store, filter: &AuditFilter) -> Vec<AuditEntry> {
    let page = store.audit_log(filter, PageRequest::first(200)).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

pub(crate) async fn actions(store: &Store) -> Vec<String> {
    audit_log(store, &AuditFilter::default()).await.into_iter().rev().map(|entry| entry.action).collect()
}
