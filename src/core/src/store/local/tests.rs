use std::sync::Mutex;

use super::*;

/// A disk that fails at one step, after having done half of it.
#[derive(Debug)]
struct BadDisk(Mutex<Option<Step>>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Full,
    FsyncFile,
    Rename,
    FsyncDir,
}

impl BadDisk {
    fn fails(&self, step: Step) -> bool {
        *self.0.lock().expect("not poisoned") == Some(step)
    }
}

impl Disk for BadDisk {
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.fails(Step::Full) {
            fs::write(path, &bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        fs::write(path, bytes)?;
        if self.fails(Step::FsyncFile) { Err(io::Error::other("EIO")) } else { Ok(()) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.fails(Step::Rename) { Err(io::Error::other("EIO")) } else { fs::rename(from, to) }
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        if self.fails(Step::FsyncDir) { Err(io::Error::other("EIO")) } else { Ok(()) }
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

#[tokio::test]
async fn what_was_put_is_read_and_listed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::new(dir.path().join("not/yet/there"));
    assert_eq!(store.get(&key("a/b.json")).await.expect("a read"), None);
    assert_eq!(store.list(&key("a")).await.expect("a list"), []);
    store.delete(&key("a/b.json")).await.expect("deleting nothing is fine");

    let version = store.put(&key("a/b.json"), "one".into(), Condition::Absent).await.expect("a write");
    store.put(&key("a/c/d.json"), "two".into(), Condition::Any).await.expect("a write");
    store.put(&key("ab/e.json"), "three".into(), Condition::Any).await.expect("a write");
    let object = store.get(&key("a/b.json")).await.expect("a read").expect("an object");
    assert_eq!((&object.bytes[..], object.version), (&b"one"[..], version));
    assert_eq!(store.list(&key("a")).await.expect("a list"), [key("a/b.json"), key("a/c/d.json")]);

    store.delete(&key("a/b.json")).await.expect("a deletion");
    assert_eq!(store.list(&key("a")).await.expect("a list"), [key("a/c/d.json")]);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::new(dir.path().join("store"));
    store.put(&key("a/b.json"), "one".into(), Condition::Any).await.expect("a write");
    let mode = |path: &str| fs::metadata(dir.path().join(path)).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(["store", "store/a", "store/a/b.json", "store/a/.lock"].map(mode), [0o700, 0o700, 0o600, 0o600],);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_under_one_condition_one_wins() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::new(dir.path());
    let key = key("a/counter");
    store.put(&key, "0".into(), Condition::Absent).await.expect("a write");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (store, key) = (store.clone(), key.clone());
        tasks.spawn(async move {
            let mut won = 0;
            while won < 10 {
                let object = store.get(&key).await.expect("a read").expect("an object");
                let count: u32 = std::str::from_utf8(&object.bytes).expect("text").parse().expect("a number");
                match store.put(&key, (count + 1).to_string().into(), Condition::Matches(object.version)).await {
                    Ok(_) => won += 1,
                    Err(StoreError::Conflict { .. }) => {}
                    Err(other) => unreachable!("{other}"),
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a writer finishes");
    }
    assert_eq!(store.get(&key).await.expect("a read").expect("an object").bytes, "50");
}

#[tokio::test]
async fn a_failing_disk_is_an_error_and_never_a_torn_object() {
    for step in [Step::Full, Step::FsyncFile, Step::Rename, Step::FsyncDir] {
        let dir = tempfile::tempdir().expect("a directory");
        let disk = Arc::new(BadDisk(Mutex::new(None)));
        let store = LocalStore { root: dir.path().into(), disk: disk.clone() };
        let version = store.put(&key("a/b"), "the old text".into(), Condition::Absent).await.expect("a write");

        *disk.0.lock().expect("not poisoned") = Some(step);
        let error = store.put(&key("a/b"), "the new text".into(), Condition::Matches(version)).await;
        let error = error.expect_err("the disk fails");
        assert_eq!(matches!(error, StoreError::Full { .. }), step == Step::Full, "{error}");
        assert!(error.is_ambiguous(), "{error}");
        let there = store.get(&key("a/b")).await.expect("a read").expect("an object").bytes;
        assert_eq!(there, if step == Step::FsyncDir { "the new text" } else { "the old text" });

        *disk.0.lock().expect("not poisoned") = None;
        store.put(&key("a/b"), "the newest text".into(), Condition::Any).await.expect("the disk works again");
        assert_eq!(store.list(&key("a")).await.expect("a list"), [key("a/b")]);
    }
}

/// A real full device answers as the rehearsed one does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_told_apart() {
    use std::io::Write;
    let mut full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device that is always full");
    let error = full.write_all(b"x").expect_err("no space");
    assert!(matches!(at("write", Path::new("/dev/full"), error), StoreError::Full { .. }));
}

#[tokio::test]
async fn a_leftover_of_a_killed_writer_is_no_hindrance() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LocalStore::new(dir.path());
    fs::create_dir(dir.path().join("a")).expect("a directory");
    fs::write(dir.path().join("a/.next"), "half an obj").expect("a leftover");
    assert_eq!(store.list(&key("a")).await.expect("a list"), []);
    store.put(&key("a/b"), "one".into(), Condition::Absent).await.expect("a write");
    assert_eq!(store.get(&key("a/b")).await.expect("a read").expect("an object").bytes, "one");
}
