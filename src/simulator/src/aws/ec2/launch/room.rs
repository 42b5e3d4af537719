//! Whether there is room for machines: quotas of the account and what a zone has.
//!
//! In [`crate::weather::Weather`] the quotas are called `instance` (machines), and for CPUs `vcpu`, `vcpu/g` and `vcpu/p`,
//! each also with `/spot`; what is not there is no limit.

use super::Launch;
use crate::aws::call::Refused;
use crate::aws::ec2::compute;
use crate::world::{Thing, World};

/// CPUs that a type counts for in the quotas, by its name; `None` for what is no type
/// (<https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>).
pub(super) fn vcpus(machine: &str) -> Option<u32> {
    let (family, size) = machine.split_once('.')?;
    let starts = family.starts_with(|c: char| c.is_ascii_lowercase()) && family.contains(|c: char| c.is_ascii_digit());
    if !starts {
        return None;
    }
    Some(match size {
        "nano" | "micro" | "small" | "medium" | "large" => 2,
        "xlarge" => 4,
        "metal" => 96,
        other => {
            4 * other
                .strip_prefix("metal-")
                .unwrap_or(other)
                .strip_suffix("xl")
                .or(other.strip_suffix("xlarge"))?
                .parse::<u32>()
                .ok()?
        }
    })
}

/// Whether machines of this type have GPUs: families `p`, `g` and `gr`.
pub(in crate::aws) fn has_gpu(machine: &str) -> bool {
    matches!(machine.split(|c: char| c.is_ascii_digit()).next(), Some("p" | "g" | "gr"))
}

/// How many of at least `min` and at most `max` machines there is room for, by quotas and by what the zone has.
pub(in crate::aws) fn room(world: &World, launch: &Launch, min: u32, max: u32) -> Result<u32, Refused> {
    let alive: Vec<&Thing> = world.all("instance").filter(|i| compute::is_alive(i)).collect();
    let quota = |name: &str| world.weather.quotas.get(name).copied();
    let running = alive.len() as u32;
    if quota("instance").is_some_and(|limit| running + min > limit) {
        let message =
            format!("You have requested more instances ({}) than your current instance limit.", running + min);
        return Err(Refused::bad("InstanceLimitExceeded", message));
    }
    let cpus = vcpus(&launch.machine).unwrap_or_default();
    let bucket = bucket(&launch.machine, launch.spot);
    let in_bucket = |i: &&&Thing| self::bucket(i.text("instanceType"), is_spot(i)) == bucket;
    let used: u32 = alive.iter().filter(in_bucket).filter_map(|i| vcpus(i.text("instanceType"))).sum();
    if let Some(limit) = quota(bucket).filter(|limit| used + cpus * min > *limit) {
        return Err(if launch.spot {
            Refused::bad("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        } else {
            let message = format!(
                "You have requested more vCPU capacity than your current vCPU limit of {limit} allows for the instance \
                 bucket that the specified instance type belongs to. Please visit \
                 http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
            );
            Refused::bad("VcpuLimitExceeded", message)
        });
    }
    let place = format!("{}/{}", launch.machine, launch.zone);
    let capacity = &world.weather.capacity;
    let spot = launch.spot.then(|| capacity.get(&format!("{place}/spot"))).flatten();
    let Some(has) = spot.or(capacity.get(&place)) else { return Ok(max) };
    let here = |i: &&&Thing| i.text("instanceType") == launch.machine && compute::zone(i) == launch.zone;
    let free = has.saturating_sub(alive.iter().filter(here).count() as u32);
    if free < min {
        return Err(no_capacity(launch));
    }
    Ok(max.min(free))
}

pub(in crate::aws) fn no_capacity(launch: &Launch) -> Refused {
    let Launch { machine, zone, .. } = launch;
    let message = if launch.spot {
        "There is no Spot capacity available that matches your request.".to_owned()
    } else {
        format!(
            "We currently do not have sufficient {machine} capacity in the Availability Zone you requested ({zone}). \
             Our system will be working on provisioning additional capacity. You can currently get {machine} capacity \
             by not specifying an Availability Zone in your request or choosing another one."
        )
    };
    Refused::new(500, "InsufficientInstanceCapacity", message)
}

pub(in crate::aws) fn is_spot(instance: &Thing) -> bool {
    instance.text("instanceLifecycle") == "spot"
}

/// The quota that machines of this type count for
/// (<https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html>).
fn bucket(machine: &str, spot: bool) -> &'static str {
    match (machine.chars().next().filter(|_| has_gpu(machine)), spot) {
        (None, false) => "vcpu",
        (None, true) => "vcpu/spot",
        (Some('p'), false) => "vcpu/p",
        (Some('p'), true) => "vcpu/p/spot",
        (Some(_), false) => "vcpu/g",
        (Some(_), true) => "vcpu/g/spot",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_type_tells_cpus_and_quota() {
        let told = |machine| (vcpus(machine), has_gpu(machine));
        assert_eq!(told("t3.micro"), (Some(2), false));
        assert_eq!(told("m7i.4xlarge"), (Some(16), false));
        assert_eq!(told("c7i.metal-24xl"), (Some(96), false));
        assert_eq!(told("p5.48xlarge"), (Some(192), true));
        assert_eq!(told("gr6.4xlarge"), (Some(16), true));
        assert_eq!(told("m7i.huge"), (None, false));
        assert_eq!(bucket("p5.48xlarge", true), "vcpu/p/spot");
        assert_eq!(bucket("g6.xlarge", false), "vcpu/g");
    }
}
