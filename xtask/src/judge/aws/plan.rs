//! What a plan says it will do, read from its JSON.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::case::Case;
use super::world::World;

/// What happens to each address that does not stay as it is: `create`, `update`, `replace` or `delete`.
pub(crate) type Actions = BTreeMap<String, String>;

/// Plans, and takes the exit code for a difference from the one that the actions call for as an error.
pub(crate) fn actions(world: &World, case: &Case) -> Result<Actions> {
    let ran = world.run(&["plan", "-f", &case.file, "--detailed-exitcode", "-o", "json"])?;
    let code = ran.code();
    let ran = if code == Some(2) { ran } else { ran.expect(0, "plan")? };
    let plan: Value = serde_json::from_str(&ran.stdout).with_context(|| format!("plan -o json said {}", ran.stdout))?;
    let actions = read(&plan)?;
    anyhow::ensure!(actions.is_empty() == (code == Some(0)), "exit code {code:?} for {} actions", actions.len());
    Ok(actions)
}

fn read(plan: &Value) -> Result<Actions> {
    let changes = plan["changes"].as_array().context("a plan has changes")?;
    let mut actions = Actions::new();
    for change in changes {
        let word = |name: &str| change[name].as_str().with_context(|| format!("{name} of {change}"));
        let action = word("action")?;
        if action != "keep" {
            actions.insert(word("address")?.to_owned(), action.to_owned());
        }
    }
    Ok(actions)
}
