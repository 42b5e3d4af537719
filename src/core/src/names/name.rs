//! Names that users choose, and names and ids that clouds give.

use super::{Invalid, shown, text_word};

const CLUSTER_RIGHT: &str =
    "lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 28";
const GROUP_RIGHT: &str =
    "lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit, at most 20";

/// Words that mean something else where a cluster's or a group's name is used: in paths, commands and tags.
///
/// The Windows device names are there because a cluster's name becomes a directory of the local store.
const RESERVED: &[(&str, &str)] = &[
    ("aux", "Windows takes it for a device"),
    ("con", "Windows takes it for a device"),
    ("nul", "Windows takes it for a device"),
    ("prn", "Windows takes it for a device"),
    ("all", "commands take it for every cluster"),
    ("cluster", "commands take it for a kind"),
    ("clusters", "commands take it for a kind"),
    ("default", "it says nothing about which cluster is meant"),
    ("false", "YAML reads it as no word"),
    ("true", "YAML reads it as no word"),
    ("kubernetes", "the API server's own service has this name"),
    ("none", "it reads as the absence of a name"),
    ("null", "YAML reads it as the absence of a name"),
];

/// Words that are roles of machines already, so that a node group cannot be called so.
const ROLES: &[(&str, &str)] = &[
    ("bastion", "the bastion's machine has this name"),
    ("control-plane", "the control plane's machines have this name"),
    ("main", "the network's resources have this name"),
];

fn dns_label(text: &str, limit: usize, right: &str) -> Result<(), Invalid> {
    Invalid::unless_sized(text, limit, right)?;
    let bad = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'));
    if let Some(bad) = bad {
        let suggestion = slug(text, limit);
        return Err(Invalid::shape(
            format!("{} has {}, which is not allowed", shown(text), shown(&bad.to_string())),
            if suggestion.is_empty() { right.to_owned() } else { format!("{suggestion}: {right}") },
        ));
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(Invalid::shape(format!("{} does not start with a letter", shown(text)), right));
    }
    if text.ends_with('-') {
        return Err(Invalid::shape(format!("{} ends with a hyphen", shown(text)), right));
    }
    Ok(())
}

/// The nearest name of the right shape, or nothing.
fn slug(text: &str, limit: usize) -> String {
    let mapped: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(limit)
        .collect();
    mapped.trim_matches(|c: char| c == '-').trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned()
}

fn not_reserved(text: &str, words: &[(&str, &'static str)], right: &str) -> Result<(), Invalid> {
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, because)) => {
            Err(Invalid::Reserved { text: text.to_owned(), because, right: format!("another name: {right}") })
        }
        None => Ok(()),
    }
}

text_word!(
    /// The name of a cluster.
    ///
    /// At most 28 characters, so that every name made from it fits each cloud's limit (the shortest is 32).
    ClusterName,
    |text| {
        dns_label(text, 28, CLUSTER_RIGHT)?;
        not_reserved(text, RESERVED, CLUSTER_RIGHT)
    },
    "cluster-name",
    r"^[a-z]([-a-z0-9]{0,26}[a-z0-9])?$",
    "Name of the cluster: lower-case letters, digits and hyphens, at most 28.",
    "demo"
);

text_word!(
    /// The name of a node group, unique in its cluster.
    GroupName,
    |text| {
        dns_label(text, 20, GROUP_RIGHT)?;
        not_reserved(text, RESERVED, GROUP_RIGHT)?;
        not_reserved(text, ROLES, GROUP_RIGHT)
    },
    "group-name",
    r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$",
    "Name of the node group: lower-case letters, digits and hyphens, at most 20.",
    "general"
);

fn cloud_word(text: &str, limit: usize, more: &[char], right: &str) -> Result<(), Invalid> {
    Invalid::unless_sized(text, limit, right)?;
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || more.contains(c))) {
        return Err(Invalid::shape(
            format!("{} has {}, which is not allowed", shown(text), shown(&bad.to_string())),
            right,
        ));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(Invalid::shape(format!("{} does not start with a letter or digit", shown(text)), right));
    }
    Ok(())
}

text_word!(
    /// A region as its cloud calls it: `eu-central-1`, `westeurope`, `RegionOne`.
    ///
    /// Whether the cloud has it is for the cloud to say; here only what could never be one is refused.
    RegionName,
    |text| cloud_word(text, 63, &['-', '_', '.'], "a region as the cloud calls it, as in eu-central-1"),
    "region-name",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    "Region as the cloud calls it.",
    "eu-central-1"
);

text_word!(
    /// An availability zone as its cloud calls it: `eu-central-1a`, `europe-west1-b`, `1`, `nova`.
    ZoneName,
    |text| cloud_word(text, 63, &['-', '_', '.'], "a zone as the cloud calls it, as in eu-central-1a"),
    "zone-name",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    "Availability zone as the cloud calls it.",
    "eu-central-1a"
);

text_word!(
    /// A machine type as its cloud calls it: `m7i.xlarge`, `n2-standard-4`, `Standard_D4s_v5`.
    MachineType,
    |text| cloud_word(text, 63, &['-', '_', '.'], "a machine type as the cloud calls it, as in m7i.xlarge"),
    "machine-type",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    "Machine type as the cloud calls it.",
    "m7i.xlarge"
);

text_word!(
    /// The id of something that exists in a cloud already and is not ours: a network, a subnet.
    ResourceId,
    |text| {
        // Azure writes ids as paths: they start with a slash and are long.
        let rest = text.strip_prefix('/').unwrap_or(text);
        cloud_word(rest, 400, &['-', '_', '.', '/', ':'], "the id that the cloud shows, as in vpc-0abc1234")?;
        if rest.split('/').any(|part| part == "..") {
            return Err(Invalid::shape(
                format!("{} climbs out of its own path", shown(text)),
                "the id that the cloud shows, as in vpc-0abc1234",
            ));
        }
        Ok(())
    },
    "resource-id",
    r"^/?[A-Za-z0-9][A-Za-z0-9._/:-]{0,399}$",
    "Id of something that exists in the cloud already.",
    "vpc-0abc1234"
);

fn hex_id(text: &str, prefix: &str, right: &str) -> Result<(), Invalid> {
    Invalid::unless_sized(text, 40, right)?;
    let hex = text
        .strip_prefix(prefix)
        .filter(|hex| (8..=17).contains(&hex.len()) && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
    match hex {
        Some(_) => Ok(()),
        None => Err(Invalid::shape(format!("{} is not such an id", shown(text)), right)),
    }
}

text_word!(
    /// The id of an Amazon machine image.
    AmiId,
    |text| hex_id(text, "ami-", "ami- and 8 to 17 hexadecimal digits, as in ami-0123456789abcdef0"),
    "ami-id",
    r"^ami-[0-9a-f]{8,17}$",
    "Id of an Amazon machine image.",
    "ami-0123456789abcdef0"
);

text_word!(
    /// The id of an AWS capacity reservation.
    CapacityReservationId,
    |text| hex_id(text, "cr-", "cr- and 8 to 17 hexadecimal digits, as in cr-0123456789abcdef0"),
    "capacity-reservation-id",
    r"^cr-[0-9a-f]{8,17}$",
    "Id of an AWS capacity reservation.",
    "cr-0123456789abcdef0"
);

text_word!(
    /// A DNS zone: lower case, at least two labels, no trailing dot.
    DnsZone,
    |text| {
        const RIGHT: &str = "a domain in lower case, as in example.com";
        // The API's name, `api.<cluster>.<zone>`, has to stay within 253 characters.
        Invalid::unless_sized(text, 220, RIGHT)?;
        // Only what is a zone is offered as one: anything else may hold what a terminal obeys.
        let offered = |text: &str| if text.parse::<DnsZone>().is_ok() { text.to_owned() } else { RIGHT.to_owned() };
        if let Some(bare) = text.strip_suffix('.') {
            return Err(Invalid::shape(format!("{} ends with a dot", shown(text)), offered(bare)));
        }
        if text.chars().any(|c| c.is_ascii_uppercase()) {
            let right = offered(&text.to_ascii_lowercase());
            return Err(Invalid::shape(format!("{} has capital letters", shown(text)), right));
        }
        let labels: Vec<&str> = text.split('.').collect();
        if labels.len() < 2 {
            return Err(Invalid::shape(format!("{} is one label, not a domain", shown(text)), RIGHT));
        }
        for label in &labels {
            let good = !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
                && !label.starts_with('-')
                && !label.ends_with('-');
            if !good {
                return Err(Invalid::shape(format!("{} is not a label of a domain", shown(label)), RIGHT));
            }
        }
        if text == "cluster.local" || text.ends_with(".cluster.local") {
            return Err(Invalid::Reserved {
                text: text.to_owned(),
                because: "the cluster answers for it itself",
                right: RIGHT.to_owned(),
            });
        }
        Ok(())
    },
    "dns-zone",
    r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    "DNS zone: a domain in lower case without a trailing dot.",
    "example.com"
);
