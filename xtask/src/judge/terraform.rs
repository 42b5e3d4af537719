//! The real terraform as judge of the export.
//!
//! Each case is written to a directory of its own and goes through `terraform fmt -check`, `validate` and
//! `plan -refresh=false`; a warning counts as a failure, and the plan must add exactly the resources of the module. The
//! providers are a stub that serves their exact schemas, so nothing is fetched from a registry and no cloud is asked.
//! One more case of our own makes terraform evaluate every short string of HCL's special characters.
#![expect(clippy::print_stdout, reason = "a judge reports on the console")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

#[path = "terraform_strings.rs"]
mod strings;

/// Files of a module by name, with the name of the case.
pub(crate) type Case = (String, BTreeMap<String, String>);

/// How many cases run at once: each is two processes and a schema of megabytes.
const AT_ONCE: usize = 2;

/// What the stub provider needs from PyPI.
const PACKAGES: [&str; 3] = ["grpcio", "grpcio-tools", "msgpack"];

#[derive(Debug)]
pub(crate) enum Verdict {
    Passed(usize),
    Failed(Vec<String>),
    Skipped(String),
}

/// Judges every case, prints a line for each and a last one, and says how it went.
///
/// # Errors
/// When the judge itself cannot work: no Python environment, no disk. What a case does wrong is in the verdict.
pub(crate) fn run(cases: &[Case]) -> Result<Verdict> {
    let judge = match Judge::set_up()? {
        Ok(judge) => judge,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(Verdict::Skipped(reason));
        }
    };
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cases.len()) {
            scope.spawn(|| {
                while let Some((name, files)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    report(name, judge.case(name, files), &failed);
                }
            });
        }
    });
    report("strings", strings::check(&judge), &failed);
    let mut failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort();
    let total = cases.len() + 1;
    println!("terraform {}: {} of {total} cases passed", judge.version, total - failed.len());
    Ok(if failed.is_empty() { Verdict::Passed(total) } else { Verdict::Failed(failed) })
}

fn report(name: &str, outcome: Result<String>, failed: &Mutex<Vec<String>>) {
    match outcome {
        Ok(said) => println!("ok      {name}: {said}"),
        Err(error) => {
            println!("failed  {name}: {error:#}");
            failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(name.to_owned());
        }
    }
}

struct Judge {
    /// Everything the judge makes, under the target directory.
    home: PathBuf,
    python: PathBuf,
    stub: PathBuf,
    /// Merged provider schemas by the provider's short name.
    schemas: BTreeMap<&'static str, PathBuf>,
    version: String,
}

impl Judge {
    /// Sets the judge up, or says why it cannot sit here.
    fn set_up() -> Result<Result<Self, String>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
        let shared = std::env::var_os("CLUSTERCTL_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
        let stub = shared.join("terraform/tf_stub_provider.py");
        if !stub.is_file() {
            return Ok(Err(format!("{} is not there; CLUSTERCTL_SHARED may name its directory", stub.display())));
        }
        let Ok(said) = Command::new("terraform").args(["version", "-json"]).output() else {
            return Ok(Err("terraform is not installed".to_owned()));
        };
        let version: Value = serde_json::from_slice(&said.stdout).context("terraform version -json")?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let home = std::path::absolute(target)?.join("judge");
        fs::create_dir_all(&home)?;
        let python = environment(&home, &shared)?;
        let schemas = schemas(&home, &shared, &root.join("tests/terraform/schema_supplement.json"))?;
        // An empty configuration: what the user of this machine has set up for terraform must not matter.
        fs::write(home.join("terraformrc"), "")?;
        let version = version["terraform_version"].as_str().unwrap_or_default().to_owned();
        Ok(Ok(Self { home, python, stub, schemas, version }))
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
            .env("PYTHONPATH", self.home.join("terraform-stubs"))
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

/// The Python environment of the stub provider, with the code of its protocol generated; made once.
fn environment(home: &Path, shared: &Path) -> Result<PathBuf> {
    let venv = home.join("terraform-venv");
    let python = venv.join("bin/python");
    let stubs = home.join("terraform-stubs");
    let ready = stubs.join("ready");
    if ready.is_file() && python.is_file() {
        return Ok(python);
    }
    println!("setting up {} (once)", venv.display());
    step(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    step(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    fs::create_dir_all(&stubs)?;
    let proto = shared.join("terraform");
    step(
        Command::new(&python)
            .args(["-m", "grpc_tools.protoc"])
            .arg(format!("-I{}", proto.display()))
            .arg(format!("--python_out={}", stubs.display()))
            .arg(format!("--grpc_python_out={}", stubs.display()))
            .arg("tfplugin5.proto"),
    )?;
    fs::write(ready, "")?;
    Ok(python)
}

fn step(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
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
