//! AWS by its wire protocol.
//!
//! - `table` rows of kinds and actions, and what all of them have in common; `call` one request while it is answered
//! - `ec2` networks, machines, disks; `autoscaling`; `elb`; `iam`; `sts`; `ssm`; `route53`; `s3`
//! - `machine` what a machine does between its start and its joining
//! - `throttle` token buckets; `account` what a new account holds, decoys among it
//! - [`behaviours`] every behaviour that is simulated from a page of the vendor

pub mod account;
mod autoscaling;
mod call;
mod ec2;
mod elb;
mod iam;
mod machine;
mod route53;
mod s3;
mod ssm;
mod sts;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod throttle;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::fault::{Done, Injection, Seen};
use crate::latency::{self, READ, WRITE};
use crate::wire::{form, xml};
use crate::world::{Ms, World};
use call::{Call, Refused};
use table::{Action, Behaviour, Service};

/// The account that every simulated world of AWS is.
pub const ACCOUNT: &str = "123456789012";
/// The region where nobody names one.
pub const REGION: &str = "eu-central-1";

const SERVICES: [&Service; 5] = [&ec2::SERVICE, &elb::SERVICE, &autoscaling::SERVICE, &iam::SERVICE, &sts::SERVICE];

/// Every behaviour of AWS that is simulated, with its source.
#[must_use]
pub fn behaviours() -> Vec<Behaviour> {
    let others = [ssm::BEHAVIOURS, machine::BEHAVIOURS, throttle::BEHAVIOURS];
    let services = SERVICES.iter().flat_map(|service| service.behaviours.iter().copied());
    let rest = route53::behaviours().chain(s3::behaviours());
    services.flat_map(|of| of.iter()).chain(others.into_iter().flatten()).chain(rest).copied().collect()
}

/// What AWS charges for by the hour, by kind and the states in which it does or is about to: machines and their disks
/// (<https://aws.amazon.com/ec2/pricing/on-demand/>, <https://aws.amazon.com/ebs/pricing/>), gateways and addresses
/// (<https://aws.amazon.com/vpc/pricing/>), balancers (<https://aws.amazon.com/elasticloadbalancing/pricing/>).
const CHARGED: [(&str, &str, &[&str]); 5] = [
    ("instance", "instanceState.name", &["pending", "running"]),
    ("volume", "status", &["creating", "available", "in-use"]),
    ("natgateway", "state", &["pending", "available"]),
    ("load-balancer", "State.Code", &["provisioning", "active"]),
    ("elastic-ip", "domain", &["vpc"]),
];

/// How many of each kind that costs by the hour there are, without what was there in the beginning.
#[must_use]
pub fn charged(world: &World) -> BTreeMap<&'static str, usize> {
    let counted = CHARGED.into_iter().map(|(kind, path, states)| {
        let ours = world.all(kind).filter(|thing| !thing.foreign);
        let charged = ours.filter(|thing| thing.at(path).iter().any(|state| states.iter().any(|word| *state == word)));
        (kind, charged.count())
    });
    counted.collect()
}

/// Whether an active load balancer of that VPC has a healthy target: then the API of a cluster in it answers.
#[must_use]
pub fn serves(world: &World, vpc_id: &str) -> bool {
    elb::serves(world, vpc_id)
}

/// What a request asks for, as IAM spells it, and whether it changes something.
#[must_use]
pub fn name(request: &http::Request<Bytes>) -> (String, bool) {
    let service = service_of(request);
    match service.as_str() {
        "ssm" => {
            let action = target(request);
            let writes = !(action.starts_with("Get") || action.starts_with("Describe"));
            (format!("ssm:{action}"), writes)
        }
        "route53" => route53::name(request),
        "s3" => s3::name(request),
        _ => {
            let body = String::from_utf8_lossy(request.body());
            let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
            let writes = !["Describe", "Get", "List"].iter().any(|read| action.starts_with(read));
            (format!("{service}:{action}"), writes)
        }
    }
}

/// The service that a request was signed for
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, credential scope).
fn service_of(request: &http::Request<Bytes>) -> String {
    let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scope = signed.split_once("Credential=").map_or("", |(_, rest)| rest.split([',', ' ']).next().unwrap_or(""));
    scope.split('/').nth(3).unwrap_or_default().to_owned()
}

/// The host that a request goes to.
fn target_host(request: &http::Request<Bytes>) -> String {
    let named = || request.headers().get("host").and_then(|value| value.to_str().ok());
    request.uri().host().or_else(named).unwrap_or_default().to_owned()
}

fn target(request: &http::Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

/// How long an answer takes.
pub fn latency(world: &mut World, seen: &Seen) -> Ms {
    let usual = if seen.writes { WRITE } else { READ };
    let figure = match seen.action.as_str() {
        "ec2:RunInstances" => latency::of("aws.RunInstances.api").unwrap_or(usual),
        _ => usual,
    };
    figure.draw(&mut world.chance, &format!("api/{}", seen.action))
}

/// Answers a request.
pub fn answer(
    world: &mut World,
    request: &http::Request<Bytes>,
    injected: Option<&Injection>,
) -> http::Response<Bytes> {
    let (action, writes) = name(request);
    let request_id =
        format!("{:08x}-0000-4000-8000-{:012x}", world.chance.seed() as u32, world.calls.values().sum::<u64>());
    *world.calls.entry(action.clone()).or_insert(0) += 1;
    let service = service_of(request);
    let form = Form::of(&service);
    let refusal = |refused: &Refused| form.refusal(refused, &request_id);
    if writes {
        trespass(world, request, &action);
    }
    if let Some(Injection::Refuse { done: Done::Before, status, code, message, retry_after }) = injected {
        let refused = Refused { retry_after: *retry_after, ..Refused::new(*status, code, message.clone()) };
        return refusal(&refused);
    }
    if let Err(refused) = throttle::admit(world, &action, writes) {
        return refusal(&refused);
    }
    let stale = matches!(injected, Some(Injection::Stale));
    let before = stale.then(|| call::forget(world));
    let outcome = match injected {
        Some(Injection::FailsLater) => call::begun(world, call::Fate::Fails),
        Some(Injection::NeverEnds) => call::begun(world, call::Fate::NeverEnds),
        _ => call::begun(world, call::Fate::Usual),
    };
    world.partial = matches!(injected, Some(Injection::Partial));
    let answer = dispatch(world, request, &service, &request_id);
    world.partial = false;
    call::ended(world, outcome);
    if let Some(before) = before {
        call::remember(world, before);
    }
    let answer = answer.unwrap_or_else(|refused| refusal(&refused));
    match injected {
        Some(Injection::Refuse { done: Done::After, status, code, message, retry_after }) => {
            refusal(&Refused { retry_after: *retry_after, ..Refused::new(*status, code, message.clone()) })
        }
        Some(Injection::Poison(body)) => plain(200, "text/html", body.clone()),
        _ => answer,
    }
}

fn dispatch(
    world: &mut World,
    request: &http::Request<Bytes>,
    service: &str,
    request_id: &str,
) -> Result<http::Response<Bytes>, Refused> {
    match service {
        "ssm" => ssm::answer(world, request),
        "route53" => route53::answer(world, request),
        "s3" => s3::answer(world, request),
        other => {
            let Some(service) = SERVICES.into_iter().find(|service| service.name == other) else {
                return Err(Refused::new(404, "UnknownService", format!("no service {other} is simulated")));
            };
            let body = String::from_utf8_lossy(request.body());
            let fields = form::fields(&body);
            let content = query(world, service, &fields)?;
            Ok(plain(200, "text/xml", service.text(&content, &fields, request_id)))
        }
    }
}

/// One request of a query protocol.
fn query(
    world: &mut World,
    service: &'static Service,
    fields: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, Refused> {
    let name = fields.get("Action").map(String::as_str).unwrap_or_default();
    let Some(action) = service.actions.iter().flat_map(|actions| actions.iter()).find(|action| action.name == name)
    else {
        let message = format!("The action {name} is not valid for this web service.");
        return Err(Refused::new(400, "InvalidAction", message));
    };
    let params = form::tree(fields);
    once(world, action, params, fields)
}

/// The same token gets the same answer, and an error when anything else differs
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>).
fn once(
    world: &mut World,
    action: &'static Action,
    params: Map<String, Value>,
    fields: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, Refused> {
    let token = fields.get(action.token).filter(|token| !action.token.is_empty() && !token.is_empty());
    let key = token.map(|token| format!("{}/{token}", action.name));
    let digest = format!("{fields:?}");
    if let Some((earlier, answer)) = key.as_ref().and_then(|key| world.tokens.get(key)) {
        if *earlier != digest {
            let message = "The client token you have provided is associated with a resource with a different \
                           configuration.";
            return Err(Refused::new(400, "IdempotentParameterMismatch", message));
        }
        if action.name == "RunInstances" && ec2::compute::ended(world, answer) {
            let message = "The request uses the client token of an instance that has been terminated.";
            return Err(Refused::new(400, "IdempotentInstanceTerminated", message));
        }
        return Ok(answer.as_object().cloned().unwrap_or_default());
    }
    let answer = action.carried_out(&mut Call { world, params })?;
    if let Some(key) = key {
        world.tokens.insert(key, (digest, Value::Object(answer.clone())));
    }
    Ok(answer)
}

/// Notes a mutation that names something that was there before us.
fn trespass(world: &mut World, request: &http::Request<Bytes>, action: &str) {
    let text = format!("{} {}", request.uri().path(), String::from_utf8_lossy(request.body()));
    let text = form::plain(&text);
    let touched: Vec<String> = world
        .everything()
        .filter(|thing| thing.foreign && !thing.attrs.contains_key("_shared"))
        .filter(|thing| call::mentions(&text, &thing.id))
        .map(|thing| format!("{action} names {} {}", thing.kind, thing.id))
        .collect();
    world.trespasses.extend(touched);
}

/// What happens by name in AWS.
pub fn happened(world: &mut World, kind: &str, id: &str, name: &str) {
    match kind {
        "instance" => machine::happened(world, id, name),
        "auto-scaling-group" => autoscaling::happened(world, id, name),
        "load-balancer" | "target-group" => elb::happened(world, kind, id, name),
        _ => ec2::happened(world, kind, id, name),
    }
}

/// How a protocol writes an error.
#[derive(Clone, Copy)]
enum Form {
    Ec2,
    Query,
    Json,
    Rest,
    S3,
}

impl Form {
    fn of(service: &str) -> Self {
        match service {
            "ec2" => Self::Ec2,
            "ssm" => Self::Json,
            "route53" => Self::Rest,
            "s3" => Self::S3,
            _ => Self::Query,
        }
    }

    fn refusal(self, refused: &Refused, request_id: &str) -> http::Response<Bytes> {
        let (code, message) = (xml::escaped(&refused.code), xml::escaped(&refused.message));
        let blame = if refused.status >= 500 { "Receiver" } else { "Sender" };
        let (kind, body) = match self {
            Self::Ec2 => (
                "text/xml",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                     <Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
                ),
            ),
            Self::Query | Self::Rest => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>{blame}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>{request_id}</RequestId></ErrorResponse>"
                ),
            ),
            Self::S3 => (
                "application/xml",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                     <RequestId>{request_id}</RequestId></Error>"
                ),
            ),
            Self::Json => (
                "application/x-amz-json-1.1",
                serde_json::json!({ "__type": refused.code, "message": refused.message }).to_string(),
            ),
        };
        let mut response = plain(refused.status, kind, body);
        if let Ok(value) = http::HeaderValue::from_str(request_id) {
            response.headers_mut().insert("x-amzn-requestid", value);
        }
        if let Some(seconds) = refused.retry_after {
            response.headers_mut().insert("retry-after", http::HeaderValue::from(seconds));
        }
        response
    }
}

/// A response with a body.
fn plain(status: u16, kind: &'static str, body: impl Into<Bytes>) -> http::Response<Bytes> {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::behaviours;

    #[test]
    fn every_behaviour_has_a_source_and_a_test_of_its_name() {
        let mut sources = String::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/aws"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    sources += &std::fs::read_to_string(entry.path()).expect("a file");
                }
            }
        }
        let all = behaviours();
        for behaviour in &all {
            assert!(behaviour.source.starts_with("https://"), "{behaviour:?}");
            assert!(sources.contains(&format!("fn {}()", behaviour.name)), "{behaviour:?} has no test");
        }
        let names: std::collections::BTreeSet<&str> = all.iter().map(|behaviour| behaviour.name).collect();
        assert_eq!(names.len(), all.len(), "a name stands for two behaviours");
        assert!(all.len() >= 50, "{}", all.len());
    }
}
