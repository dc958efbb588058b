//! One pure function says who may do what. Every handler asks it, nothing else decides.

use super::role::{Principal, Role, Scope, Via};

/// What the user is to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Listed as one of the connection's administrators.
    ConnectionAdministrator,
    /// Not listed.
    Other,
}

/// Whose thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The user's own.
    Oneself,
    /// Somebody else's.
    SomebodyElse,
}

/// What a request is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Assets, search, lineage, connections, workflows, runs, runtimes, the state of the system.
    ReadCatalog,
    /// Description, owners, tags and certificate of an asset.
    Enrich,
    /// Names of users, to choose owners and administrators from.
    ListUsers,
    /// Names and kinds of credentials, never what they hold.
    ListCredentials,
    /// Store a new credential.
    CreateCredential,
    /// Replace or delete a credential.
    EditCredential(Owner),
    /// Make a connection; whoever does is its administrator.
    CreateConnection,
    /// Change a connection, its preflight and test of sign-in included.
    EditConnection(Standing),
    /// Delete a connection, and archive or purge its assets.
    DeleteConnection(Standing),
    /// Create, change, pause, resume and delete a connection's workflows.
    EditWorkflow(Standing),
    /// Run now.
    RunWorkflow(Standing),
    /// Stop a run.
    CancelRun(Standing),
    /// Let a run archive more than its limit.
    ConfirmRemovals(Standing),
    /// Create, change and delete users, reset their passwords.
    ManageUsers,
    /// Change a password by giving the old one.
    ChangeOwnPassword,
    /// List, make and revoke API tokens.
    ManageTokens(Owner),
    /// The audit log.
    ReadAudit,
    /// Make tokens that runtimes are enrolled with, and revoke runtimes.
    ManageRuntimes,
}

/// Why not, and what would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The role is too small.
    #[error("this needs the role {needed}, you are {has}: ask an administrator")]
    Role {
        /// The smallest role that may.
        needed: Role,
        /// The role of the user.
        has: Role,
    },
    /// The token is too small.
    #[error("this needs a token with the scope {needed}: make one, or sign in")]
    Scope {
        /// The smallest scope that may.
        needed: Scope,
    },
    /// Only for administrators of the connection.
    #[error("only administrators of this connection may do this: ask one of them to add you, or ask an administrator")]
    NotConnectionAdministrator,
    /// Only for the owner.
    #[error("only its owner or an administrator may do this: ask one of them")]
    NotOwner,
    /// Not for tokens.
    #[error("a token cannot do this: sign in and do it in person")]
    InPersonOnly,
}

/// What an action needs.
struct Need {
    role: Role,
    scope: Scope,
    /// What is missing for anybody but an administrator.
    unless_administrator: Option<Refusal>,
}

/// Decides. The role is looked at first, so that the message names what a person has to ask for.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub fn may(principal: &Principal, action: Action) -> Result<(), Refusal> {
    let need = need(action);
    if principal.role < need.role {
        return Err(Refusal::Role { needed: need.role, has: principal.role });
    }
    if principal.role < Role::Administrator
        && let Some(refusal) = need.unless_administrator
    {
        return Err(refusal);
    }
    if action == Action::ChangeOwnPassword && principal.via != Via::Session {
        return Err(Refusal::InPersonOnly);
    }
    if principal.scope() < Some(need.scope) {
        return Err(Refusal::Scope { needed: need.scope });
    }
    Ok(())
}

fn need(action: Action) -> Need {
    let plain = |role, scope| Need { role, scope, unless_administrator: None };
    match action {
        Action::ReadCatalog => plain(Role::Viewer, Scope::Read),
        Action::ListUsers | Action::ListCredentials => plain(Role::Member, Scope::Read),
        Action::Enrich | Action::CreateCredential | Action::CreateConnection => plain(Role::Member, Scope::Write),
        Action::EditCredential(owner) => Need { unless_administrator: of_owner(owner), ..plain(Role::Member, Scope::Write) },
        Action::EditConnection(standing)
        | Action::DeleteConnection(standing)
        | Action::EditWorkflow(standing)
        | Action::RunWorkflow(standing)
        | Action::CancelRun(standing)
        | Action::ConfirmRemovals(standing) => {
            Need { unless_administrator: of_standing(standing), ..plain(Role::Member, Scope::Write) }
        }
        // A token that could make tokens would outlive its own revocation, hence the largest scope.
        Action::ChangeOwnPassword | Action::ManageTokens(Owner::Oneself) => plain(Role::Viewer, Scope::Admin),
        Action::ManageTokens(Owner::SomebodyElse) | Action::ManageUsers | Action::ReadAudit | Action::ManageRuntimes => {
            plain(Role::Administrator, Scope::Admin)
        }
    }
}

fn of_owner(owner: Owner) -> Option<Refusal> {
    (owner == Owner::SomebodyElse).then_some(Refusal::NotOwner)
}

fn of_standing(standing: Standing) -> Option<Refusal> {
    (standing == Standing::Other).then_some(Refusal::NotConnectionAdministrator)
}

#[cfg(test)]
mod tests {
    use super::{Action, Owner, Refusal, Standing, may};
    use crate::auth::role::{Principal, Role, Scope, TokenId, UserId, Via};

    const ROLES: [Role; 3] = [Role::Viewer, Role::Member, Role::Administrator];
    const SCOPES: [Scope; 3] = [Scope::Read, Scope::Write, Scope::Admin];

    /// Per action: what a session may do as viewer, member, administrator; then what an administrator's token may do with
    /// the scope read, write, admin. `y` may, `.` may not.
    const TABLE: &[(Action, &str, &str)] = &[
        (Action::ReadCatalog, "yyy", "yyy"),
        (Action::Enrich, ".yy", ".yy"),
        (Action::ListUsers, ".yy", "yyy"),
        (Action::ListCredentials, ".yy", "yyy"),
        (Action::CreateCredential, ".yy", ".yy"),
        (Action::EditCredential(Owner::Oneself), ".yy", ".yy"),
        (Action::EditCredential(Owner::SomebodyElse), "..y", ".yy"),
        (Action::CreateConnection, ".yy", ".yy"),
        (Action::EditConnection(Standing::ConnectionAdministrator), ".yy", ".yy"),
        (Action::EditConnection(Standing::Other), "..y", ".yy"),
        (Action::DeleteConnection(Standing::ConnectionAdministrator), ".yy", ".yy"),
        (Action::DeleteConnection(Standing::Other), "..y", ".yy"),
        (Action::EditWorkflow(Standing::ConnectionAdministrator), ".yy", ".yy"),
        (Action::EditWorkflow(Standing::Other), "..y", ".yy"),
        (Action::RunWorkflow(Standing::ConnectionAdministrator), ".yy", ".yy"),
        (Action::RunWorkflow(Standing::Other), "..y", ".yy"),
        (Action::CancelRun(Standing::ConnectionAdministrator), ".yy", ".yy"),
        (Action::CancelRun(Standing::Other), "..y", ".yy"),
        (Action::ConfirmRemovals(Standing::ConnectionAdministrator), ".yy", ".yy"),
        (Action::ConfirmRemovals(Standing::Other), "..y", ".yy"),
        (Action::ManageUsers, "..y", "..y"),
        (Action::ChangeOwnPassword, "yyy", "..."),
        (Action::ManageTokens(Owner::Oneself), "yyy", "..y"),
        (Action::ManageTokens(Owner::SomebodyElse), "..y", "..y"),
        (Action::ReadAudit, "..y", "..y"),
        (Action::ManageRuntimes, "..y", "..y"),
    ];

    fn token(role: Role, scopes: &[Scope]) -> Principal {
        Principal { scopes: scopes.to_vec(), via: Via::Token(TokenId(9)), ..Principal::in_person(UserId(1), "Ada", role) }
    }

    fn picture(verdicts: impl Iterator<Item = bool>) -> String {
        verdicts.map(|may| if may { 'y' } else { '.' }).collect()
    }

    #[test]
    fn the_table_of_roles_and_scopes_holds() {
        for (action, roles, scopes) in TABLE {
            let by_role = ROLES.iter().map(|role| may(&Principal::in_person(UserId(1), "Ada", *role), *action).is_ok());
            let by_scope = SCOPES.iter().map(|scope| may(&token(Role::Administrator, &[*scope]), *action).is_ok());
            assert_eq!((picture(by_role).as_str(), picture(by_scope).as_str()), (*roles, *scopes), "{action:?}");
        }
    }

    #[test]
    fn a_token_never_may_what_its_user_may_not_in_person() {
        for (action, ..) in TABLE {
            for role in ROLES {
                let in_person = may(&Principal::in_person(UserId(1), "Ada", role), *action).is_ok();
                assert!(in_person || may(&token(role, &SCOPES), *action).is_err(), "{role} {action:?}");
            }
        }
    }

    #[test]
    fn a_token_without_scopes_may_nothing() {
        for (action, ..) in TABLE {
            assert!(may(&token(Role::Administrator, &[]), *action).is_err(), "{action:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_missing() {
        let viewer = Principal::in_person(UserId(1), "Ada", Role::Viewer);
        let member = Principal::in_person(UserId(1), "Ada", Role::Member);
        assert_eq!(may(&viewer, Action::Enrich), Err(Refusal::Role { needed: Role::Member, has: Role::Viewer }));
        assert_eq!(may(&member, Action::RunWorkflow(Standing::Other)), Err(Refusal::NotConnectionAdministrator));
        assert_eq!(may(&member, Action::EditCredential(Owner::SomebodyElse)), Err(Refusal::NotOwner));
        assert_eq!(may(&token(Role::Member, &[Scope::Read]), Action::Enrich), Err(Refusal::Scope { needed: Scope::Write }));
        assert_eq!(may(&token(Role::Member, &SCOPES), Action::ChangeOwnPassword), Err(Refusal::InPersonOnly));
    }
}
