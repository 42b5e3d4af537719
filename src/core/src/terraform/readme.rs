//! The page beside the module.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Settings;
use crate::addr::Addr;
use crate::graph::Graph;

pub(super) fn text<'a>(
    graph: &Graph,
    settings: &Settings,
    contents: &BTreeMap<String, Vec<Addr>>,
    scripts: impl Iterator<Item = &'a String>,
) -> String {
    let mut out = format!("# {}\n\n", settings.title);
    let managed = graph.iter().filter(|node| !node.addr.kind.starts_with("data.")).count();
    let _ = writeln!(
        out,
        "Terraform for this cluster, written by `clusterctl export terraform`: {managed} resources, {} {}.\n",
        settings.provider.source, settings.provider.version
    );
    out.push_str("    terraform init\n    terraform plan\n    terraform apply\n\n");
    match settings.imports.as_ref().map(BTreeMap::len) {
        Some(imported) if imported > 0 => {
            let _ = writeln!(
                out,
                "The cluster is live: `imports.tf` takes over {imported} of its resources, so the first plan should say \
                 `{imported} to import, {} to add` and nothing to destroy. Delete `imports.tf` after the first apply.\n",
                managed.saturating_sub(imported)
            );
        }
        _ => {
            let _ = writeln!(out, "The first plan should say `{managed} to add, 0 to change, 0 to destroy`.\n");
        }
    }
    out.push_str("From the first apply on, Terraform owns the cluster: do not also run `clusterctl apply` on it.\n\n");
    out.push_str("| file | what is in it |\n|---|---|\n");
    out.push_str("| versions.tf, providers.tf | the pins, the provider, a backend to switch on |\n");
    if !settings.variables.is_empty() {
        let names: Vec<&str> = settings.variables.iter().map(|v| v.name.as_str()).collect();
        let _ = writeln!(out, "| variables.tf | {} |", names.join(", "));
    }
    if !settings.outputs.is_empty() {
        let names: Vec<&str> = settings.outputs.iter().map(|o| o.name.as_str()).collect();
        let _ = writeln!(out, "| outputs.tf | {} |", names.join(", "));
    }
    for (file, addrs) in contents {
        let _ = writeln!(out, "| {file} | {} |", kinds(addrs));
    }
    let scripts: Vec<&str> = scripts.map(String::as_str).collect();
    if !scripts.is_empty() {
        let _ = writeln!(
            out,
            "| files/ | {} scripts that nodes run; a mark such as `@{{1}}` is where Terraform puts an output |",
            scripts.len()
        );
    }
    let ladders: Vec<String> =
        graph.iter().filter(|node| !node.ladder.is_empty()).map(|node| format!("`{}`", node.addr)).collect();
    if !ladders.is_empty() {
        let _ = writeln!(
            out,
            "\nTerraform does not fall back when the cloud has no capacity. With their first choice only: {}.",
            ladders.join(", ")
        );
    }
    out
}

/// `2 aws_subnet, 1 aws_vpc`
fn kinds(addrs: &[Addr]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for addr in addrs {
        *counts.entry(addr.kind.as_str()).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    counts.join(", ")
}
