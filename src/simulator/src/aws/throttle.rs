//! Token buckets: one for each action of an account in a region, and one for what machines cost.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>. The other services do not publish theirs;
//! they are given the common buckets.

use super::call::Refused;
use super::table::Behaviour;
use crate::world::World;

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_bucket_that_is_empty_refuses_until_it_refills",
        source: "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html",
    },
    Behaviour {
        name: "each_action_has_a_bucket_of_its_own",
        source: "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html#throttling-rate-based",
    },
    Behaviour {
        name: "route_53_answers_five_requests_in_a_second",
        source: "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests",
    },
];

/// Size and refill in a second.
fn bucket(action: &str, writes: bool) -> (f64, f64) {
    match action {
        "ec2:RunInstances" => (5.0, 2.0),
        "ec2:TerminateInstances" => (100.0, 5.0),
        "ec2:AssociateAddress" | "ec2:AttachVolume" | "ec2:CreateNetworkInterface" => (100.0, 5.0),
        _ if writes => (50.0, 5.0),
        _ => (100.0, 20.0),
    }
}

/// Takes a token out of the bucket of an action.
pub(super) fn admit(world: &mut World, action: &str, writes: bool) -> Result<(), Refused> {
    // All requests of an account to Route 53 share one bucket.
    let (name, bucket) = match action.split_once(':') {
        Some((service @ "route53", _)) => (service, (5.0, 5.0)),
        _ => (action, bucket(action, writes)),
    };
    if !world.weather.throttle || take(world, name, bucket, 1.0) {
        return Ok(());
    }
    world.throttled += 1;
    Err(match action.split_once(':').map(|(service, _)| service) {
        Some("ec2") => Refused::new(503, "RequestLimitExceeded", "Request limit exceeded."),
        Some("route53") => Refused::bad("Throttling", "Rate exceeded"),
        Some("s3") => Refused::new(503, "SlowDown", "Please reduce your request rate."),
        Some("ssm") => Refused::bad("ThrottlingException", "Rate exceeded"),
        _ => Refused::bad("Throttling", "Rate exceeded"),
    })
}

/// Takes what machines cost: 1000 at once, two more in a second.
pub(super) fn machines(world: &mut World, action: &str, count: f64) -> Result<(), Refused> {
    if !world.weather.throttle || take(world, &format!("{action}/machines"), (1000.0, 2.0), count) {
        return Ok(());
    }
    world.throttled += 1;
    Err(Refused::new(503, "RequestLimitExceeded", "Request limit exceeded."))
}

/// Whether a hosted zone is done with the change before: it takes one at a time.
pub(super) fn zone_is_free(world: &mut World, zone: &str) -> bool {
    !world.weather.throttle || take(world, &format!("route53/{zone}"), (1.0, 4.0), 1.0)
}

fn take(world: &mut World, name: &str, (size, refill): (f64, f64), cost: f64) -> bool {
    let now = world.now();
    let (left, then) = world.buckets.get(name).copied().unwrap_or((size, now));
    let left = (left + (now - then) as f64 / 1000.0 * refill).min(size);
    let enough = left >= cost;
    world.buckets.insert(name.to_owned(), (if enough { left - cost } else { left }, now));
    enough
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weather::Weather;

    fn world() -> World {
        World::new("aws", "eu-central-1", 1, Weather::default())
    }

    #[test]
    fn a_bucket_that_is_empty_refuses_until_it_refills() {
        let mut world = world();
        let served = (0..20).filter(|_| admit(&mut world, "ec2:RunInstances", true).is_ok()).count();
        assert_eq!(served, 5);
        let refused = admit(&mut world, "ec2:RunInstances", true).expect_err("an empty bucket");
        assert_eq!((refused.status, refused.code.as_str()), (503, "RequestLimitExceeded"));
        world.pass(1000, crate::aws::happened);
        let served = (0..20).filter(|_| admit(&mut world, "ec2:RunInstances", true).is_ok()).count();
        assert_eq!(served, 2);
    }

    #[test]
    fn route_53_answers_five_requests_in_a_second() {
        let mut world = world();
        let actions = ["route53:GetChange", "route53:ListHostedZones", "route53:ChangeResourceRecordSets"];
        let served = actions.iter().cycle().take(9).filter(|a| admit(&mut world, a, false).is_ok()).count();
        assert_eq!(served, 5);
        assert_eq!(
            admit(&mut world, actions[0], false).map_err(|e| (e.status, e.code)),
            Err((400, "Throttling".into()))
        );
        world.pass(1000, crate::aws::happened);
        assert!(admit(&mut world, actions[1], false).is_ok());
    }

    #[test]
    fn each_action_has_a_bucket_of_its_own() {
        let mut world = world();
        while admit(&mut world, "ec2:RunInstances", true).is_ok() {}
        assert!(admit(&mut world, "ec2:CreateVpc", true).is_ok());
    }
}
