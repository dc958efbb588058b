//! Who may call: long-lived keys, roles that can be assumed, and the sessions that come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::{SessionPolicy, Verdict, matches_pattern};

const SESSIONS_MAX: usize = 10_000;

/// The keys a client signs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// A role that the account lets its users assume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub arn: String,
    /// AssumeRole without exactly this answers AccessDenied.
    #[serde(default)]
    pub external_id: Option<String>,
    /// `MaxSessionDuration`, seconds.
    #[serde(default = "default_session_seconds_max")]
    pub session_seconds_max: u32,
}

impl Role {
    /// A role that needs no external id and allows sessions of an hour.
    #[must_use]
    pub fn new(arn: &str) -> Self {
        Self { arn: arn.to_owned(), external_id: None, session_seconds_max: default_session_seconds_max() }
    }
}

fn default_session_seconds_max() -> u32 {
    3_600
}

#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) keys: Keys,
    pub(crate) arn: String,
    pub(crate) user_id: String,
    pub(crate) expires_at_ms: Option<i64>,
    policy: Option<Arc<SessionPolicy>>,
}

impl Identity {
    pub(crate) fn is_session(&self) -> bool {
        self.keys.session_token.is_some()
    }

    /// The ARN of the role or user behind a session, by which DataZone knows its members.
    pub(crate) fn principal(&self) -> String {
        let Some((account, role)) = self.arn.strip_prefix("arn:aws:sts::").and_then(|rest| rest.split_once(":assumed-role/"))
        else {
            return self.arn.clone();
        };
        let name = role.split('/').next().unwrap_or(role);
        format!("arn:aws:iam::{account}:role/{name}")
    }

    pub(crate) fn is_expired(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_some_and(|expires_at_ms| expires_at_ms <= now_ms)
    }
}

/// What a session is to be made of.
#[derive(Debug)]
pub(crate) struct NewSession<'s> {
    pub(crate) account: &'s str,
    pub(crate) role: &'s str,
    pub(crate) name: &'s str,
    pub(crate) seconds: u32,
    pub(crate) policy: Option<SessionPolicy>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Identities {
    by_access_key: BTreeMap<String, Arc<Identity>>,
    roles: BTreeMap<String, Role>,
    /// IAM patterns that no identity-based policy allows.
    denied_actions: BTreeSet<String>,
    session_seconds: Option<u32>,
    sessions_issued: u64,
}

impl Identities {
    pub(crate) fn of_account(account: &str) -> Self {
        let mut identities = Self::default();
        identities.add_user(
            account,
            &Keys {
                access_key_id: "AKIASIMULATEDUSER001".to_owned(),
                secret_access_key: "simulated/secret/key/that/opens/nothing0".to_owned(),
                session_token: None,
            },
        );
        identities.put_role(Role::new(&format!("arn:aws:iam::{account}:role/isinglass-reader")));
        identities
    }

    pub(crate) fn add_user(&mut self, account: &str, keys: &Keys) {
        let identity = Identity {
            keys: keys.clone(),
            arn: format!("arn:aws:iam::{account}:user/crawler"),
            user_id: "AIDASIMULATEDUSER001".to_owned(),
            expires_at_ms: None,
            policy: None,
        };
        self.by_access_key.insert(keys.access_key_id.clone(), Arc::new(identity));
    }

    /// The first long-lived keys.
    pub(crate) fn user_keys(&self) -> Option<Keys> {
        self.by_access_key.values().find(|identity| !identity.is_session()).map(|identity| identity.keys.clone())
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<Identity>> {
        self.by_access_key.get(access_key_id).cloned()
    }

    pub(crate) fn put_role(&mut self, role: Role) {
        self.roles.insert(role.arn.clone(), role);
    }

    pub(crate) fn role(&self, arn: &str) -> Option<&Role> {
        self.roles.get(arn)
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    pub(crate) fn deny_action(&mut self, pattern: String) {
        self.denied_actions.insert(pattern);
    }

    pub(crate) fn allow_action(&mut self, pattern: &str) {
        self.denied_actions.remove(pattern);
    }

    /// Sessions end after this many seconds whatever was asked for; `None` honours what was asked.
    pub(crate) fn set_session_seconds(&mut self, seconds: Option<u32>) {
        self.session_seconds = seconds;
    }

    /// Every session issued so far has ended at `now_ms`.
    pub(crate) fn expire_sessions(&mut self, now_ms: i64) {
        for identity in self.by_access_key.values_mut().filter(|identity| identity.is_session()) {
            Arc::make_mut(identity).expires_at_ms = Some(now_ms);
        }
    }

    pub(crate) fn issue(&mut self, session: NewSession<'_>, now_ms: i64) -> Arc<Identity> {
        self.drop_ended_sessions(now_ms);
        self.sessions_issued += 1;
        let number = self.sessions_issued;
        let role_name = session.role.rsplit('/').next().unwrap_or(session.role);
        let seconds = self.session_seconds.unwrap_or(session.seconds);
        let identity = Arc::new(Identity {
            keys: Keys {
                access_key_id: format!("ASIASIMULATED{number:07}"),
                secret_access_key: format!("simulated/session/secret/{number:015}"),
                session_token: Some(format!("simulated-session-token/{number}/of/{role_name}/opens+nothing==")),
            },
            arn: format!("arn:aws:sts::{}:assumed-role/{role_name}/{}", session.account, session.name),
            user_id: format!("AROASIMULATEDROLE001:{}", session.name),
            expires_at_ms: Some(now_ms.saturating_add(i64::from(seconds) * 1_000)),
            policy: session.policy.map(Arc::new),
        });
        self.by_access_key.insert(identity.keys.access_key_id.clone(), Arc::clone(&identity));
        identity
    }

    /// Why `identity` may not use `action`, in IAM's words, or `None` where it may.
    pub(crate) fn denial(&self, identity: &Identity, action: &str) -> Option<String> {
        if self.denied_actions.iter().any(|pattern| matches_pattern(pattern, action)) {
            return Some(format!("because no identity-based policy allows the {action} action"));
        }
        match identity.policy.as_ref().map_or(Verdict::Allowed, |policy| policy.verdict(action)) {
            Verdict::Allowed => None,
            Verdict::NotMentioned => Some(format!("because no session policy allows the {action} action")),
            Verdict::ExplicitlyDenied => Some("with an explicit deny in a session policy".to_owned()),
        }
    }

    // Ended sessions are kept until the bound is met, so that their use is answered with ExpiredToken as AWS does.
    fn drop_ended_sessions(&mut self, now_ms: i64) {
        if self.by_access_key.len() >= SESSIONS_MAX {
            self.by_access_key.retain(|_, identity| !identity.is_expired(now_ms));
        }
    }
}
