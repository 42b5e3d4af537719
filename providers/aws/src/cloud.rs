//! AWS as the engine sees it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use clusterctl_core::bootstrap::{SECRET_LOCKS, SECRETS};
use clusterctl_core::cloud::{AnyDriver, Cloud, CloudError, Observed, Owner, Scope};
use clusterctl_core::graph::Kind;

use crate::client::{Client, fail};
use crate::drivers::Drivers;
use crate::{names, observe, resources};

#[derive(Debug)]
pub struct Aws {
    client: Client,
    drivers: Drivers,
    zones: Mutex<Vec<String>>,
}

impl Aws {
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { drivers: Drivers::new(&client), client, zones: Mutex::default() }
    }

    /// Also looks for records in these zones, by id: the user's own, which carry no mark of ours.
    pub fn look_in_zones(&self, zones: Vec<String>) {
        *self.zones.lock().unwrap_or_else(PoisonError::into_inner) = zones;
    }

    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// As many parameters as one DeleteParameters takes.
const SWEEP: usize = 10;

#[async_trait]
impl Cloud for Aws {
    async fn observe(&self, owner: &Owner, scope: &Scope) -> Result<Observed, CloudError> {
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner).clone();
        observe::observe(&self.client, owner, scope, &zones).await
    }

    fn driver(&self, kind: &str) -> Option<&dyn AnyDriver> {
        self.drivers.get(kind)
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        resources::KINDS
    }

    /// Removes the parameters below the owner's path, which nodes have written. Their values are not decrypted, and only
    /// the names are kept.
    async fn sweep(&self, owner: &Owner) -> Result<Vec<String>, CloudError> {
        let mut swept = BTreeSet::new();
        // A list that changes between its pages passes over some: it is swept until a look finds nothing new.
        loop {
            let request = self.client.ssm.get_parameters_by_path().path(names::secrets_path(&owner.uid));
            let pages = request.recursive(true).with_decryption(false).into_paginator().send();
            let pages: Vec<_> =
                pages.collect::<Result<_, _>>().await.map_err(|e| fail("ssm:GetParametersByPath", &e))?;
            let found = pages.into_iter().flat_map(|page| page.parameters.unwrap_or_default());
            let ours = |name: &String| name.starts_with(&format!("{}/", names::secrets_path(&owner.uid)));
            let names = found.filter_map(|parameter| parameter.name).filter(ours);
            let names: Vec<String> = names.filter(|name| !swept.contains(name)).collect();
            if names.is_empty() {
                break;
            }
            self.forget(&names).await?;
            swept.extend(names);
        }
        // And what was written a moment ago may be missing in every list.
        let path = names::secrets_path(&owner.uid);
        let lock = |name: &String| name.strip_prefix(&format!("{path}/{SECRET_LOCKS}"))?.parse::<u64>().ok();
        let newest = swept.iter().filter_map(lock).max().unwrap_or(0);
        let locks = (newest + 1..=newest + 10).map(|number| format!("{SECRET_LOCKS}{number}"));
        let known = SECRETS.iter().map(|name| (*name).to_owned()).chain(locks).map(|name| format!("{path}/{name}"));
        let unseen: Vec<String> = known.filter(|name| !swept.contains(name)).collect();
        swept.extend(self.forget(&unseen).await?);
        Ok(swept.into_iter().collect())
    }
}

impl Aws {
    /// Deletes parameters by their names; gives those that were there.
    async fn forget(&self, names: &[String]) -> Result<Vec<String>, CloudError> {
        let mut gone = Vec::new();
        for some in names.chunks(SWEEP) {
            // A name that is not there is listed in the answer and is no error.
            let request = self.client.ssm.delete_parameters().set_names(Some(some.to_vec()));
            let answer = request.send().await.map_err(|e| fail("ssm:DeleteParameters", &e))?;
            gone.extend(answer.deleted_parameters.unwrap_or_default());
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::{Answer, Recorder, block_on};

    #[test]
    fn only_parameters_below_the_owners_path_are_swept_ten_at_a_time() {
        let path = |number| format!(r#"{{"Name":"/clusterctl/0011/k{number}","Value":"AQICAHcanary"}}"#);
        let mut found: Vec<String> = (0..12).map(path).collect();
        found.push(r#"{"Name":"/clusterctl/00110/k"}"#.to_owned());
        let (client, recorder) = Recorder::by_action([
            ("GetParametersByPath", Answer::new(200, &format!(r#"{{"Parameters":[{}]}}"#, found.join(",")))),
            ("DeleteParameters", Answer::new(200, "{}")),
        ]);
        let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
        let swept = block_on(Aws::new(client).sweep(&owner)).expect("swept");
        assert_eq!(swept.len(), 12);
        assert!(swept.iter().all(|name| name.starts_with("/clusterctl/0011/k") && !name.contains("canary")));
        let (list, delete) = ("GetParametersByPath", "DeleteParameters");
        assert_eq!(recorder.actions(), [list, delete, delete, list, delete, delete]);
        let body: String = (0..3).map(|index| recorder.line(index)).collect();
        assert!(body.contains(r#""WithDecryption":false"#) && !body.contains("00110"), "{body}");
    }

    #[test]
    fn what_no_list_shows_yet_is_deleted_by_its_name() {
        let lock = "/clusterctl/0011/control-plane/lock/7";
        let list = |names: &str| ("GetParametersByPath", Answer::new(200, &format!(r#"{{"Parameters":[{names}]}}"#)));
        let gone = r#"{"DeletedParameters":["/clusterctl/0011/join/material"]}"#;
        let (client, recorder) = Recorder::by_action([
            list(&format!(r#"{{"Name":"{lock}"}}"#)),
            ("DeleteParameters", Answer::new(200, gone)),
        ]);
        let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
        let swept = block_on(Aws::new(client).sweep(&owner)).expect("swept");
        assert_eq!(swept, [lock, "/clusterctl/0011/join/material"]);
        let asked: String = (3..5).map(|index| recorder.line(index)).collect();
        for name in ["control-plane/key", "control-plane/pki/ca", "control-plane/lock/8", "control-plane/lock/17"] {
            assert!(asked.contains(&format!("\"/clusterctl/0011/{name}\"")), "{name}: {asked}");
        }
    }
}
