//! A store whose process can be killed at a write.

use async_trait::async_trait;
use bytes::Bytes;
use clusterctl_core::store::{Condition, Key, MemoryStore, Object, Store, StoreError, Version};
use clusterctl_simulator::transport::Simulation;

use super::faults::{Mischief, Write};

#[derive(Debug)]
pub(crate) struct Breaking {
    pub(crate) inner: MemoryStore,
    pub(crate) mischief: Mischief,
    pub(crate) simulation: Simulation,
}

impl Breaking {
    async fn killed<T>(&self) -> T {
        self.simulation.kill();
        std::future::pending().await
    }
}

#[async_trait]
impl Store for Breaking {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.inner.get(key).await
    }

    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError> {
        match self.mischief.next_write() {
            Some(Write::KillBefore) => self.killed().await,
            Some(Write::KillAfter) => {
                self.inner.put(key, bytes, condition).await?;
                self.killed().await
            }
            None => self.inner.put(key, bytes, condition).await,
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }

    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        self.inner.list(above).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
