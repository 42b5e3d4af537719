//! `version`: which of the two clusterctl's this is.

use serde_json::json;

use crate::args::{Format, Version};
use crate::commands::Done;
use crate::failure::Failure;
use crate::output::Console;
use crate::views::data::{self, document};

const PROJECT: &str = env!("CARGO_PKG_REPOSITORY");

pub(crate) fn run(args: &Version, console: &Console) -> Result<Done, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let clouds: Vec<&str> = crate::providers::all().iter().map(|provider| provider.name()).collect();
    let kubernetes: Vec<String> =
        clusterctl_core::names::version::SUPPORTED.iter().map(ToString::to_string).collect();
    match args.output.format {
        format @ (Format::Json | Format::Yaml) => {
            let data = json!({
                "version": version,
                "project": PROJECT,
                "clusterApi": false,
                "clouds": clouds,
                "kubernetes": kubernetes,
            });
            console.data(&data::text(format, &document("Version", data))?);
        }
        Format::Name => console.data(&format!("{version}\n")),
        Format::Table | Format::Wide => console.data(&format!(
            "clusterctl {version} ({PROJECT})\n\
             Kubernetes clusters from one cluster file; not the clusterctl of Cluster API.\n\
             clouds: {}\nkubernetes: {}\n",
            clouds.join(", "),
            kubernetes.join(", ")
        )),
    }
    Ok(Done::Well)
}
