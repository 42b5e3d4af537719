//! What must hold, whatever went wrong.

use std::collections::BTreeMap;

use clusterctl_core::store::journal::current;
use clusterctl_core::store::{ClusterKeys, Key, Store as _};
use clusterctl_simulator::fault::Seen;
use clusterctl_simulator::world::Thing;

use super::process::{Came, Ran};
use super::stage::Stage;
use crate::simulated;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Of the reliability programme: `O1 converges`.
    pub(crate) oracle: &'static str,
    pub(crate) what: String,
}

impl Violation {
    pub(crate) fn new(oracle: &'static str, what: impl Into<String>) -> Self {
        Self { oracle, what: what.into() }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.oracle, self.what)
    }
}

pub(crate) type Verdict = Result<(), Violation>;

/// Waiting asks again and again: this is more than the longest wait takes.
const MOST_REQUESTS: usize = 2_000;

/// Holds after every process, however it ended.
pub(crate) fn always(stage: &Stage, ran: &Ran) -> Verdict {
    match &ran.came {
        Came::Panicked(words) => return Err(Violation::new("O5 truth", format!("it panicked: {words}"))),
        Came::Endless => return Err(Violation::new("O1 converges", "it would never have ended")),
        Came::Failed(failure) if failure.kind == crate::failure::Kind::Bug => {
            return Err(Violation::new("O5 truth", format!("it calls itself faulty: {failure}")));
        }
        Came::Well | Came::Failed(_) | Came::Killed => {}
    }
    untouched(stage)?;
    secrets(stage)
}

/// O5: whoever says that it stands has waited until it does.
pub(crate) fn stands(stage: &Stage) -> Verdict {
    const STATES: [(&str, &str); 4] = [
        ("natgateway", "state"),
        ("volume", "status"),
        ("instance", "instanceState.name"),
        ("load-balancer", "State.Code"),
    ];
    for (kind, path) in STATES {
        for thing in stage.world.all(kind).filter(|thing| !thing.foreign) {
            let passing = ["pending", "creating", "provisioning"];
            if let Some(state) = thing.at(path).into_iter().find(|state| passing.iter().any(|word| *state == word)) {
                return Err(Violation::new("O5 truth", format!("done, and {} is {state}", thing.id)));
            }
        }
    }
    Ok(())
}

/// For how long the engine looks for what a create without an answer has made.
const LOOKED_FOR_MS: u64 = 10_000;

/// O2: where lists are behind for a shorter time than is waited for them, nothing is made twice, not even for a moment.
pub(crate) fn once(stage: &Stage) -> Verdict {
    // What has neither a token nor a name of its own.
    const KINDS: [&str; 4] = ["vpc", "subnet", "elastic-ip", "internet-gateway"];
    if stage.world.weather.lag_max_ms > LOOKED_FOR_MS {
        return Ok(());
    }
    let mut seen = std::collections::BTreeSet::new();
    for thing in KINDS.into_iter().flat_map(|kind| stage.world.all(kind)).filter(|thing| !thing.foreign) {
        let Some(address) = thing.tags.get("clusterctl.dev/address") else { continue };
        if !seen.insert(address) {
            return Err(Violation::new("O2 nothing doubled", format!("{address} is there twice, as {}", thing.id)));
        }
    }
    Ok(())
}

/// Which resource every address of the record has.
pub(crate) fn recorded(stage: &Stage, name: &str) -> BTreeMap<String, String> {
    let (Ok(runtime), Ok(keys)) = (simulated::runtime(), ClusterKeys::new(name)) else { return BTreeMap::new() };
    let current = runtime.block_on(current(&stage.store, &keys)).ok().flatten();
    let resources = current.map(|current| current.state.resources).unwrap_or_default();
    resources.into_iter().map(|(addr, recorded)| (addr, recorded.id)).collect()
}

/// O11: where nothing comes to nothing, what is on record stays there: of twins, the one that others stand on.
pub(crate) fn kept(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Verdict {
    match before.iter().find(|(addr, id)| now.get(*addr) != Some(id)) {
        Some((addr, id)) => {
            let what = format!("{addr} was {id} and is {}", now.get(addr).map_or("nothing", String::as_str));
            Err(Violation::new("O11 what stands stays", what))
        }
        None => Ok(()),
    }
}

/// O10: at no time is there more of what costs by the hour than there is in a run without trouble. Addresses have neither a
/// token nor a name: of those there may be a twin for a while where lists are behind for longer than is waited for them.
pub(crate) fn spending(stage: &Stage, ran: &Ran, calm: &BTreeMap<&'static str, usize>) -> Verdict {
    let doubtful = |kind: &str| kind == "elastic-ip" && stage.world.weather.lag_max_ms > LOOKED_FOR_MS;
    for (kind, most) in ran.most.iter().filter(|(kind, _)| !doubtful(kind)) {
        let enough = calm.get(kind).copied().unwrap_or_default();
        if *most > enough {
            let what = format!("{most} of {kind} at a time, where {enough} are enough");
            return Err(Violation::new("O10 spending", what));
        }
    }
    Ok(())
}

/// O8: no process asks without end.
pub(crate) fn bounded(ran: &Ran, calm: &[Seen]) -> Verdict {
    let requests = ran.mischief.requests();
    if requests.len() > MOST_REQUESTS + calm.len() * 10 {
        let what = format!("{} requests where {} are enough", requests.len(), calm.len());
        return Err(Violation::new("O8 bounded", what));
    }
    Ok(())
}

/// O4: nothing foreign was named in a change, and all of it is as it was.
fn untouched(stage: &Stage) -> Verdict {
    if let Some(trespass) = stage.world.trespasses.first() {
        return Err(Violation::new("O4 nothing foreign touched", trespass.clone()));
    }
    let now: Vec<&Thing> = stage.world.foreign().collect();
    if now.len() != stage.foreign.len() {
        return Err(Violation::new("O4 nothing foreign touched", "something foreign is gone"));
    }
    let same = now.iter().zip(&stage.foreign).find(|(a, b)| a.attrs != b.attrs || a.tags != b.tags);
    match same {
        Some((changed, _)) => {
            Err(Violation::new("O4 nothing foreign touched", format!("{} {} is changed", changed.kind, changed.id)))
        }
        None => Ok(()),
    }
}

/// O9: nothing of what machines tell each other, nor the caller's own key, is said or stored.
fn secrets(stage: &Stage) -> Verdict {
    // Their names and addresses, which they tell each other too, are no secrets.
    let is_secret = |id: &str| ["/control-plane/key", "/control-plane/pki/", "/join/"].iter().any(|s| id.contains(s));
    let told = stage.world.all("parameter").filter(|parameter| is_secret(&parameter.id));
    let words = told.flat_map(|parameter| parameter.text("Value").split(' '));
    // A short word, such as the time when a token ends, stands in many a text by itself.
    let secrets: Vec<&str> = words.filter(|word| word.len() >= 16).chain([simulated::SECRET]).collect();
    let leaks = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    if leaks(&stage.said) {
        return Err(Violation::new("O9 secrets", "a secret was said"));
    }
    match stored(stage).into_iter().find(|(_, bytes)| leaks(&String::from_utf8_lossy(bytes))) {
        Some((key, _)) => Err(Violation::new("O9 secrets", format!("a secret is in {key}"))),
        None => Ok(()),
    }
}

/// Every stored document, as it is.
pub(crate) fn stored(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    let Ok(runtime) = simulated::runtime() else { return Vec::new() };
    let store = stage.store.clone();
    runtime.block_on(async {
        let mut all = Vec::new();
        let Ok(root) = Key::parse("clusters") else { return all };
        for key in store.list(&root).await.unwrap_or_default() {
            if let Ok(Some(object)) = store.get(&key).await {
                all.push((key.to_string(), object.bytes.to_vec()));
            }
        }
        all
    })
}

/// O2, O3, O5: what exists is what exists after a run without trouble, no more and no less.
pub(crate) fn same(stage: &Stage, expected: &BTreeMap<String, usize>) -> Verdict {
    let mut counts = stage.counts();
    if !expected.is_empty() {
        // What machines write by themselves depends on how often they had to begin anew; at the end it has to go.
        counts.retain(|kind, _| kind != "parameter");
    }
    let expected = &expected.iter().filter(|(kind, _)| *kind != "parameter").map(|(k, n)| (k.clone(), *n)).collect();
    if counts == *expected {
        return Ok(());
    }
    let kinds: std::collections::BTreeSet<&String> = counts.keys().chain(expected.keys()).collect();
    let count = |of: &BTreeMap<String, usize>, kind: &String| of.get(kind).copied().unwrap_or(0);
    let differing: Vec<String> = kinds
        .into_iter()
        .filter(|kind| count(&counts, kind) != count(expected, kind))
        .map(|kind| {
            let which = if expected.contains_key(kind) { String::new() } else { format!(" ({})", named(stage, kind)) };
            format!("{kind}: {} instead of {}{which}", count(&counts, kind), count(expected, kind))
        })
        .collect();
    let more = counts.iter().any(|(kind, number)| *number > count(expected, kind));
    let oracle = match (more, expected.is_empty()) {
        (true, true) => "O3 nothing leaked",
        (true, false) => "O2 nothing doubled",
        (false, _) => "O5 truth",
    };
    Err(Violation::new(oracle, differing.join(", ")))
}

/// What there is of a kind that nothing of should be there.
fn named(stage: &Stage, kind: &str) -> String {
    let all = stage.world.all(kind).filter(|thing| !thing.foreign);
    all.map(|thing| thing.id.as_str()).take(5).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use clusterctl_simulator::weather::Weather;

    use super::*;

    #[test]
    fn a_secret_of_a_machine_that_is_said_is_found() {
        let mut stage = Stage::new(1, Weather::calm());
        let mut parameter = Thing::new("parameter", "/clusterctl/0011/join/material");
        parameter.set("Value", "a-token-of-a-machine 1767225600");
        stage.world.put(parameter);
        stage.said = "joined".to_owned();
        assert_eq!(secrets(&stage), Ok(()));
        stage.said = "joined with a-token-of-a-machine".to_owned();
        assert!(secrets(&stage).is_err());
        stage.said = format!("as {}", simulated::SECRET);
        assert!(secrets(&stage).is_err());
    }
}
