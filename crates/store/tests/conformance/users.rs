//! Users: names, versions, pages, identities, and the last administrator.

use store::{
    AuditFilter, ConnectionProfile, NewUser, OidcIdentity, OidcSignIn, PageRequest, Role, RoleGrant, RunsOn, Store, StoreError,
    User, UserEdit, UserId, UserState,
};

use crate::control::{NOW, actions, audit_log, disable, edit_of, hash, new_user, password, system, user};
use crate::fresh::Fresh;

pub(crate) async fn names_are_unique_whatever_their_case_and_script(fresh: Fresh) {
    let store = fresh.open().await;
    for (one, other) in [("Ada", "aDA"), ("Straße", "STRASSE"), ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"), ("日本 太郎", "日本 太郎"), ("🧊", "🧊")]
    {
        let first = user(&store, one, Role::Member).await;
        let error = store.create_user(&new_user(other, Role::Viewer), &system(), NOW).await.unwrap_err();
        let StoreError::Exists { noun, id, name } = error else { panic!("{error}") };
        assert_eq!((noun, UserId(id), name.as_str()), ("user", first.id, one));
        assert_eq!(store.user_by_name(other).await.unwrap(), Some(first.clone()));
        assert_eq!(store.user(first.id).await.unwrap(), Some(first));
    }
    let ada = store.user_by_name("ADA").await.unwrap().unwrap();
    let renamed = UserEdit { name: "ADA".into(), ..edit_of(&ada) };
    let renamed = store.update_user(ada.id, ada.version, &renamed, &system(), NOW).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("ADA", 2));
    let taken = UserEdit { name: "strasse".into(), ..edit_of(&renamed) };
    let error = store.update_user(ada.id, 2, &taken, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(store.user(ada.id).await.unwrap(), Some(renamed));
}

pub(crate) async fn names_that_cannot_be_shown_are_refused_and_other_texts_are_mended(fresh: Fresh) {
    let store = fresh.open().await;
    for name in ["", "  ", " a", "a\0b", "a\u{7}b", "a\nb", &"x".repeat(201)] {
        let error = store.create_user(&new_user(name, Role::Viewer), &system(), NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{name:?}: {error}");
    }
    assert!(!store.has_users().await.unwrap());
    let odd = NewUser { display_name: Some("A\0da".into()), email: Some("é".repeat(400)), ..new_user("ada", Role::Viewer) };
    let odd = store.create_user(&odd, &system(), NOW).await.unwrap();
    assert_eq!(
        (odd.display_name.as_deref(), odd.email.as_ref().map(|text| text.chars().count())),
        (Some("A\u{FFFD}da"), Some(320))
    );
    assert_eq!(store.user(odd.id).await.unwrap(), Some(odd));
    assert!(store.has_users().await.unwrap());
}

pub(crate) async fn users_are_listed_page_by_page_without_gaps(fresh: Fresh) {
    let store = fresh.open().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(user(&store, &format!("user {number}"), Role::Administrator).await.id);
    }
    store.delete_user(ids.remove(2), None, &system(), NOW).await.unwrap();
    for limit in [1, 2, 3, 6, 7] {
        let mut seen = Vec::new();
        let mut page = PageRequest::first(limit);
        loop {
            let read = store.users(page).await.unwrap();
            assert!(read.items.len() <= limit);
            seen.extend(read.items.iter().map(|user| user.id));
            match read.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, ids, "{limit} a page");
    }
    assert_eq!(store.users(PageRequest::first(0)).await.unwrap().items.len(), 1);
    // The number of who was deleted is not given again.
    store.delete_user(ids[5], None, &system(), NOW).await.unwrap();
    assert!(user(&store, "new", Role::Viewer).await.id > ids[5]);
}

pub(crate) async fn a_stale_edit_changes_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    let edit = UserEdit { display_name: Some("Ada L.".into()), ..edit_of(&ada) };
    let edited = store.update_user(ada.id, 1, &edit, &system(), NOW).await.unwrap();
    assert_eq!((edited.version, edited.display_name.as_deref()), (2, Some("Ada L.")));
    let late = UserEdit { display_name: Some("A.".into()), ..edit_of(&ada) };
    let error = store.update_user(ada.id, 1, &late, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { noun: "user", version: 2, .. }), "{error}");
    let error = store.delete_user(ada.id, Some(1), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    assert_eq!(store.user(ada.id).await.unwrap(), Some(edited));
    assert_eq!(actions(&store).await, ["user.create", "user.update"]);
    store.delete_user(ada.id, Some(2), &system(), NOW).await.unwrap();
    let error = store.update_user(ada.id, 2, &late, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    assert!(matches!(store.delete_user(ada.id, None, &system(), NOW).await.unwrap_err(), StoreError::NotFound { .. }));
}

pub(crate) async fn the_last_active_administrator_stays(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Administrator).await;
    user(&store, "ben", Role::Member).await;
    let demoted = UserEdit { role: Role::Member, ..edit_of(&ada) };
    let error = store.update_user(ada.id, 1, &demoted, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }) && error.to_string().contains("`ada`"), "{error}");
    assert!(matches!(disable(&store, &ada).await.unwrap_err(), StoreError::Conflict { .. }));
    assert!(matches!(store.delete_user(ada.id, None, &system(), NOW).await.unwrap_err(), StoreError::Conflict { .. }));
    assert_eq!(store.user(ada.id).await.unwrap().as_ref(), Some(&ada));

    // A disabled administrator does not count.
    let cleo = user(&store, "cleo", Role::Administrator).await;
    let cleo = disable(&store, &cleo).await.unwrap();
    assert_eq!(cleo.disabled_ms, Some(NOW));
    assert!(matches!(disable(&store, &ada).await.unwrap_err(), StoreError::Conflict { .. }));
    let enabled = UserEdit { state: UserState::Active, ..edit_of(&cleo) };
    store.update_user(cleo.id, cleo.version, &enabled, &system(), NOW).await.unwrap();
    disable(&store, &ada).await.unwrap();
    // Who no longer counts may go.
    store.delete_user(ada.id, None, &system(), NOW).await.unwrap();
}

pub(crate) async fn administrators_who_remove_each_other_at_once_leave_one(fresh: Fresh) {
    let store = fresh.open().await;
    let other = Store::open(&fresh.url()).await.unwrap();
    for round in 0..8 {
        let ada = user(&store, &format!("ada {round}"), Role::Administrator).await;
        let ben = match store.user_by_name("ben").await.unwrap() {
            Some(ben) => ben,
            None => user(&store, "ben", Role::Administrator).await,
        };
        let by = system();
        let demoted = UserEdit { role: Role::Viewer, ..edit_of(&ada) };
        let (one, two) =
            tokio::join!(store.update_user(ada.id, ada.version, &demoted, &by, NOW), other.delete_user(ben.id, None, &by, NOW),);
        assert!(one.is_ok() != two.is_ok(), "round {round}: {one:?} {two:?}");
        let administrators = store.users(PageRequest::first(200)).await.unwrap().items;
        let administrators: Vec<&User> = administrators.iter().filter(|user| user.role == Role::Administrator).collect();
        assert_eq!(administrators.len(), 1);
        if two.is_ok() {
            user(&store, "ben", Role::Administrator).await;
            store.delete_user(ada.id, None, &system(), NOW).await.unwrap();
        }
    }
}

pub(crate) async fn a_password_is_set_read_for_signing_in_and_never_printed(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "Ada", Role::Member).await;
    assert_eq!(store.user_with_password("ada").await.unwrap(), Some((ada.clone(), None)));
    let with = store.set_password(ada.id, &password("one"), &system(), NOW).await.unwrap();
    assert!(with.has_password && !ada.has_password && with.version == 2);
    let read = store.user_with_password("ADA").await.unwrap().unwrap();
    assert_eq!(read, (with, Some(password("one"))));
    assert!(!format!("{read:?} {:?}", hash(7)).contains("argon") && !format!("{:?}", hash(7)).contains('7'));
    assert_eq!(store.user_with_password("nobody").await.unwrap(), None);
    let error = store.set_password(UserId(77), &password("x"), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
}

pub(crate) async fn who_signs_in_at_a_provider_is_created_once_and_kept_up_to_date(fresh: Fresh) {
    let store = fresh.open().await;
    let identity = OidcIdentity { issuer: "https://id.example".into(), subject: "42".into() };
    let sign_in = OidcSignIn {
        identity: identity.clone(),
        name: "ada@example.org".into(),
        display_name: Some("Ada".into()),
        email: None,
        role: RoleGrant::Initial(Role::Viewer),
    };
    let by = system();
    let other = Store::open(&fresh.url()).await.unwrap();
    let (one, two) = tokio::join!(store.sign_in_oidc(&sign_in, &by, NOW), other.sign_in_oidc(&sign_in, &by, NOW));
    let ada = one.unwrap();
    assert_eq!((two.unwrap(), ada.version, ada.identity.as_ref()), (ada.clone(), 1, Some(&identity)));

    let role = RoleGrant::Initial(Role::Administrator);
    let later = OidcSignIn { name: "other".into(), email: Some("ada@example.org".into()), role, ..sign_in.clone() };
    let later = store.sign_in_oidc(&later, &by, NOW).await.unwrap();
    assert_eq!((later.id, later.name.as_str(), later.role, later.version), (ada.id, "ada@example.org", Role::Viewer, 2));
    assert_eq!(later.email.as_deref(), Some("ada@example.org"));

    // A local user is never taken over by name, and no identity belongs to two users.
    user(&store, "root", Role::Administrator).await;
    let stranger = OidcIdentity { subject: "43".into(), ..identity.clone() };
    let stranger = OidcSignIn { identity: stranger, name: "ROOT".into(), ..sign_in };
    assert!(matches!(store.sign_in_oidc(&stranger, &by, NOW).await.unwrap_err(), StoreError::Exists { .. }));
    let twice = NewUser { identity: Some(identity), ..new_user("twice", Role::Viewer) };
    assert!(matches!(store.create_user(&twice, &by, NOW).await.unwrap_err(), StoreError::Exists { .. }));
    assert_eq!(actions(&store).await, ["user.create", "user.update", "user.create"]);
}

pub(crate) async fn a_role_that_is_ruled_changes_with_each_sign_in_except_for_the_last_administrator(fresh: Fresh) {
    let store = fresh.open().await;
    let sign_in = async |subject: &str, role: Role| {
        let identity = OidcIdentity { issuer: "https://id.example".into(), subject: subject.into() };
        let (name, display_name, email) = (subject.to_owned(), None, Some("same@example.org".into()));
        let told = OidcSignIn { identity, name, display_name, email, role: RoleGrant::Ruled(role) };
        store.sign_in_oidc(&told, &system(), NOW).await.unwrap()
    };
    let ada = sign_in("ada", Role::Viewer).await;
    assert_eq!((ada.role, ada.version), (Role::Viewer, 1));
    let ada = sign_in("ada", Role::Administrator).await;
    assert_eq!((ada.role, ada.version), (Role::Administrator, 2));
    // She is the only one: the rule waits until there is another.
    assert_eq!(sign_in("ada", Role::Viewer).await, ada);
    let cleo = user(&store, "cleo", Role::Administrator).await;
    disable(&store, &cleo).await.unwrap();
    assert_eq!(sign_in("ada", Role::Viewer).await, ada);
    // The mail address, which they share, makes nobody somebody else.
    let ben = sign_in("ben", Role::Administrator).await;
    assert!(ben.id != ada.id && ben.email == ada.email);
    assert_eq!(sign_in("ada", Role::Viewer).await.role, Role::Viewer);
    assert_eq!(sign_in("ada", Role::Viewer).await.version, 3);

    let log = audit_log(&store, &AuditFilter::default()).await;
    let told = |action: &str| -> Vec<serde_json::Value> {
        let details = log.iter().filter(|entry| entry.action == action).filter_map(|entry| entry.detail.as_deref());
        details.map(|detail| serde_json::from_str(detail).unwrap()).collect()
    };
    let kept = serde_json::json!({ "ruled": "viewer", "reason": "last-administrator" });
    assert_eq!(told("user.keep-role"), [kept.clone(), kept]);
    let roles: Vec<_> = told("user.update").into_iter().map(|detail| detail["role"].clone()).collect();
    let expected = [["administrator", "viewer"], ["administrator", "administrator"], ["viewer", "administrator"]];
    assert_eq!(roles, expected.map(|pair| serde_json::json!(pair)));
}

pub(crate) async fn a_name_asked_for_twice_at_once_is_given_once(fresh: Fresh) {
    let store = fresh.open().await;
    let other = Store::open(&fresh.url()).await.unwrap();
    let by = system();
    for round in 0..8 {
        let (lower, upper) = (new_user(&format!("ada {round}"), Role::Member), new_user(&format!("ADA {round}"), Role::Member));
        let (one, two) = tokio::join!(store.create_user(&lower, &by, NOW), other.create_user(&upper, &by, NOW));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert!(matches!(one.and(two).unwrap_err(), StoreError::Exists { .. }));
    }
}

pub(crate) async fn who_is_deleted_administers_no_connection(fresh: Fresh) {
    let store = fresh.open().await;
    let (ada, ben) = (user(&store, "ada", Role::Member).await, user(&store, "ben", Role::Member).await);
    let (region, description, credential) = (None, None, None);
    let runs_on = RunsOn::Direct;
    let profile = ConnectionProfile { name: "prod".into(), region, description, runs_on, credential, settings: "{}".into() };
    let id = store.create_connection("glue", &profile, &[ada.id, ben.id], &system(), NOW).await.unwrap();
    store.delete_user(ada.id, None, &system(), NOW).await.unwrap();
    assert_eq!(store.managed_connection(id).await.unwrap().administrators, [ben.id]);
}
