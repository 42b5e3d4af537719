//! A world in a file, so that several processes see one account.
//!
//! The file is replaced whole before a request that changed something is answered: whoever is killed afterwards has
//! lost nothing but the answer, as with a real cloud.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::transport::Keep;
use crate::world::World;

/// The keeper of a world in a file.
#[derive(Debug)]
pub struct FileWorld {
    path: PathBuf,
    lock: File,
    /// The file as it was read or written last.
    seen: Option<(SystemTime, u64)>,
}

impl FileWorld {
    /// Opens the world at `path`, or begins `new`.
    ///
    /// # Errors
    /// In words, when it cannot be read or written.
    pub fn open(path: &Path, new: impl FnOnce() -> World) -> Result<(World, Self), String> {
        let failed = |e: io::Error| format!("{}: {e}", path.display());
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(failed)?;
        }
        let lock = File::options().create(true).truncate(false).write(true).open(path.with_extension("lock"));
        let mut file = Self { path: path.to_owned(), lock: lock.map_err(failed)?, seen: None };
        let world = match file.take()? {
            Some(world) => world,
            None => {
                let world = new();
                file.give(&world, true)?;
                return Ok((world, file));
            }
        };
        file.give(&world, false)?;
        Ok((world, file))
    }

    fn state(&self) -> Option<(SystemTime, u64)> {
        let about = fs::metadata(&self.path).ok()?;
        Some((about.modified().ok()?, about.len()))
    }

    fn failed(&self, error: impl std::fmt::Display) -> String {
        format!("the simulated account in {}: {error}", self.path.display())
    }
}

impl Keep for FileWorld {
    fn take(&mut self) -> Result<Option<World>, String> {
        // Others hold it for the length of one request. Whoever was stopped in the middle holds it for longer.
        let mut tries = 0;
        loop {
            match self.lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < 1000 => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::WouldBlock) => return Err(self.failed("another process has held it for seconds")),
                Err(TryLockError::Error(error)) => return Err(self.failed(error)),
            }
            tries += 1;
        }
        let now = self.state();
        if now.is_none() || now == self.seen {
            return Ok(None);
        }
        let text = fs::read(&self.path).map_err(|e| self.failed(e))?;
        let world = serde_json::from_slice(&text)
            .map_err(|e| self.failed(format!("it cannot be read: {e}; remove the file to begin with a new account")))?;
        self.seen = now;
        Ok(Some(world))
    }

    fn give(&mut self, world: &World, changed: bool) -> Result<(), String> {
        if changed {
            let next = self.path.with_extension("next");
            let text = serde_json::to_vec(world).map_err(|e| self.failed(e))?;
            let written = File::create(&next).and_then(|mut file| file.write_all(&text));
            written.and_then(|()| fs::rename(&next, &self.path)).map_err(|e| self.failed(e))?;
            self.seen = self.state();
        }
        self.lock.unlock().map_err(|e| self.failed(e))
    }
}
