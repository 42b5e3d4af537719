//! A cluster file of tests/cases, made to fit the account it meets, and the edits that a life brings.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::world::World;

/// The group that edits add and remove.
pub(super) const EXTRA: &str = "extra-gpu";

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) cluster: String,
    /// Its network, as decoys have to know it.
    pub(crate) cidr: String,
    /// The file that the command is given.
    pub(crate) file: String,
    content: Value,
}

impl Case {
    pub(super) fn load(world: &World, name: &str) -> Result<Self> {
        let path = world.root.join("tests/cases").join(name).with_extension("yaml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        // JSON in the middle: the file is data here, and nothing in it depends on YAML's own types.
        let content: Value = serde_yaml::from_str(&text).with_context(|| path.display().to_string())?;
        let cluster = content["metadata"]["name"].as_str().context("a name")?.to_owned();
        let cidr = content["spec"]["network"]["cidr"].as_str().unwrap_or("10.20.0.0/16").to_owned();
        let file = world.dir.join("cluster.yaml").display().to_string();
        let mut case = Self { cluster, cidr, file, content };
        case.settle(world)?;
        case.write()?;
        Ok(case)
    }

    /// Makes what the file says is there already, and puts the ids in that it got.
    fn settle(&mut self, world: &World) -> Result<()> {
        let spec = &mut self.content["spec"];
        let zone = (spec["dns"]["visibility"] == "public").then(|| spec["dns"]["zone"].clone());
        let existing = spec["network"].get("existing").cloned();
        if zone.is_none() && existing.is_none() {
            return Ok(());
        }
        let subnets = existing.as_ref().map_or(Value::Null, |existing| existing["subnets"].clone());
        let public_nodes = spec["network"]["topology"] == "public";
        let count = |list: &Value| list.as_array().map_or(0, Vec::len);
        let (private, public) = match (&subnets, public_nodes) {
            (Value::Array(nodes), true) => (0, nodes.len()),
            // What nodes reach the internet through is the owner's affair, and needs a public subnet.
            (Value::Array(nodes), false) => (nodes.len(), 1),
            (split, _) => (count(&split["private"]), count(&split["public"])),
        };
        let wanted = json!({
            "cidr": existing.is_some().then_some(&self.cidr), "private": private, "public": public, "zone": zone,
        });
        let made = world.python("prepare.py", &[&wanted.to_string()])?;
        if existing.is_some() {
            let place = &mut spec["network"]["existing"];
            place["network"] = made["network"].clone();
            place["subnets"] = match (subnets, public_nodes) {
                (Value::Array(_), true) => made["public"].clone(),
                (Value::Array(_), false) => made["private"].clone(),
                (split, _) => split
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(side, _)| (side.clone(), made[side.as_str()].clone()))
                    .collect(),
            };
        }
        Ok(())
    }

    pub(super) fn write(&self) -> Result<()> {
        // JSON is YAML.
        fs::write(PathBuf::from(&self.file), serde_json::to_string_pretty(&self.content)?)?;
        Ok(())
    }

    pub(super) fn apply_args(&self) -> [&str; 4] {
        ["apply", "-f", &self.file, "--yes"]
    }

    pub(super) fn delete_args(&self) -> [&str; 4] {
        ["delete", "cluster", &self.cluster, "--yes"]
    }

    fn groups(&mut self) -> Result<&mut Vec<Value>> {
        let spec = self.content["spec"].as_object_mut().context("a spec")?;
        let groups = spec.entry("nodeGroups").or_insert_with(|| json!([{ "name": "general" }]));
        groups.as_array_mut().context("a list of groups")
    }

    /// The first group.
    pub(super) fn group(&mut self) -> Result<String> {
        Ok(self.groups()?.first().and_then(|group| group["name"].as_str()).context("a group with a name")?.to_owned())
    }

    /// Lets the first group grow further than before.
    pub(super) fn scale(&mut self) -> Result<()> {
        let group = self.groups()?.first_mut().context("a group")?;
        // A group that says nothing has three machines and may have ten.
        let min = group["count"].as_u64().or(group["count"]["min"].as_u64()).unwrap_or(3);
        let max = group["count"].as_u64().or(group["count"]["max"].as_u64()).unwrap_or(10);
        group["count"] = json!({ "min": min, "max": max + 2 });
        self.write()
    }

    pub(super) fn add_gpu_group(&mut self) -> Result<()> {
        self.groups()?.push(json!({
            "name": EXTRA,
            "machine": { "gpu": { "model": "t4", "count": 1 } },
            "capacity": ["spot", "on-demand"],
            "count": { "min": 0, "max": 2 },
        }));
        self.write()
    }

    pub(super) fn remove_gpu_group(&mut self) -> Result<()> {
        self.groups()?.retain(|group| group["name"] != EXTRA);
        self.write()
    }

    /// Tags everything otherwise.
    pub(super) fn set_team(&mut self, team: &str) -> Result<()> {
        self.content["spec"]["options"]["aws"]["tags"] = json!({ "team": team });
        self.write()
    }

    pub(super) fn set_version(&mut self, version: &str) -> Result<()> {
        self.content["spec"]["kubernetes"] = json!(version);
        self.write()
    }
}
