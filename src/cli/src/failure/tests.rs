use super::*;

#[test]
fn every_kind_has_one_row_and_every_code_is_its_own() {
    let mut exits: Vec<u8> = TABLE.iter().map(|row| row.exit).collect();
    let sorted = exits.clone();
    exits.sort_unstable();
    assert_eq!(exits, sorted, "in the order of the exit codes");
    exits.dedup();
    assert_eq!(exits.len(), TABLE.len());
    // 2 is clap's and `--detailed-exitcode`'s, 0 is success.
    assert!(!exits.contains(&2) && !exits.contains(&0));
    for row in TABLE {
        assert_eq!(row.kind.exit(), row.exit);
    }
}

#[test]
fn faults_fold_into_the_exit_codes_of_the_contract() {
    let exit = |fault| Kind::of(fault).exit();
    assert_eq!(exit(Fault::Quota), 79);
    assert_eq!(exit(Fault::Capacity), 80);
    assert_eq!(exit(Fault::Auth), 77);
    assert_eq!(exit(Fault::Throttled), 69);
    assert_eq!(exit(Fault::Ambiguous), 69);
    assert_eq!(exit(Fault::Permanent), 1);
    assert_eq!(exit(Fault::Conflict), 1);
}

#[test]
fn the_worst_is_what_has_to_be_changed_first() {
    let worst = |faults: &[Fault]| Kind::worst(faults.iter().map(|f| Kind::of(*f)));
    assert_eq!(worst(&[Fault::Throttled, Fault::Quota]), Some(Kind::Quota));
    assert_eq!(worst(&[Fault::Permanent, Fault::Auth, Fault::Capacity]), Some(Kind::Auth));
    assert_eq!(worst(&[Fault::Capacity, Fault::Throttled]), Some(Kind::Capacity));
    assert_eq!(worst(&[]), None);
}

#[test]
fn a_failed_call_keeps_its_request_id() {
    let mut error = CloudError::new(Fault::Quota, "ec2:CreateVpc", "VpcLimitExceeded", "too many");
    error.request_id = Some("req-1".into());
    let failure = Failure::cloud(&error, Some("ask for more".to_owned()));
    assert_eq!(failure.details, ["request id req-1"]);
    assert_eq!(failure.hints, ["ask for more"]);
    assert_eq!(failure.kind.exit(), 79);
}
