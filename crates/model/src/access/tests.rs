//! The table of rights, grants over patterns, and what a denial says.

use serde_json::json;

use super::*;

fn key(grants: &[(Role, &[&str])]) -> Principal {
    let grant = |(role, patterns): &(Role, &[&str])| Grant {
        role: *role,
        workflows: patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect(),
    };
    Principal { actor: Actor::Key { name: "ci".to_owned() }, grants: grants.iter().map(grant).collect() }
}

/// The whole table, written out once more: a change of it has to be meant.
#[test]
fn each_role_has_its_rights_and_no_other() {
    let table = [
        //               read   run    approve edit  admin  work
        (Role::Viewer, [true, false, false, false, false, false]),
        (Role::Operator, [true, true, false, false, false, false]),
        (Role::Approver, [true, false, true, false, false, false]),
        (Role::Editor, [true, true, false, true, false, false]),
        (Role::Admin, [true, true, true, true, true, false]),
        (Role::Agent, [false, false, false, false, false, true]),
    ];
    assert_eq!(table.map(|(role, _)| role), Role::ALL);
    for (role, expected) in table {
        let principal = key(&[(role, &["**"])]);
        assert_eq!(Right::ALL.map(|right| principal.may(right, Some("a/b"))), expected, "{role}");
        assert_eq!(Right::ALL.map(|right| principal.may(right, None)), expected, "{role}");
        assert_eq!(Right::ALL.map(|right| principal.may_somewhere(right)), expected, "{role}");
        assert_eq!(Right::ALL.map(|right| principal.check(right, None).is_ok()), expected, "{role}");
    }
}

#[test]
fn a_grant_reaches_as_far_as_its_patterns() {
    let principal = key(&[(Role::Viewer, &["**"]), (Role::Operator, &["deploy/*", "backup"])]);
    for (right, workflow, may) in [
        (Right::Run, Some("deploy/release"), true),
        (Right::Run, Some("backup"), true),
        (Right::Run, Some("billing/pay"), false),
        (Right::Run, None, false),
        (Right::Read, Some("billing/pay"), true),
        (Right::Read, None, true),
        (Right::Approve, Some("deploy/release"), false),
    ] {
        assert_eq!(principal.may(right, workflow), may, "{right:?} {workflow:?}");
    }
    assert!(principal.may_somewhere(Right::Run) && !principal.may_somewhere(Right::Edit));
    let nowhere = key(&[(Role::Admin, &[])]);
    assert!(!nowhere.may(Right::Read, Some("a")) && !nowhere.may(Right::Read, None));
    assert!(!nowhere.may_somewhere(Right::Read));
}

#[test]
fn a_denial_says_who_and_what_it_needs() {
    let says = |principal: &Principal, right, workflow| principal.check(right, workflow).unwrap_err().to_string();
    let viewer = key(&[(Role::Viewer, &["**"])]);
    assert_eq!(says(&viewer, Right::Approve, Some("a")), "key `ci` is a viewer; approving needs approver");
    assert_eq!(says(&viewer, Right::Administer, None), "key `ci` is a viewer; administering needs admin");
    let two = key(&[(Role::Operator, &["deploy/*"]), (Role::Approver, &["deploy/*"])]);
    assert_eq!(says(&two, Right::Edit, Some("a")), "key `ci` is an operator and an approver; editing needs editor");
    assert_eq!(
        says(&two, Right::Run, Some("billing/pay")),
        "running is granted to key `ci` for deploy/*, and `billing/pay` is not among them"
    );
    assert_eq!(
        says(&two, Right::Run, None),
        "running is granted to key `ci` for deploy/* only; this needs it for every workflow"
    );
    let nobody = Principal { actor: Actor::person("ada"), grants: Vec::new() };
    assert_eq!(says(&nobody, Right::Read, None), "user `ada` is without any role; reading needs viewer");
}

#[test]
fn the_least_role_of_a_right_is_named() {
    let roles = Right::ALL.map(Right::least_role);
    assert_eq!(roles, [Role::Viewer, Role::Operator, Role::Approver, Role::Editor, Role::Admin, Role::Agent]);
}

#[test]
fn a_starter_is_recognised() {
    let principal = key(&[]);
    assert!(principal.is("key:ci") && !principal.is("ci") && !principal.is("key:ci2"));
    assert!(Principal::admin(Actor::Person { name: "ada".into(), uid: Some(1000), pid: None }).is("ada"));
}

#[test]
fn grants_are_json_and_words() {
    let grant = Grant { role: Role::Operator, workflows: vec![Pattern::parse("deploy/*").unwrap()] };
    assert_eq!(json!(grant), json!({"role": "operator", "workflows": ["deploy/*"]}));
    assert_eq!(serde_json::from_value::<Grant>(json!(grant)).unwrap(), grant);
    assert_eq!(grant.to_string(), "operator on deploy/*");
    assert_eq!(Grant::everywhere(Role::Admin).to_string(), "admin");
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
        assert_eq!(json!(role), role.as_str());
    }
    for right in Right::ALL {
        assert_eq!(json!(right), right.as_str());
    }
    assert_eq!(Role::parse("root"), None);
}

#[test]
fn a_secret_is_not_printed() {
    let secret = Secret::new("skep_abc");
    assert_eq!(format!("{secret:?}"), "[secret]");
    assert_eq!((json!(secret), secret.expose()), (json!("skep_abc"), "skep_abc"));
}
