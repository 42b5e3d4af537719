use super::*;
use crate::aws::ec2::compute::tests::machine;
use crate::aws::ec2::ground::{ZONE, ground};
use crate::aws::testing::Desk;

fn volume(desk: &mut Desk, zone: &str) -> String {
    let ask = [("AvailabilityZone", zone), ("Size", "20"), ("VolumeType", "gp3"), ("Encrypted", "true")];
    desk.ok("CreateVolume", &ask)["volumeId"].as_str().unwrap_or_default().to_owned()
}

fn seen(desk: &mut Desk, id: &str) -> Value {
    desk.ok("DescribeVolumes", &[("VolumeId.1", id)])["volumeSet"][0].clone()
}

#[test]
fn a_volume_is_creating_and_then_available() {
    let mut desk = ground();
    let id = volume(&mut desk, ZONE);
    assert_eq!(seen(&mut desk, &id)["status"], "creating");
    desk.wait(60_000);
    let now = seen(&mut desk, &id);
    assert_eq!((&now["status"], &now["size"], &now["encrypted"]), (&json!("available"), &json!(20), &json!(true)));
    for nowhere in ["mars-1a", &format!("{}z", crate::aws::REGION)] {
        let wrong = [("AvailabilityZone", nowhere), ("Size", "20")];
        assert_eq!(desk.refused("CreateVolume", &wrong), "InvalidZone.NotFound");
    }
    desk.world.weather.accepted_then_failed = 1.0;
    let id = volume(&mut desk, ZONE);
    desk.wait(60_000);
    assert_eq!(seen(&mut desk, &id)["status"], "error");
}

#[test]
fn a_volume_is_attached_once_and_in_its_zone() {
    let mut desk = ground();
    let (mine, far) = (volume(&mut desk, ZONE), volume(&mut desk, "eu-central-1b"));
    let i = machine(&mut desk);
    let ask = |volume| [("VolumeId", volume), ("InstanceId", i.as_str()), ("Device", "/dev/sdf")];
    assert_eq!(desk.refused("AttachVolume", &ask(&mine)), "IncorrectState", "the machine is pending");
    desk.wait(60_000);
    assert_eq!(desk.refused("AttachVolume", &ask(&far)), "InvalidVolume.ZoneMismatch");
    assert_eq!(desk.ok("AttachVolume", &ask(&mine))["status"], "attaching");
    assert_eq!(desk.refused("AttachVolume", &ask(&mine)), "VolumeInUse");
    desk.wait(60_000);
    let now = seen(&mut desk, &mine);
    assert_eq!((&now["status"], &now["attachmentSet"][0]["status"]), (&json!("in-use"), &json!("attached")));
}

#[test]
fn a_volume_in_use_is_not_deleted() {
    let mut desk = ground();
    let (id, i) = (volume(&mut desk, ZONE), machine(&mut desk));
    desk.wait(60_000);
    let ask = [("VolumeId", id.as_str()), ("InstanceId", i.as_str()), ("Device", "/dev/sdf")];
    assert_eq!(desk.refused("DetachVolume", &ask), "IncorrectState");
    desk.ok("AttachVolume", &ask);
    desk.wait(60_000);
    assert_eq!(desk.refused("DeleteVolume", &ask[..1]), "VolumeInUse");
    desk.ok("DetachVolume", &ask);
    assert_eq!(desk.refused("DeleteVolume", &ask[..1]), "VolumeInUse", "not yet detached");
    desk.wait(60_000);
    desk.ok("DeleteVolume", &ask[..1]);
    assert_eq!(seen(&mut desk, &id)["status"], "deleting");
    desk.wait(60_000);
    assert_eq!(desk.refused("DescribeVolumes", &[("VolumeId.1", &id)]), "InvalidVolume.NotFound");
}

#[test]
fn a_mounted_volume_hangs_in_busy_until_its_machine_stops() {
    let mut desk = ground();
    let (id, i) = (volume(&mut desk, ZONE), machine(&mut desk));
    desk.wait(60_000);
    let ask = [("VolumeId", id.as_str()), ("InstanceId", i.as_str()), ("Device", "/dev/sdf")];
    desk.ok("AttachVolume", &ask);
    desk.wait(60_000);
    desk.world.get_mut(KIND, &id).expect("a volume").set("_mounted", true);
    assert_eq!(desk.ok("DetachVolume", &ask)["status"], "busy");
    desk.wait(600_000);
    assert_eq!(seen(&mut desk, &id)["attachmentSet"][0]["status"], "busy");
    desk.ok("StopInstances", &[("InstanceId.1", &i)]);
    desk.wait(600_000);
    assert_eq!(seen(&mut desk, &id)["status"], "available");
}

#[test]
fn a_volume_grows_and_then_rests_for_six_hours() {
    let mut desk = ground();
    let id = volume(&mut desk, ZONE);
    desk.wait(60_000);
    let ask = |size| [("VolumeId", id.as_str()), ("Size", size)];
    assert_eq!(desk.refused("ModifyVolume", &ask("10")), "InvalidParameterValue");
    desk.ok("ModifyVolume", &ask("30"));
    assert_eq!(desk.refused("ModifyVolume", &ask("40")), "IncorrectModificationState");
    desk.wait(600_000);
    let told = desk.ok("DescribeVolumesModifications", &[("VolumeId.1", &id)]);
    assert_eq!(told["volumeModificationSet"][0]["modificationState"], "completed");
    assert_eq!(desk.refused("ModifyVolume", &ask("40")), "VolumeModificationRateExceeded");
    desk.wait(REST);
    desk.ok("ModifyVolume", &ask("40"));
}
