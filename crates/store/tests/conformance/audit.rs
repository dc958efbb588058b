//! The audit log: what is in it, how it is asked, and how it ends.

use store::{Actor, Audit, AuditEvent, AuditFilter, AuditTarget, AuditVia, PageRequest, Role, Store, TokenId};

use crate::control::{NOW, actions, audit_log, by, new_user, system, user};
use crate::fresh::Fresh;

fn seen(number: usize) -> AuditEvent {
    let name = format!("default/glue/1/{number}");
    let target = AuditTarget { kind: "asset", id: Some(name), name: Some(number.to_string()) };
    AuditEvent { action: "asset.enrich", target, detail: serde_json::json!({ "number": number }) }
}

async fn append(store: &Store, audit: &Audit, number: usize, at_ms: i64) {
    store.append_audit(audit, &seen(number), at_ms).await.unwrap();
}

pub(crate) async fn an_entry_says_who_did_what_from_where(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "Ada 日本", Role::Administrator).await;
    let ben = store.create_user(&new_user("ben", Role::Viewer), &by(&ada), NOW + 1).await.unwrap();
    let entry = audit_log(&store, &AuditFilter::default()).await.remove(0);
    assert_eq!((entry.at_ms, entry.actor_kind.as_str(), entry.actor_id), (NOW + 1, "user", Some(ada.id)));
    assert_eq!(
        (entry.actor_name.as_deref(), entry.via.as_str(), entry.action.as_str()),
        (Some("Ada 日本"), "session", "user.create")
    );
    assert_eq!(
        (entry.target_kind.as_str(), entry.target_id, entry.target_name.as_deref()),
        ("user", Some(ben.id.0.to_string()), Some("ben"))
    );
    assert_eq!((entry.address.as_deref(), entry.request_id.as_deref()), (Some("203.0.113.7"), Some("req-1")));
    assert_eq!(entry.detail.as_deref(), Some(r#"{"role":"viewer"}"#));

    let token = Audit {
        actor: Actor::Runtime { name: "r\0".into() },
        via: AuditVia::Token(TokenId(7)),
        address: Some("x".repeat(1000)),
        request_id: None,
    };
    let large = AuditEvent { detail: serde_json::json!({ "text": "x".repeat(20_000) }), ..seen(1) };
    store.append_audit(&token, &large, NOW).await.unwrap();
    store.append_audit(&Audit { actor: Actor::Anonymous, ..token }, &seen(2), NOW).await.unwrap();
    let log = audit_log(&store, &AuditFilter::default()).await;
    assert_eq!((log[0].actor_kind.as_str(), log[0].actor_name.as_ref()), ("anonymous", None));
    assert_eq!((log[1].actor_name.as_deref(), log[1].via.as_str()), (Some("r\u{FFFD}"), "token:7"));
    assert_eq!(
        (log[1].address.as_ref().map(String::len), log[1].detail.as_deref()),
        (Some(300), Some(r#"{"leftOutBytes":20011}"#))
    );
}

pub(crate) async fn a_change_that_fails_leaves_no_entry(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Administrator).await;
    store.create_user(&new_user("ADA", Role::Viewer), &by(&ada), NOW).await.unwrap_err();
    store.delete_user(ada.id, None, &by(&ada), NOW).await.unwrap_err();
    assert_eq!(actions(&store).await, ["user.create"]);
}

pub(crate) async fn the_log_is_filtered_and_paged_newest_first_without_gaps(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Administrator).await;
    for number in 0..9 {
        let audit = if number % 2 == 0 { by(&ada) } else { system() };
        append(&store, &audit, number, NOW + 1 + i64::try_from(number).unwrap()).await;
    }
    for (limit, wanted) in [(1, 9), (2, 9), (4, 9), (9, 9), (10, 9)] {
        let filter = AuditFilter { action: Some("asset.enrich".into()), ..AuditFilter::default() };
        let mut numbers = Vec::new();
        let mut page = PageRequest::first(limit);
        loop {
            let read = store.audit_log(&filter, page).await.unwrap();
            numbers.extend(read.items.iter().map(|entry| entry.target_name.clone().unwrap().parse::<usize>().unwrap()));
            // What is written meanwhile is newer and changes nothing.
            append(&store, &system(), 100, NOW - 1).await;
            match read.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        numbers.retain(|number| *number < 100);
        assert_eq!(numbers, (0..wanted).rev().collect::<Vec<_>>(), "{limit} a page");
    }
    let count = async |filter: AuditFilter| audit_log(&store, &filter).await.len();
    let base = AuditFilter { since_ms: Some(NOW + 1), ..AuditFilter::default() };
    assert_eq!(count(base.clone()).await, 9);
    assert_eq!(count(AuditFilter { actor: Some(ada.id), ..base.clone() }).await, 5);
    assert_eq!(count(AuditFilter { since_ms: Some(NOW + 3), until_ms: Some(NOW + 5), ..base.clone() }).await, 2);
    assert_eq!(count(AuditFilter { target_id: Some("default/glue/1/3".into()), ..base.clone() }).await, 1);
    let kind = AuditFilter { target_kind: Some("user".into()), ..AuditFilter::default() };
    assert_eq!(count(kind).await, 1);
    assert_eq!(count(AuditFilter { action: Some("asset.enric".into()), ..base }).await, 0);
}

pub(crate) async fn old_entries_are_pruned_and_that_is_an_entry(fresh: Fresh) {
    let store = fresh.open().await;
    for number in 0..4 {
        append(&store, &system(), number, NOW + i64::try_from(number).unwrap()).await;
    }
    assert_eq!(store.prune_audit(NOW, &system(), NOW + 9).await.unwrap(), 0);
    assert_eq!(store.prune_audit(NOW + 3, &system(), NOW + 9).await.unwrap(), 3);
    let log = audit_log(&store, &AuditFilter::default()).await;
    assert_eq!(log.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["audit.prune", "asset.enrich"]);
    assert_eq!(log[0].detail.as_deref(), Some(format!(r#"{{"beforeMs":{},"entries":3}}"#, NOW + 3).as_str()));
}
