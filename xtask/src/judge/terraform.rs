//! The real terraform as judge of the export.
//!
//! Each case is written to a directory of its own and goes through `terraform fmt -check`, `validate` and
//! `plan -refresh=false`; a warning counts as a failure, and the plan must add exactly the resources of the module. The
//! providers are a stub that serves their exact schemas, so nothing is fetched from a registry and no cloud is asked.
//! One more case of our own makes terraform evaluate every short string of HCL's special characters.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{Options, Sitting, Tally, two_at_a_time};
use crate::ground::{Ground, step};

mod strings;

/// Files of a module by name, with the name of the case.
type Case = (String, BTreeMap<String, String>);

/// Judges the Terraform of every golden case.
pub(super) fn run(ground: &Ground, options: &Options) -> Sitting {
    let judge = match Judge::set_up(ground)? {
        Ok(judge) => judge,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut cases = golden(&ground.root.join("tests/cases"))?;
    cases.retain(|(name, _)| options.wants(name));
    let tally = Tally::default();
    super::say(&format!("terraform {}", judge.version));
    two_at_a_time(&cases, |(name, files)| tally.case(name, || judge.case(name, files)));
    if options.wants("strings") {
        tally.case("strings", || strings::check(&judge));
    }
    Ok(Ok(tally))
}

/// The files under `CASE/terraform` of every case.
fn golden(dir: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let module = entry?.path().join("terraform");
        let Some(name) = module.parent().and_then(Path::file_name) else { continue };
        let name = name.to_string_lossy().into_owned();
        if !module.is_dir() {
            continue;
        }
        let mut files = BTreeMap::new();
        read_module(&module, &module, &mut files)?;
        cases.push((name, files));
    }
    cases.sort();
    ensure!(!cases.is_empty(), "{} holds no case", dir.display());
    Ok(cases)
}

fn read_module(module: &Path, dir: &Path, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            read_module(module, &path, files)?;
        } else {
            let name = path.strip_prefix(module)?.to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

struct Judge {
    /// Everything the judge makes, under the target directory.
    home: PathBuf,
    python: PathBuf,
    stub: PathBuf,
    /// Merged provider schemas by the provider's short name.
    schemas: BTreeMap<&'static str, PathBuf>,
    /// Code of the plugin protocol.
    stubs: PathBuf,
    version: String,
}

impl Judge {
    /// Sets the judge up, or says why it cannot sit here.
    fn set_up(ground: &Ground) -> Result<Result<Self, String>> {
        let stub = match ground.shared("terraform/tf_stub_provider.py") {
            Ok(stub) => stub,
            Err(reason) => return Ok(Err(reason)),
        };
        let Ok(said) = Command::new("terraform").args(["version", "-json"]).output() else {
            return Ok(Err("terraform is not installed".to_owned()));
        };
        let version: Value = serde_json::from_slice(&said.stdout).context("terraform version -json")?;
        let python = match ground.python()? {
            Ok(python) => python,
            Err(reason) => return Ok(Err(reason)),
        };
        let shared = stub.parent().and_then(Path::parent).context("the stub lies in the shared directory")?.to_owned();
        let home = ground.judge_dir()?;
        let stubs = protocol(&python, &shared)?;
        let root = &ground.root;
        let schemas = schemas(&home, &shared, &root.join("tests/terraform/schema_supplement.json"))?;
        // An empty configuration: what the user of this machine has set up for terraform must not matter.
        fs::write(home.join("terraformrc"), "")?;
        let version = version["terraform_version"].as_str().unwrap_or_default().to_owned();
        Ok(Ok(Self { home, python, stub, schemas, stubs, version }))
    }

    fn case(&self, name: &str, files: &BTreeMap<String, String>) -> Result<String> {
        let dir = self.write(name, files)?;
        self.terraform(&dir, &["fmt", "-check", "-diff", "-recursive"])?;
        let said = self.terraform(&dir, &["validate", "-no-color"])?;
        ensure!(!said.contains("Warning:"), "validate warns:\n{said}");
        if files.contains_key("imports.tf") {
            return Ok("formatted, valid; not planned, since an import reads the live cloud".to_owned());
        }
        let said = self.terraform(&dir, &["plan", "-refresh=false", "-input=false", "-lock=false", "-no-color"])?;
        ensure!(!said.contains("Warning:"), "plan warns:\n{said}");
        let count: usize = files
            .iter()
            .filter(|(file, _)| file.ends_with(".tf"))
            .map(|(_, text)| text.lines().filter(|line| line.starts_with("resource ")).count())
            .sum();
        let wanted = if count == 0 {
            "No changes.".to_owned()
        } else {
            format!("Plan: {count} to add, 0 to change, 0 to destroy.")
        };
        ensure!(said.contains(&wanted), "the plan does not say `{wanted}`:\n{}", tail(&said));
        Ok(format!("formatted, valid, {count} to add"))
    }

    /// Writes a case to its own, fresh directory.
    fn write(&self, name: &str, files: &BTreeMap<String, String>) -> Result<PathBuf> {
        ensure!(!name.is_empty() && !name.contains(['/', '.']), "`{name}` is no name for a case");
        let dir = self.home.join("terraform").join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        for (file, text) in files {
            let path = dir.join(file);
            fs::create_dir_all(path.parent().context("a file lies in a directory")?)?;
            fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        Ok(dir)
    }

    /// Runs terraform with the stub providers that the case names, and gives what it said.
    fn terraform(&self, dir: &Path, args: &[&str]) -> Result<String> {
        let versions = fs::read_to_string(dir.join("versions.tf")).unwrap_or_default();
        let mut command = Command::new(&self.python);
        command.arg("-B").arg(&self.stub);
        for (name, schema) in &self.schemas {
            if versions.contains(&format!("\"hashicorp/{name}\"")) {
                command.arg(schema);
            }
        }
        let output = command
            .args(["--", "terraform"])
            .args(args)
            .current_dir(dir)
            .env("PYTHONPATH", &self.stubs)
            .env("TF_CLI_CONFIG_FILE", self.home.join("terraformrc"))
            .env("TF_IN_AUTOMATION", "1")
            .output()
            .context("running the stub provider")?;
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            said.push_str(&String::from_utf8_lossy(&output.stderr));
            bail!("terraform {} failed:\n{}", args.join(" "), tail(&said));
        }
        Ok(said)
    }
}

/// The last lines of what was said; a plan of a thousand nodes is long.
fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// Generates the code of the stub provider's protocol, once for each environment.
fn protocol(python: &Path, shared: &Path) -> Result<PathBuf> {
    let stubs = python.ancestors().nth(2).context("Python lies in an environment")?.join("terraform-stubs");
    let ready = stubs.join("ready");
    if ready.is_file() {
        return Ok(stubs);
    }
    fs::create_dir_all(&stubs)?;
    let proto = shared.join("terraform");
    step(
        Command::new(python)
            .args(["-m", "grpc_tools.protoc"])
            .arg(format!("-I{}", proto.display()))
            .arg(format!("--python_out={}", stubs.display()))
            .arg(format!("--grpc_python_out={}", stubs.display()))
            .arg("tfplugin5.proto"),
    )?;
    fs::write(ready, "")?;
    Ok(stubs)
}

/// The shared schemas with our supplement merged in: resource types that they lack.
fn schemas(home: &Path, shared: &Path, supplement: &Path) -> Result<BTreeMap<&'static str, PathBuf>> {
    let more = read_json(supplement)?;
    let mut found = BTreeMap::new();
    for name in ["aws", "azurerm", "google"] {
        let mut schema = read_json(&shared.join(format!("conformance/tf_{name}.json")))?;
        let providers = schema["provider_schemas"].as_object_mut().context("a schema has providers")?;
        for (address, provider) in providers {
            for part in ["resource_schemas", "data_source_schemas"] {
                let Some(extra) = more["provider_schemas"][address][part].as_object() else { continue };
                let Some(known) = provider[part].as_object_mut() else { continue };
                for (kind, block) in extra {
                    ensure!(!known.contains_key(kind), "the supplement repeats {kind}");
                    known.insert(kind.clone(), block.clone());
                }
            }
        }
        let path = home.join(format!("tf_{name}.json"));
        fs::write(&path, serde_json::to_vec(&schema)?)?;
        found.insert(name, path);
    }
    Ok(found)
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}
