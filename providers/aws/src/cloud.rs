//! AWS as the engine sees it.

use async_trait::async_trait;
use clusterctl_core::cloud::{AnyDriver, Cloud, CloudError, Observed, Owner, Scope};
use clusterctl_core::graph::Kind;

use crate::client::{Client, fail};
use crate::drivers::Drivers;
use crate::{names, observe, resources};

#[derive(Debug)]
pub struct Aws {
    client: Client,
    drivers: Drivers,
}

impl Aws {
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { drivers: Drivers::new(&client), client }
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
        observe::observe(&self.client, owner, scope).await
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
        let request = self.client.ssm.get_parameters_by_path().path(names::secrets_path(&owner.uid));
        let pages = request.recursive(true).with_decryption(false).into_paginator().send();
        let pages: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(|e| fail("ssm:GetParametersByPath", &e))?;
        let found = pages.into_iter().flat_map(|page| page.parameters.unwrap_or_default());
        let ours = |name: &String| name.starts_with(&format!("{}/", names::secrets_path(&owner.uid)));
        let names: Vec<String> = found.filter_map(|parameter| parameter.name).filter(ours).collect();
        for some in names.chunks(SWEEP) {
            // A name that is not there any more is listed in the answer and is no error.
            let request = self.client.ssm.delete_parameters().set_names(Some(some.to_vec()));
            request.send().await.map_err(|e| fail("ssm:DeleteParameters", &e))?;
        }
        Ok(names)
    }
}
