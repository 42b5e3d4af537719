use std::collections::BTreeSet;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::Owner;
use clusterctl_core::value::same;

use super::*;
use crate::client::testing::{Answer, Recorder, block_on};

const UID: &str = "0011223344556677";

fn call() -> Call {
    let owner = Owner { uid: UID.into(), cluster: "demo".into() };
    Call { addr: Addr::new("aws_route53_record", "api"), owner, token: "t".into() }
}

fn alias() -> Record {
    Record {
        zone_id: Input::known("Z1"),
        name: "api.example.com".into(),
        r#type: "A".into(),
        ttl: None,
        records: None,
        alias: Some(Alias {
            name: Input::known("demo-api.elb.eu-central-1.amazonaws.com"),
            zone_id: Input::known("Z2"),
            evaluate_target_health: true,
        }),
    }
}

fn txt(name: &str, uid: &str) -> ResourceRecordSet {
    let mark = Mark { uid: uid.into(), name: "api".into(), vpc: None };
    let value = ResourceRecord::builder().value(format!("\"{}\"", mark.text())).build().expect("a value");
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::Txt).ttl(MARKER_TTL).resource_records(value);
    set.build().expect("a record")
}

fn listed(set: Option<&ResourceRecordSet>) -> Answer {
    let sets: String = set
        .map(|set| {
            format!(
                "<ResourceRecordSet><Name>{}</Name><Type>{}</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>{}\
                 </Value></ResourceRecord></ResourceRecords></ResourceRecordSet>",
                set.name,
                set.r#type,
                set.resource_records()[0].value
            )
        })
        .unwrap_or_default();
    Answer::new(
        200,
        &format!(
            "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceRecordSets>\
             {sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems>\
             </ListResourceRecordSetsResponse>"
        ),
    )
}

fn refused(message: &str) -> Answer {
    Answer::new(
        400,
        &format!(
            "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
             <Code>InvalidChangeBatch</Code><Message>[{message}]</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
        ),
    )
}

fn changed(status: &str) -> Answer {
    let info = format!(
        "<ChangeInfo><Id>/change/C1</Id><Status>{status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
    );
    let space = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";
    Answer::new(200, &format!("<ChangeResourceRecordSetsResponse {space}>{info}</ChangeResourceRecordSetsResponse>"))
}

const THERE: &str = "Tried to create resource record set [name='api.example.com.', type='A'] but it already exists";

/// The actions in the bodies of the batches that were sent.
fn batches(recorder: &Recorder) -> Vec<String> {
    let sent = recorder.sent().into_iter().map(|form| form.into_values().collect::<String>());
    sent.filter(|body| body.contains("<ChangeBatch>"))
        .map(|body| {
            body.split("<Action>").skip(1).filter_map(|rest| rest.split('<').next()).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn a_record_and_its_marker_are_one_batch() {
    let marker = marker(&call(), &alias()).expect("a marker");
    assert_eq!(marker.name, "_clusterctl-a.api.example.com");
    assert_eq!(marked(&marker.name), Some(("A".into(), "api.example.com".into())));
    assert_eq!(mark_in(&marker), Some(Mark { uid: UID.into(), name: "api".into(), vpc: None }));
    let (client, recorder) = Recorder::client([changed("PENDING")]);
    let live = block_on(RecordDriver(client).create(&call(), alias())).expect("made");
    assert_eq!(live.id, "Z1_api.example.com_A");
    assert_eq!(batches(&recorder), ["CREATE CREATE"]);
}

#[test]
fn what_was_there_before_is_never_replaced() {
    for (found, words) in [
        (None, "`api.example.com` A was not made by clusterctl"),
        (Some(txt("_clusterctl-a.api.example.com.", "other")), "belongs to the cluster with uid other (api)"),
    ] {
        let (client, recorder) = Recorder::client([refused(THERE), listed(found.as_ref())]);
        let error = block_on(RecordDriver(client).create(&call(), alias())).expect_err("a conflict");
        assert_eq!(error.fault, Fault::Conflict);
        assert!(error.message.contains(THERE) && error.message.ends_with(words), "{error}");
        assert_eq!(batches(&recorder), ["CREATE CREATE"]);
    }
}

#[test]
fn our_own_earlier_attempt_is_completed() {
    let found = txt("_clusterctl-a.api.example.com.", UID);
    let (client, recorder) = Recorder::client([refused(THERE), listed(Some(&found)), changed("PENDING")]);
    block_on(RecordDriver(client).create(&call(), alias())).expect("adopted");
    assert_eq!(batches(&recorder), ["CREATE CREATE", "UPSERT UPSERT"]);
}

#[test]
fn a_batch_that_is_wrong_is_not_a_conflict() {
    let (client, _) = Recorder::client([refused("The DNS name is not in the zone")]);
    let error = block_on(RecordDriver(client).create(&call(), alias())).expect_err("refused");
    assert_eq!(error.fault, Fault::Permanent);
}

#[test]
fn deleting_twice_is_no_error_and_what_lost_its_marker_stays() {
    let live = updated(&bare_record("Z1", "api.example.com", "A"), &alias());
    let gone = "Tried to delete resource record set [name='api.example.com.', type='A'] but it was not found";
    let (client, recorder) = Recorder::client([refused(gone), listed(None)]);
    assert_eq!(block_on(RecordDriver(client).delete(&call(), &live)), Ok(()));
    assert_eq!(batches(&recorder), ["DELETE DELETE"]);
}

#[test]
fn what_has_changed_since_is_deleted_as_it_is() {
    let live = updated(&bare_record("Z1", "api.example.com", "A"), &alias());
    let marker = txt("_clusterctl-a.api.example.com.", UID);
    let now = ResourceRecordSet::builder().name("api.example.com.").r#type(RrType::A).ttl(60);
    let now = now.resource_records(ResourceRecord::builder().value("192.0.2.1").build().expect("a value"));
    let now = now.build().expect("a record");
    let refused =
        refused("Tried to delete resource record set but the values provided do not match the current values");
    let (client, recorder) = Recorder::client([refused, listed(Some(&marker)), listed(Some(&now)), changed("PENDING")]);
    assert_eq!(block_on(RecordDriver(client).delete(&call(), &live)), Ok(()));
    assert_eq!(batches(&recorder), ["DELETE DELETE", "DELETE DELETE"]);
}

#[test]
fn only_marked_records_are_ours() {
    let a = |name: &str| {
        let value = ResourceRecord::builder().value("192.0.2.1").build().expect("a value");
        ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(60).resource_records(value)
    };
    let sets = [
        a("api.example.com.").build().expect("ours"),
        txt("_clusterctl-a.api.example.com.", UID),
        a("www.example.com.").build().expect("the user's"),
        a("other.example.com.").build().expect("another cluster's"),
        txt("_clusterctl-a.other.example.com.", "other"),
        txt(r"_clusterctl-a.\052.apps.example.com.", UID),
        a(r"\052.apps.example.com.").set_identifier("eu").weight(1).build().expect("weighted: not ours"),
    ];
    let found: Vec<String> =
        ours("Z1", &sets, UID).into_iter().map(|(_, live)| format!("{} {}", live.id, live.args)).collect();
    expect_test::expect![[r#"
        Z1_api.example.com_A {"zone_id":"Z1","name":"api.example.com","type":"A","ttl":60,"records":["192.0.2.1"]}
        Z1_*.apps.example.com_A {"zone_id":"Z1","name":"*.apps.example.com","type":"A"}"#]]
    .assert_eq(&found.join("\n"));
    let others = others(&sets, UID);
    assert_eq!(
        others,
        ["www.example.com A", "other.example.com A", "_clusterctl-a.other.example.com TXT", "*.apps.example.com A"]
    );
}

#[test]
fn a_record_reads_back_as_it_was_wanted() {
    let values = Record {
        r#type: "TXT".into(),
        ttl: Some(60),
        records: Some(BTreeSet::from(["v=spf1 -all".into()])),
        alias: None,
        ..alias()
    };
    for want in [alias(), values] {
        let set = record_set(&want).expect("a record").expect("not empty");
        let live = live_record("Z1", &set);
        assert!(same(&serde_json::to_value(&want).expect("data"), &live.args), "{}", live.args);
    }
}

#[test]
fn a_change_is_waited_for_and_forgotten() {
    let live = bare_record("Z1", "api.example.com", "A").with("change_id", "C1");
    let answer = |status: &str| {
        Answer::new(
            200,
            &format!(
                "<GetChangeResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeInfo><Id>/change/C1</Id>\
                 <Status>{status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></GetChangeResponse>"
            ),
        )
    };
    let ready = |answer| {
        let (client, _) = Recorder::client([answer]);
        block_on(RecordDriver(client).ready(&call(), &live, alias())).expect("an answer")
    };
    assert!(matches!(ready(answer("PENDING")), Progress::Pending(_)));
    assert_eq!(ready(answer("INSYNC")), Progress::Done(bare_record("Z1", "api.example.com", "A")));
}
