//! A store in a directory of this machine.

mod disk;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use self::disk::{Disk, RealDisk, create_private_dirs, open_lock_file};
use super::error::StoreError;
use super::key::Key;
use super::object::{Condition, Object, Store, Version};

/// Guards compare-and-swap within one directory, across processes.
const LOCK: &str = ".lock";
/// The next content of an object. Only whoever holds the lock writes it, so one name per directory is enough and what a
/// killed process leaves behind never piles up.
const NEXT: &str = ".next";
/// The lock is held for one small write; whoever waits longer than this waits for a stopped process.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Keeps each object as a file, readable by its owner only.
///
/// A write goes to a temporary file, is synced and renamed, and the directory is synced: it is there whole or not at
/// all, also after a power cut. The version of an object is the digest of its content. Compare and swap happen under an
/// operating system's file lock, so the directory must not lie on a file system without one.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

impl LocalStore {
    /// A store below this directory, which is created by the first write.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), disk: Arc::new(RealDisk) }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Runs blocking work on the threads that are there for it.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|join| Err(StoreError::io("the write was interrupted", io::Error::other(join))))
    }

    fn put_now(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Version, StoreError> {
        let path = self.path(key);
        let dir = path.parent().unwrap_or(&self.root);
        create_private_dirs(&*self.disk, dir).map_err(|e| at("create", dir, e))?;
        let _lock = lock_dir(dir)?;
        let current = read(&path)?.map(|bytes| version_of(&bytes));
        if !condition.allows(current.as_ref()) {
            return Err(StoreError::Conflict { key: key.clone() });
        }
        let next = dir.join(NEXT);
        remove(&next)?;
        if let Err(error) = self.disk.write_new(&next, bytes) {
            // Gives the space back; the error that matters is the first one.
            let _ = fs::remove_file(&next);
            return Err(at("write", &path, error));
        }
        self.disk.rename(&next, &path).map_err(|e| at("replace", &path, e))?;
        self.disk.sync_dir(dir).map_err(|e| at("sync", dir, e))?;
        Ok(version_of(bytes))
    }

    fn delete_now(&self, key: &Key) -> Result<(), StoreError> {
        let path = self.path(key);
        let dir = path.parent().unwrap_or(&self.root);
        if !dir.is_dir() {
            return Ok(());
        }
        let _lock = lock_dir(dir)?;
        remove(&path)?;
        self.disk.sync_dir(dir).map_err(|e| at("sync", dir, e))
    }

    fn list_now(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        let mut found = Vec::new();
        let mut ahead = vec![above.clone()];
        while let Some(key) = ahead.pop() {
            let dir = self.path(&key);
            let entries = match fs::read_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(|e| at("list", &dir, e))?,
            };
            for entry in entries {
                let entry = entry.map_err(|e| at("list", &dir, e))?;
                // The store's own files begin with a dot, which no key does; other foreign names are no keys either.
                let Some(name) = entry.file_name().to_str().and_then(|name| key.join(name).ok()) else { continue };
                let kind = entry.file_type().map_err(|e| at("list", &entry.path(), e))?;
                if kind.is_dir() { ahead.push(name) } else { found.push(name) }
            }
        }
        found.sort();
        Ok(found)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let path = self.path(key);
        self.blocking(
            move |_| Ok(read(&path)?.map(|bytes| Object { version: version_of(&bytes), bytes: bytes.into() })),
        )
        .await
    }

    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError> {
        let key = key.clone();
        self.blocking(move |store| store.put_now(&key, &bytes, &condition)).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |store| store.delete_now(&key)).await
    }

    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        let above = above.clone();
        self.blocking(move |store| store.list_now(&above)).await
    }

    fn describe(&self) -> String {
        self.root.display().to_string()
    }
}

fn version_of(bytes: &[u8]) -> Version {
    Version(super::envelope::hex(&Sha256::digest(bytes)))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", path, error)),
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", path, error)),
        _ => Ok(()),
    }
}

/// Takes the lock of a directory; closing the returned file gives it back, and so does the end of the process.
fn lock_dir(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let file = open_lock_file(&path).map_err(|e| at("open", &path, e))?;
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(at("lock", &path, error)),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            Err(TryLockError::WouldBlock) => {
                let what = format!("another process has held {} for {LOCK_PATIENCE:?}", path.display());
                return Err(StoreError::Unavailable { what, retryable: true });
            }
        }
    }
}

fn at(doing: &str, path: &Path, error: io::Error) -> StoreError {
    StoreError::io(format!("cannot {doing} {}", path.display()), error)
}
