use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Fault, Owner};
use serde_json::json;

use super::*;
use crate::client::testing::{Answer, Recorder, block_on};
use crate::drivers::adopt::differences;

fn call(kind: &str) -> Call {
    let owner = Owner { uid: "0011".into(), cluster: "demo".into() };
    Call { addr: Addr::new(kind, "node"), owner, token: "t".into() }
}

fn iam(action: &str, result: &str) -> Answer {
    let space = "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"";
    Answer::new(200, &format!("<{action}Response {space}><{action}Result>{result}</{action}Result></{action}Response>"))
}

fn refused(code: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>refused</Message></Error>");
    Answer::new(409, &format!("<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"))
}

fn found_role(path: &str, trust: &str) -> Answer {
    iam(
        "GetRole",
        &format!(
            "<Role><Path>{path}</Path><RoleName>demo-node</RoleName><RoleId>AROA1</RoleId><Arn>arn:role</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate>\
             <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument></Role>"
        ),
    )
}

fn found_profile(roles: &str) -> Answer {
    iam(
        "GetInstanceProfile",
        &format!(
            "<InstanceProfile><Path>/clusterctl/0011/node/</Path><InstanceProfileName>demo-node</InstanceProfileName>\
             <InstanceProfileId>AIPA1</InstanceProfileId><Arn>arn:profile</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate><Roles>{roles}</Roles></InstanceProfile>"
        ),
    )
}

fn role() -> Role {
    Role {
        name: "demo-node".into(),
        path: "/clusterctl/0011/node/".into(),
        assume_role_policy: Json(json!({"Version": "2012-10-17"})),
    }
}

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%7D";

#[test]
fn a_role_of_our_path_is_adopted_and_made_what_is_wanted() {
    for (trust, then) in [(TRUST, &[] as &[&str]), ("%7B%7D", &["UpdateAssumeRolePolicy"])] {
        let (client, recorder) = Recorder::by_action([
            ("CreateRole", refused("EntityAlreadyExists")),
            ("GetRole", found_role("/clusterctl/0011/node/", trust)),
            ("UpdateAssumeRolePolicy", iam("UpdateAssumeRolePolicy", "")),
        ]);
        let live = block_on(RoleDriver(client).create(&call("aws_iam_role"), role())).expect("adopted");
        assert_eq!((live.id.as_str(), &live.outputs["arn"]), ("demo-node", &json!("arn:role")));
        assert_eq!(differences(&role(), &live), Vec::<String>::new());
        assert_eq!(recorder.actions(), [&["CreateRole", "GetRole", "GetRole"], then].concat());
    }
}

#[test]
fn a_role_of_another_path_is_left_alone() {
    for path in ["/", "/clusterctl/0012/node/", "/clusterctl/0011/other/"] {
        let (client, recorder) = Recorder::by_action([
            ("CreateRole", refused("EntityAlreadyExists")),
            ("GetRole", found_role(path, "%7B%7D")),
        ]);
        let error = block_on(RoleDriver(client).create(&call("aws_iam_role"), role())).expect_err("a conflict");
        assert_eq!(error.fault, Fault::Conflict, "{path}: {error}");
        assert_eq!(recorder.actions(), ["CreateRole", "GetRole", "GetRole"]);
    }
}

#[test]
fn a_name_that_is_taken_and_not_found_is_not_there_yet() {
    let (client, recorder) =
        Recorder::by_action([("CreateRole", refused("EntityAlreadyExists")), ("GetRole", refused("NoSuchEntity"))]);
    let error = block_on(RoleDriver(client).create(&call("aws_iam_role"), role())).expect_err("not yet");
    assert_eq!(error.fault, Fault::NotReady, "{error}");
    assert_eq!(recorder.actions(), ["CreateRole", "GetRole"]);
}

#[test]
fn a_profile_that_was_cut_short_gets_its_role() {
    let want = InstanceProfile {
        name: "demo-node".into(),
        path: "/clusterctl/0011/node/".into(),
        role: Input::known("demo-node"),
    };
    let (client, recorder) = Recorder::by_action([
        ("CreateInstanceProfile", refused("EntityAlreadyExists")),
        ("GetInstanceProfile", found_profile("")),
        ("AddRoleToInstanceProfile", iam("AddRoleToInstanceProfile", "")),
    ]);
    let driver = ProfileDriver(client);
    let live = block_on(driver.create(&call("aws_iam_instance_profile"), want.clone())).expect("adopted");
    assert_eq!(differences(&want, &live), Vec::<String>::new());
    assert_eq!(
        recorder.actions(),
        ["CreateInstanceProfile", "GetInstanceProfile", "GetInstanceProfile", "AddRoleToInstanceProfile"]
    );
}

#[test]
fn a_profile_that_has_its_role_is_full_of_nothing_else() {
    for (held, full) in [("demo-node", false), ("somebody", true)] {
        let role = format!(
            "<member><Path>/</Path><RoleName>{held}</RoleName><RoleId>AROA1</RoleId><Arn>arn:role</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
        );
        let (client, recorder) = Recorder::by_action([
            ("AddRoleToInstanceProfile", refused("LimitExceeded")),
            ("GetInstanceProfile", found_profile(&role)),
        ]);
        let added = block_on(ProfileDriver(client).add_role("demo-node", "demo-node"));
        assert_eq!(added.is_err(), full, "{held}: {added:?}");
        assert_eq!(recorder.actions(), ["AddRoleToInstanceProfile", "GetInstanceProfile"]);
    }
}

#[test]
fn a_profile_without_a_role_is_deleted_without_taking_one_out() {
    let live = live_profile(
        &SdkProfile::builder()
            .path("/clusterctl/0011/node/")
            .instance_profile_name("demo-node")
            .instance_profile_id("AIPA1")
            .arn("arn:profile")
            .create_date(aws_smithy_types::DateTime::from_secs(0))
            .set_roles(Some(Vec::new()))
            .build()
            .expect("a profile"),
    );
    let (client, recorder) = Recorder::by_action([("DeleteInstanceProfile", refused("NoSuchEntity"))]);
    assert_eq!(block_on(ProfileDriver(client).delete(&call("aws_iam_instance_profile"), &live)), Ok(()));
    assert_eq!(recorder.actions(), ["DeleteInstanceProfile"]);
}

#[test]
fn a_key_pair_is_deleted_by_the_id_that_nobody_can_take_again() {
    let live = live_key(&KeyPairInfo::builder().key_name("demo").key_pair_id("key-1").build());
    let (client, recorder) = Recorder::by_action([("DeleteKeyPair", Answer::new(200, "<DeleteKeyPairResponse/>"))]);
    assert_eq!(block_on(KeyDriver(client).delete(&call("aws_key_pair"), &live)), Ok(()));
    assert_eq!(recorder.line(0), "KeyPairId=key-1");
}

#[test]
fn a_document_reads_back_as_it_was_sent() {
    let sent = json!({"Statement": [{"Effect": "Allow", "Resource": "arn:aws:ssm:*:*:parameter/clusterctl/a+b/é*"}]});
    let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Resource%22%3A%22arn%3Aaws%3Assm%3A%2A\
                   %3A%2A%3Aparameter/clusterctl/a%2Bb/%C3%A9%2A%22%7D%5D%7D";
    assert_eq!(document(encoded), Json(sent.clone()));
    assert_eq!(document(&sent.to_string()), Json(sent), "not encoded at all");
    assert_eq!(document("100%"), Json(Value::String("100%".into())));
}

#[test]
fn the_comment_of_a_key_is_nothing() {
    let key = KeyPairInfo::builder().key_name("demo").key_pair_id("key-1").public_key("ssh-ed25519 AAAA me@home\n");
    let live = live_key(&key.build());
    assert_eq!(live.args["public_key"], "ssh-ed25519 AAAA");
    assert_eq!(live.outputs["key_pair_id"], "key-1");
}
