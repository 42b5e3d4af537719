//! Tags as proof, and what to do about a name that is taken.

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Call, CloudError, Driver, Fault, Live};
use clusterctl_core::graph::Resource;
use clusterctl_core::value;
use serde_json::Value;

use crate::client::is_missing;
use crate::names;
use crate::resources::{TagValue, Tags};

/// Tags as they were read.
pub(crate) type Read = BTreeMap<String, String>;

/// The value of a wanted tag; the engine has rendered it.
pub(super) fn plain(value: &TagValue) -> &str {
    match value {
        TagValue::Plain(text) => text,
        TagValue::Text(text) => text.sent(),
    }
}

/// Wanted tags as they will be read back.
pub(super) fn read(tags: &Tags) -> Read {
    tags.iter().map(|(key, value)| (key.clone(), plain(value).to_owned())).collect()
}

pub(super) fn given(tags: &Read) -> Tags {
    tags.iter().map(|(key, value)| (key.clone(), TagValue::Plain(value.clone()))).collect()
}

/// Whether tags prove that this is the resource of the call.
pub(super) fn is_ours(tags: &Read, call: &Call) -> bool {
    address(tags, &call.owner.uid).as_ref() == Some(&call.addr)
}

/// The address in the tags of a resource of `uid`; `None` for anybody else's.
pub(crate) fn address(tags: &Read, uid: &str) -> Option<Addr> {
    tags.get(names::UID).filter(|owner| *owner == uid)?;
    tags.get(names::ADDRESS)?.parse().ok()
}

/// The wanted arguments that `live` does not have.
pub(super) fn differences<R: Resource>(want: &R, live: &Live) -> Vec<String> {
    let want = serde_json::to_value(want).unwrap_or_default();
    want.as_object()
        .into_iter()
        .flatten()
        .filter(|(name, to)| !value::same(to, live.args.get(name.as_str()).unwrap_or(&Value::Null)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What is live once everything wanted has been sent.
pub(super) fn updated<R: Resource>(live: &Live, want: &R) -> Live {
    Live { args: serde_json::to_value(want).unwrap_or_default(), ..live.clone() }
}

/// The arguments of something that is live, typed.
pub(super) fn observed<R: Resource>(call: &Call, live: &Live) -> Result<R, CloudError> {
    value::typed(&live.args)
        .map_err(|e| CloudError::new(Fault::Permanent, R::KIND.name, "BadArguments", format!("{}: {e}", call.addr)))
}

/// What disappeared between two calls of one reading: the reading is to be done again.
pub(crate) fn moved(error: CloudError) -> CloudError {
    if is_missing(&error) { CloudError { fault: Fault::NotReady, ..error } } else { error }
}

/// An answer without what it should hold: what was asked for may have been made.
pub(super) fn empty_answer(operation: &str) -> CloudError {
    CloudError::new(Fault::Ambiguous, operation, "EmptyAnswer", "the answer does not say what was made")
}

/// A refusal in which AWS's words are followed by ours.
pub(super) fn conflict(error: CloudError, words: &str) -> CloudError {
    let message = if error.message.is_empty() { words.to_owned() } else { format!("{}; {words}", error.message) };
    CloudError { fault: Fault::Conflict, message, ..error }
}

/// Finishes a create whose name is taken: by our own earlier attempt, or by somebody else.
///
/// # Errors
/// `error` as a conflict, with `name`, when nothing of ours is found or it cannot become what is wanted.
pub(super) async fn adopt<D: Driver>(
    driver: &D,
    call: &Call,
    want: D::Resource,
    name: &str,
    error: CloudError,
) -> Result<Live, CloudError> {
    let Some(live) = driver.find(call, want.clone()).await?.into_iter().next() else {
        return Err(conflict(
            error,
            &format!("`{name}` is there already and nothing proves that it is this cluster's"),
        ));
    };
    let changed = differences(&want, &live);
    let forces_new = D::Resource::KIND.forces_new;
    let stuck: Vec<&str> = changed.iter().map(String::as_str).filter(|c| forces_new.contains(c)).collect();
    if !stuck.is_empty() {
        let words =
            format!("`{name}` is this cluster's, with another {}: run the same command again", stuck.join(", "));
        return Err(conflict(error, &words));
    }
    driver.update(call, &live, want, &changed).await
}

#[cfg(test)]
mod tests {
    use clusterctl_core::cloud::Owner;

    use super::*;

    #[test]
    fn only_owner_and_address_together_prove_a_resource() {
        let addr = Addr::new("aws_lb", "api");
        let owner = Owner { uid: "0011".into(), cluster: "demo".into() };
        let call = Call { addr: addr.clone(), owner, token: "t".into() };
        let mut tags = read(&names::tags("demo", "0011", &addr, &BTreeMap::new()));
        assert!(is_ours(&tags, &call));
        tags.insert(names::ADDRESS.into(), "aws_lb.other".into());
        assert!(!is_ours(&tags, &call));
        assert_eq!(address(&tags, "0011"), Some(Addr::new("aws_lb", "other")));
        assert_eq!(address(&tags, "0012"), None);
    }
}
