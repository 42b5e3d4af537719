//! What boto3 saw of a whole account, and how two such readings differ.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::world::REGION;

/// Tags that say whose a resource is and which; written out here on purpose, since the judge must not learn them from
/// the code it judges.
const UID: &str = "clusterctl.dev/uid";
const ADDRESS: &str = "clusterctl.dev/address";
const GROUP: &str = "aws:autoscaling:groupName";

/// How many of each kind.
pub(crate) type Shape = BTreeMap<String, usize>;

/// A process that reads the account whenever it is asked.
#[derive(Debug)]
pub(crate) struct Account {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    errors: std::path::PathBuf,
}

#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) services: BTreeSet<String>,
    /// By kind, then by id.
    pub(crate) found: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Credentials for moto as root sees it.
pub(crate) fn environment(command: &mut Command) -> &mut Command {
    command
        .env("AWS_ACCESS_KEY_ID", "root")
        .env("AWS_SECRET_ACCESS_KEY", "root")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_ENDPOINT_URL")
        .env_remove("AWS_SESSION_TOKEN")
}

impl Account {
    pub(super) fn start(python: &Path, script: &Path, port: u16, dir: &Path) -> Result<Self> {
        let errors = dir.join("account.err");
        let mut child =
            environment(Command::new(python).arg("-B").arg(script).arg(format!("http://127.0.0.1:{port}")).arg(REGION))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(std::fs::File::create(&errors)?)
                .spawn()?;
        let ask = child.stdin.take().context("a pipe to the reader")?;
        let answers = BufReader::new(child.stdout.take().context("a pipe from the reader")?);
        Ok(Self { child, ask, answers, errors })
    }

    pub(crate) fn read(&mut self) -> Result<Reading> {
        writeln!(self.ask, "read")?;
        self.ask.flush()?;
        let mut line = String::new();
        let length = self.answers.read_line(&mut line)?;
        ensure!(length > 0, "the account cannot be read; see {}", self.errors.display());
        let answer: Value = serde_json::from_str(&line)?;
        Ok(Reading {
            services: strings(&answer["services"]).collect(),
            found: serde_json::from_value(answer["found"].clone())?,
        })
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn strings(value: &Value) -> impl Iterator<Item = String> + '_ {
    value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(ToOwned::to_owned))
}

impl Reading {
    /// How `now` differs from this, one line a thing.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let kinds: BTreeSet<&String> = self.found.keys().chain(now.found.keys()).collect();
        let none = BTreeMap::new();
        for kind in kinds {
            let (was, is) = (self.found.get(kind).unwrap_or(&none), now.found.get(kind).unwrap_or(&none));
            for (id, old) in was {
                match is.get(id) {
                    None => lines.push(format!("{kind} {id} is gone")),
                    Some(new) if new != old => lines.push(format!("{kind} {id} changed: {}", changed(old, new))),
                    Some(_) => {}
                }
            }
            for (id, new) in is.iter().filter(|(id, _)| !was.contains_key(*id)) {
                lines.push(format!("{kind} {id} is new: {}", cut(&Value::from_iter(tags(new)))));
            }
        }
        lines
    }

    /// The kinds in which `now` differs from this.
    pub(crate) fn kinds_changed(&self, now: &Self) -> BTreeSet<String> {
        let kinds: BTreeSet<&String> = self.found.keys().chain(now.found.keys()).collect();
        kinds.into_iter().filter(|kind| self.found.get(*kind) != now.found.get(*kind)).cloned().collect()
    }

    /// How many of each kind there are more than in `before`.
    pub(crate) fn since(&self, before: &Self) -> Shape {
        let mut shape = Shape::new();
        for (kind, things) in &self.found {
            let new =
                things.keys().filter(|id| before.found.get(kind).is_none_or(|was| !was.contains_key(*id))).count();
            // Tags are counted with what carries them, and interfaces of moto's own making are excused only at the end.
            if new > 0 && kind != "tag" {
                shape.insert(kind.clone(), new);
            }
        }
        shape
    }

    /// Addresses of which one owner has more than one.
    pub(crate) fn duplicates(&self) -> Vec<String> {
        let mut seen: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
        for (kind, things) in self.found.iter().filter(|(kind, _)| *kind != "tag") {
            for (id, thing) in things {
                let tags: BTreeMap<String, String> = tags(thing).collect();
                // A group's machines carry the tags of the group.
                if let (Some(uid), Some(address), false) = (tags.get(UID), tags.get(ADDRESS), tags.contains_key(GROUP))
                {
                    seen.entry((kind.clone(), uid.clone(), address.clone())).or_default().push(id.clone());
                }
            }
        }
        seen.into_iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(|((kind, uid, address), ids)| format!("{kind} {address} of {uid}: {}", ids.join(", ")))
            .collect()
    }
}

/// The tags of a thing, whatever the service calls them.
fn tags(thing: &Value) -> impl Iterator<Item = (String, String)> {
    let lists = ["Tags", "TagSet", "TagList"].into_iter().filter_map(|name| thing[name].as_array());
    lists.flatten().filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned())))
}

/// The fields in which two readings of a thing differ.
fn changed(old: &Value, new: &Value) -> String {
    let (Some(was), Some(is)) = (old.as_object(), new.as_object()) else {
        return format!("{} to {}", cut(old), cut(new));
    };
    let fields: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let lines: Vec<String> = fields
        .into_iter()
        .filter(|field| was.get(*field) != is.get(*field))
        .map(|field| format!("{field} {} to {}", cut(&old[field.as_str()]), cut(&new[field.as_str()])))
        .collect();
    lines.join(", ")
}

fn cut(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 160 { text } else { format!("{}…", text.chars().take(160).collect::<String>()) }
}
