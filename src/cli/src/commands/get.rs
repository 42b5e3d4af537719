//! `get clusters|nodegroups|resources`: from the record, without a cloud.

use serde_json::{Value, json};

use super::{Desk, Done};
use crate::args::{Format, Get, GetWhat};
use crate::failure::Failure;
use crate::operations::inspect::{Entry, cluster, clusters};
use crate::operations::load::Wanted;
use crate::views::cluster as view;
use crate::views::data::document;
use crate::views::{annotated, table};

pub(crate) async fn run(desk: &Desk, args: &Get) -> Result<Done, Failure> {
    match &args.what {
        GetWhat::Clusters { name: Some(name), output, show_defaults } => {
            one(desk, &cluster(&desk.app, name).await?, output.format, *show_defaults)?;
        }
        GetWhat::Clusters { name: None, output, .. } => many(desk, &clusters(&desk.app).await?, output.format)?,
        GetWhat::Nodegroups { name, output } => {
            let entries = match name {
                Some(name) => vec![cluster(&desk.app, name).await?],
                None => clusters(&desk.app).await?,
            };
            let groups: Vec<Value> =
                entries.iter().filter_map(|entry| entry.state.as_ref().ok()).flat_map(view::groups).collect();
            let rows: Vec<Vec<String>> = groups.iter().map(view::group_row).collect();
            let names = rows.iter().filter_map(|row| row.get(1).cloned()).collect();
            show(desk, output.format, "NodeGroupList", groups, &names, &table::table(view::GROUP_HEADS, &rows))?;
        }
        GetWhat::Resources { name, output } => resources(desk, &cluster(&desk.app, name).await?, output.format)?,
    }
    Ok(Done::Well)
}

/// The user's own text where a file is asked for, so that it can be edited and applied.
fn one(desk: &Desk, entry: &Entry, format: Format, show_defaults: bool) -> Result<(), Failure> {
    let state = match &entry.state {
        Ok(state) => state,
        Err(error) => return Err(error.clone().into()),
    };
    match (format, show_defaults) {
        (Format::Yaml, true) => {
            let wanted = Wanted::recorded(state)?;
            desk.console.data(&annotated::yaml(&state.spec.resolved, wanted.cluster.defaults()));
            Ok(())
        }
        (Format::Yaml, false) => {
            // A record without a file says so.
            desk.console.data(&Wanted::recorded(state)?.text);
            Ok(())
        }
        (Format::Json, true) => {
            let wanted = Wanted::recorded(state)?;
            let data = json!({ "cluster": state.spec.resolved, "defaults": wanted.cluster.defaults() });
            desk.print(format, &document("ClusterFile", data))
        }
        (Format::Json, false) => desk.print(format, &document("Cluster", view::cluster_data(entry))),
        (Format::Table | Format::Wide | Format::Name, _) => many(desk, std::slice::from_ref(entry), format),
    }
}

fn many(desk: &Desk, entries: &[Entry], format: Format) -> Result<(), Failure> {
    let heads = if format == Format::Wide { view::CLUSTER_HEADS_WIDE } else { view::CLUSTER_HEADS };
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| view::cluster_row(entry, &*desk.app.clock).into_iter().take(heads.len()).collect())
        .collect();
    if rows.is_empty() && matches!(format, Format::Table | Format::Wide) {
        desk.console.say(&format!("No cluster is recorded in {}.", desk.app.settings.store));
        return Ok(());
    }
    let names = entries.iter().map(|entry| entry.name.clone()).collect();
    let items = entries.iter().map(view::cluster_data).collect();
    show(desk, format, "ClusterList", items, &names, &table::table(heads, &rows))
}

fn resources(desk: &Desk, entry: &Entry, format: Format) -> Result<(), Failure> {
    let state = match &entry.state {
        Ok(state) => state,
        Err(error) => return Err(error.clone().into()),
    };
    let items = state
        .resources
        .iter()
        .map(|(addr, r)| json!({ "address": addr, "id": r.id, "needs": r.depends, "outputs": r.outputs }))
        .collect();
    let rows: Vec<Vec<String>> = state
        .resources
        .iter()
        .map(|(addr, recorded)| {
            let needs: Vec<&str> = recorded.depends.iter().map(String::as_str).collect();
            let mut row = vec![addr.clone(), recorded.id.clone()];
            if format == Format::Wide {
                row.push(needs.join(" "));
            }
            row
        })
        .collect();
    let heads: &[&str] = if format == Format::Wide { &["ADDRESS", "ID", "NEEDS"] } else { &["ADDRESS", "ID"] };
    let names = state.resources.keys().cloned().collect();
    show(desk, format, "ResourceList", items, &names, &table::table(heads, &rows))
}

fn show(
    desk: &Desk,
    format: Format,
    kind: &str,
    items: Vec<Value>,
    names: &Vec<String>,
    table: &str,
) -> Result<(), Failure> {
    match format {
        Format::Json | Format::Yaml => return desk.print(format, &document(kind, json!({ "items": items }))),
        Format::Name => names.iter().for_each(|name| desk.console.data(&format!("{name}\n"))),
        Format::Table | Format::Wide => desk.console.data(table),
    }
    Ok(())
}
