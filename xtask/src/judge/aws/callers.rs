//! Who may call: wrong credentials get one attempt, and the policy that we print is enough and no more.
//!
//! Moto checks signatures and actions when it is told to; resources and conditions of a policy it does not (see
//! tests/judge/caller.py), so the narrowness of resources is not shown here.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::case::Case;
use super::lifecycle::{NEWER, OLDER};
use super::world::{Key, Latency, World};
use super::{Rig, Scenario};
use crate::process::{Ran, http};

/// Actions that AWS asks for beside the one that is called, and moto does not.
const NOT_ENFORCED: [&str; 2] = ["iam:PassRole", "iam:CreateServiceLinkedRole"];

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    scenarios.push(("policy without one statement, 1 of 2".to_owned(), Box::new(|rig| without_one(rig, 0))));
    scenarios.push(("policy without one statement, 2 of 2".to_owned(), Box::new(|rig| without_one(rig, 1))));
    scenarios.push(("policy suffices".to_owned(), Box::new(suffices)));
    scenarios.push(("wrong credentials".to_owned(), Box::new(wrong_credentials)));
}

/// From now on moto checks signatures and policies, or does not.
fn enforce(world: &World, on: bool) -> Result<()> {
    http(world.port, "POST", "/moto-api/reset-auth", if on { "0" } else { "inf" })?;
    Ok(())
}

fn wrong_credentials(rig: &Rig) -> Result<String> {
    let mut world = World::start(rig, "wrong-credentials", Latency::NONE)?;
    let case = world.case("minimal")?;
    let before = world.account.read()?;
    enforce(&world, true)?;
    world.forget_calls()?;
    let ran = world.run(&case.apply_args())?.expect(77, "apply with wrong credentials")?;
    let calls = world.calls()?;
    ensure!(calls.values().all(|count| *count == 1), "a call was repeated: {calls:?}");
    let codes = ["AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch"];
    ensure!(codes.iter().any(|code| ran.stderr.contains(code)), "it does not name the code of AWS:\n{}", ran.stderr);
    enforce(&world, false)?;
    world.unchanged_since(&before)?;
    Ok(format!(
        "one attempt ({}), exit code 77, the code of AWS named",
        calls.keys().cloned().collect::<Vec<_>>().join(" ")
    ))
}

fn policy(world: &World, case: &Case) -> Result<Value> {
    let ran = world.run(&["iam", "policy", "-f", &case.file])?.expect(0, "iam policy")?;
    let policy: Value = serde_json::from_str(&ran.stdout).context("iam policy prints JSON")?;
    ensure!(policy["Statement"].as_array().is_some_and(|all| !all.is_empty()), "a policy without statements");
    Ok(policy)
}

fn caller(world: &World, policy: &Value) -> Result<Option<Key>> {
    let made = world.python("caller.py", &["judged", &policy.to_string()])?;
    let word = |name: &str| made[name].as_str().map(ToOwned::to_owned);
    Ok(word("id").zip(word("secret")).map(|(id, secret)| Key { id, secret }))
}

/// A world in which the command is somebody who may do what the policy says.
fn narrow_world(rig: &Rig, name: &str) -> Result<(World, Case, Value)> {
    let mut world = World::start(rig, name, Latency::NONE)?;
    let mut case = world.case("gpu-spot")?;
    case.set_version(OLDER)?;
    let policy = policy(&world, &case)?;
    world.key = caller(&world, &policy)?.context("a new caller has a key")?;
    Ok((world, case, policy))
}

fn suffices(rig: &Rig) -> Result<String> {
    let (mut world, mut case, policy) = narrow_world(rig, "policy-suffices")?;
    world.add_decoys(&case)?;
    let before = world.account.read()?;
    enforce(&world, true)?;
    world.apply(&case)?;
    world.plan_is_empty(&case)?;
    case.scale()?;
    world.apply(&case)?;
    case.set_version(NEWER)?;
    world.apply(&case)?;
    case.set_team("speech")?;
    world.apply(&case)?;
    world.plan_is_empty(&case)?;
    world.delete(&case)?;
    enforce(&world, false)?;
    world.unchanged_since(&before)?;
    let actions: usize = statements(&policy).iter().map(|statement| actions(statement).len()).sum();
    Ok(format!("{} statements with {actions} actions make, change and remove a cluster", statements(&policy).len()))
}

fn statements(policy: &Value) -> Vec<Value> {
    policy["Statement"].as_array().cloned().unwrap_or_default()
}

fn actions(statement: &Value) -> Vec<String> {
    match &statement["Action"] {
        Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect(),
        one => one.as_str().map(ToOwned::to_owned).into_iter().collect(),
    }
}

/// Without any one of its statements, something in a life fails and says that it is not allowed.
fn without_one(rig: &Rig, half: usize) -> Result<String> {
    let (mut world, mut case, policy) = narrow_world(rig, &format!("policy-without-{half}"))?;
    let before = world.account.read()?;
    let (mut tried, mut untold) = (0, Vec::new());
    for (nth, statement) in statements(&policy).iter().enumerate().filter(|(nth, _)| nth % 2 == half) {
        let name = statement["Sid"].as_str().map_or_else(|| nth.to_string(), ToOwned::to_owned);
        if actions(statement).iter().all(|action| NOT_ENFORCED.contains(&action.as_str())) {
            untold.push(name);
            continue;
        }
        let mut rest = statements(&policy);
        rest.remove(nth);
        let narrower = json!({ "Version": "2012-10-17", "Statement": rest });
        caller(&world, &narrower)?;
        let failed = fails_somewhere(&world, &mut case).with_context(|| format!("without {name}"))?;
        ensure!(failed, "without {name} ({}) everything works all the same", actions(statement).join(" "));
        caller(&world, &policy)?;
        // What the failed life left is removed with the whole policy.
        let ran = world.run(&case.delete_args())?;
        // 66: there is no such cluster, since nothing was ever made.
        if ran.code() != Some(66) {
            ran.expect(0, &format!("delete after a life without {name}"))?;
        }
        tried += 1;
    }
    enforce(&world, false)?;
    // The caller's own policy has been written again; the same text is no difference.
    world.unchanged_since(&before)?;
    Ok(format!("{tried} statements, each of them needed; not enforced by moto: {}", untold.join(" ")))
}

/// Lives a life until something is not allowed.
fn fails_somewhere(world: &World, case: &mut Case) -> Result<bool> {
    enforce(world, true)?;
    let outcome = refused(world, case);
    enforce(world, false)?;
    outcome
}

fn refused(world: &World, case: &mut Case) -> Result<bool> {
    for (version, team) in [(OLDER, "vision"), (NEWER, "vision"), (NEWER, "speech")] {
        case.set_version(version)?;
        case.set_team(team)?;
        let ran = world.run(&case.apply_args())?;
        if ran.code() != Some(0) {
            return denied(&ran.expect(77, "an apply that is not allowed")?);
        }
    }
    let ran = world.run(&case.delete_args())?;
    if ran.code() == Some(0) {
        return Ok(false);
    }
    denied(&ran.expect(77, "a delete that is not allowed")?)
}

/// What failed must have failed for want of a permission, not of a valid signature.
fn denied(ran: &Ran) -> Result<bool> {
    let codes = ["AccessDenied", "UnauthorizedOperation"];
    ensure!(codes.iter().any(|code| ran.stderr.contains(code)), "it was refused for something else:\n{}", ran.stderr);
    Ok(true)
}
