//! Connections and workflows as people manage them.

use store::{
    AuditFilter, ConnectionProfile, PreflightGate, Role, RunsOn, Schedule, Store, StoreError, UserId, WorkflowId, WorkflowSpec,
};

use crate::control::{audit_log, by, person, system, user};
use crate::fresh::{Fresh, connection};

pub(crate) fn spec(name: &str) -> WorkflowSpec {
    WorkflowSpec {
        name: name.to_owned(),
        settings: r#"{"include":["*"]}"#.to_owned(),
        schedule: None,
        next_run_ms: None,
        preflight: PreflightGate::Soft,
        retries_max: 2,
        removal_share_percent: 20,
        alerts: "[]".to_owned(),
    }
}

/// A workflow of the test connection of a number.
pub(crate) async fn workflow(store: &Store, number: u64, name: &str) -> WorkflowId {
    let glue = connection(store, number).await;
    store.create_workflow(glue.id, &spec(name), &person(1), 1000).await.unwrap()
}

fn profile(name: &str) -> ConnectionProfile {
    ConnectionProfile {
        name: name.to_owned(),
        region: Some("eu-west-1".to_owned()),
        description: None,
        runs_on: RunsOn::Direct,
        credential: None,
        settings: "{}".to_owned(),
    }
}

pub(crate) async fn connections_are_created_once_edited_by_version_and_paged(fresh: Fresh) {
    let store = fresh.open().await;
    let people = [UserId(9), UserId(3), UserId(9)];
    let id = store.create_connection("glue", &profile("prod"), &people, &system(), 5000).await.unwrap();
    let error = store.create_connection("glue", &profile("prod"), &[], &system(), 5000).await.unwrap_err();
    assert!(matches!(&error, StoreError::Exists { noun: "connection", id: 1, name } if name == "prod"), "{error}");
    store.create_connection("aws-smus", &profile("prod"), &[], &system(), 5000).await.unwrap();

    let stored = store.managed_connection(id).await.unwrap();
    assert_eq!((stored.version, stored.administrators.as_slice()), (1, &[UserId(3), UserId(9)][..]));
    assert_eq!((stored.credential, stored.connection.number), (None, 5));
    let moved = ConnectionProfile { runs_on: RunsOn::Runtime("vpc".to_owned()), ..profile("production") };
    assert_eq!(store.update_connection(id, 1, &moved, &system(), 6000).await.unwrap(), 2);
    let error = store.update_connection(id, 1, &moved, &system(), 6000).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { id: 1, version: 2, .. }), "{error}");
    assert_eq!(store.set_administrators(id, 2, &[], &system(), 6000).await.unwrap(), 3);
    let stored = store.managed_connection(id).await.unwrap();
    assert_eq!((stored.connection.name.as_str(), stored.runs_on), ("production", RunsOn::Runtime("vpc".to_owned())));
    assert!(stored.administrators.is_empty());

    // One of the command line is managed like the others.
    let plain = connection(&store, 42).await;
    let error = store.update_connection(plain.id, 1, &profile("production"), &system(), 6000).await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let first = store.managed_connections(None, 2).await.unwrap();
    let rest = store.managed_connections(Some(first[1].connection.id), 2).await.unwrap();
    assert_eq!((first.len(), rest.len(), rest[0].connection.id), (2, 1, plain.id));
    assert_eq!((rest[0].credential, &rest[0].runs_on, rest[0].archived_ms), (None, &RunsOn::Direct, None));
    assert!(matches!(store.managed_connection(store::ConnectionId(99)).await.unwrap_err(), StoreError::NotFound { .. }));
}

pub(crate) async fn every_change_of_connections_workflows_runs_and_enrichment_has_its_author(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    let id = store.create_connection("glue", &profile("prod"), &[ada.id], &by(&ada), 0).await.unwrap();
    store.update_connection(id, 1, &profile("production"), &by(&ada), 0).await.unwrap();
    store.set_administrators(id, 2, &[], &by(&ada), 0).await.unwrap();
    let workflow = store.create_workflow(id, &spec("nightly"), &by(&ada), 0).await.unwrap();
    store.update_workflow(workflow, 1, &spec("daily"), &by(&ada), 0).await.unwrap();
    store.pause_workflow(workflow, &by(&ada), 0).await.unwrap();
    store.resume_workflow(workflow, None, &by(&ada), 0).await.unwrap();
    let run = store.enqueue(workflow, &by(&ada), 0).await.unwrap().run;
    store.request_cancel(run, &by(&ada), 0).await.unwrap();
    store.request_cancel(run, &by(&ada), 0).await.unwrap();
    store.delete_workflow(workflow, 4, &by(&ada), 0).await.unwrap();
    store.archive_connection(id, &by(&ada), 0).await.unwrap();
    store.purge_connection(id, &by(&ada), 0).await.unwrap();
    assert!(store.update_workflow(workflow, 1, &spec("gone"), &by(&ada), 0).await.is_err());
    let log = audit_log(&store, &AuditFilter::default()).await;
    let told: Vec<(&str, Option<&str>)> =
        log.iter().rev().skip(1).map(|entry| (entry.action.as_str(), entry.target_name.as_deref())).collect();
    let expected = [
        ("connection.create", "prod"),
        ("connection.update", "production"),
        ("connection.administrators", "production"),
        ("workflow.create", "nightly"),
        ("workflow.update", "daily"),
        ("workflow.pause", "daily"),
        ("workflow.resume", "daily"),
        ("run.start", "daily"),
        ("run.cancel", "daily"),
        ("workflow.delete", "daily"),
        ("connection.archive", "production"),
        ("connection.purge", "production"),
    ];
    assert_eq!(told, expected.map(|(action, name)| (action, Some(name))));
    assert!(log.iter().all(|entry| entry.actor_id == Some(ada.id) || entry.action == "user.create"));
}

pub(crate) async fn workflows_are_created_once_edited_by_version_paused_and_removed(fresh: Fresh) {
    let store = fresh.open().await;
    let id = workflow(&store, 1, "nightly").await;
    let glue = connection(&store, 1).await;
    let error = store.create_workflow(glue.id, &spec("nightly"), &system(), 0).await.unwrap_err();
    assert!(matches!(&error, StoreError::Exists { noun: "workflow", id: taken, .. } if *taken == id.0), "{error}");
    let gone = store::ConnectionId(99);
    assert!(matches!(store.create_workflow(gone, &spec("x"), &system(), 0).await.unwrap_err(), StoreError::NotFound { .. }));

    let schedule = Some(Schedule { cron: "0 3 * * *".to_owned(), time_zone: "Europe/Berlin".to_owned() });
    let nightly = WorkflowSpec { schedule, next_run_ms: Some(90), preflight: PreflightGate::Hard, ..spec("nightly") };
    assert_eq!(store.update_workflow(id, 1, &nightly, &system(), 6000).await.unwrap(), 2);
    assert!(matches!(
        store.update_workflow(id, 1, &nightly, &system(), 6000).await.unwrap_err(),
        StoreError::Stale { version: 2, .. }
    ));
    let stored = store.workflow(id).await.unwrap();
    assert_eq!((&stored.spec, stored.created_by, stored.paused_ms), (&nightly, Some(UserId(1)), None));

    assert_eq!(store.due(10, 100).await.unwrap(), [stored]);
    assert_eq!(store.due(10, 89).await.unwrap(), []);
    assert_eq!(store.pause_workflow(id, &system(), 95).await.unwrap(), 3);
    assert_eq!(store.due(10, 100).await.unwrap(), []);
    assert_eq!(store.resume_workflow(id, Some(200), &system(), 6000).await.unwrap(), 4);
    assert_eq!((store.due(10, 100).await.unwrap().len(), store.due(10, 200).await.unwrap().len()), (0, 1));

    let other = workflow(&store, 2, "other").await;
    assert!(matches!(store.update_workflow(other, 1, &nightly, &system(), 6000).await.unwrap_err(), StoreError::Exists { .. }));
    assert_eq!(store.workflows(Some(glue.id), None, 9).await.unwrap().len(), 1);
    assert_eq!(store.workflows(None, Some(id), 9).await.unwrap()[0].id, other);
    store.enqueue(other, &system(), 1).await.unwrap();
    assert!(matches!(store.delete_workflow(other, 1, &system(), 6000).await.unwrap_err(), StoreError::Exists { noun: "run", .. }));
    store.delete_workflow(id, 4, &system(), 6000).await.unwrap();
    assert!(matches!(store.workflow(id).await.unwrap_err(), StoreError::NotFound { .. }));
}

pub(crate) async fn a_connection_and_its_administrators_change_together(fresh: Fresh) {
    let store = fresh.open().await;
    let id = store.create_connection("glue", &profile("prod"), &[UserId(1)], &system(), 0).await.unwrap();
    store.create_connection("glue", &profile("test"), &[], &system(), 0).await.unwrap();
    let change = async |name: &str, version| {
        let (profile, by) = (profile(name), system());
        store.update_connection_and_administrators(id, version, &profile, &[UserId(2)], &by, 1).await
    };
    assert!(matches!(change("test", 1).await, Err(StoreError::Exists { id: 2, .. })));
    assert!(matches!(change("lake", 7).await, Err(StoreError::Stale { .. })));
    assert_eq!(store.managed_connection(id).await.unwrap().administrators, [UserId(1)], "a refusal changes nothing");
    assert_eq!(change("lake", 1).await.unwrap(), 2);
    let stored = store.managed_connection(id).await.unwrap();
    assert_eq!((stored.connection.name.as_str(), stored.administrators), ("lake", vec![UserId(2)]));
}
