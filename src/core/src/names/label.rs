//! Kubernetes labels and taints, and the tags of a cloud.

use std::fmt;
use std::str::FromStr;

use super::{Invalid, shown, text_word, word};

const NAME_RIGHT: &str =
    "letters, digits, '-', '_' and '.', starting and ending with a letter or digit, at most 63 characters";
const KEY_RIGHT: &str = "a name, or a domain, a slash and a name, as in example.com/team";

/// The part of a label key after the slash, and a label value that is not empty.
fn qualified(text: &str) -> Result<(), Invalid> {
    Invalid::unless_sized(text, 63, NAME_RIGHT)?;
    let inner = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let ends =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric());
    if inner && ends { Ok(()) } else { Err(Invalid::shape(format!("{} is not a label", shown(text)), NAME_RIGHT)) }
}

fn domain(text: &str) -> Result<(), Invalid> {
    Invalid::unless_sized(text, 253, KEY_RIGHT)?;
    let good = text.split('.').all(|label| {
        !label.is_empty()
            && label.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    if good { Ok(()) } else { Err(Invalid::shape(format!("{} is not a domain", shown(text)), KEY_RIGHT)) }
}

fn key(text: &str) -> Result<(), Invalid> {
    match text.split_once('/') {
        None => qualified(text),
        Some((prefix, name)) => domain(prefix).and_then(|()| qualified(name)),
    }
}

text_word!(
    /// The key of a Kubernetes label.
    LabelKey,
    key,
    "label-key",
    r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
    "Key of a Kubernetes label: a name, or a domain, a slash and a name.",
    "example.com/team"
);

impl LabelKey {
    /// The domain before the slash, when there is one.
    pub fn domain(&self) -> Option<&str> {
        self.as_str().split_once('/').map(|(domain, _)| domain)
    }
}

text_word!(
    /// The value of a Kubernetes label, which may be empty.
    LabelValue,
    |text| if text.is_empty() { Ok(()) } else { qualified(text) },
    "label-value",
    r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$",
    "Value of a Kubernetes label.",
    "vision"
);

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaintEffect {
    /// They are not scheduled there.
    NoSchedule,
    /// They are scheduled there only when nothing else is left.
    PreferNoSchedule,
    /// They are not scheduled there, and those that run there are evicted.
    NoExecute,
}

impl TaintEffect {
    const ALL: [Self; 3] = [Self::NoSchedule, Self::PreferNoSchedule, Self::NoExecute];

    /// The effect as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// A taint as kubectl and kubelet write it: `key=value:Effect` or `key:Effect`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint {
    /// Its key; a node has at most one taint of a key and an effect.
    pub key: LabelKey,
    /// Its value, which may be empty.
    pub value: LabelValue,
    /// What it does.
    pub effect: TaintEffect,
}

const TAINT_RIGHT: &str = "key=value:Effect with an effect of NoSchedule, PreferNoSchedule or NoExecute";

impl FromStr for Taint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Invalid::unless_sized(text, 400, TAINT_RIGHT)?;
        let (rest, effect) = text
            .rsplit_once(':')
            .ok_or_else(|| Invalid::shape(format!("{} has no effect", shown(text)), TAINT_RIGHT))?;
        let found = TaintEffect::ALL.into_iter().find(|known| known.as_str() == effect);
        let effect = found.ok_or_else(|| {
            let near = TaintEffect::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(effect));
            let right = near.map_or_else(|| TAINT_RIGHT.to_owned(), |near| near.as_str().to_owned());
            Invalid::shape(format!("{} is not an effect", shown(effect)), right)
        })?;
        let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
        Ok(Self { key: key.parse()?, value: value.parse()?, effect })
    }
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.as_str().is_empty() { "" } else { "=" };
        f.pad(&format!("{}{equals}{}:{}", self.key, self.value, self.effect.as_str()))
    }
}

word!(
    Taint,
    "taint",
    r"^([a-z0-9.-]+/)?[A-Za-z0-9._-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$",
    "Taint as kubectl writes it: key=value:Effect.",
    "nvidia.com/gpu=present:NoSchedule"
);

/// Letters, digits, blanks and the signs that the clouds' tags have in common.
fn tag_text(text: &str, right: &str) -> Result<(), Invalid> {
    let bad = text.chars().find(|c| !(c.is_alphanumeric() || " _.:/=+-@".contains(*c)));
    match bad {
        Some(bad) => {
            Err(Invalid::shape(format!("{} has {}, which is not allowed", shown(text), shown(&bad.to_string())), right))
        }
        None if text != text.trim() => {
            Err(Invalid::shape(format!("{} starts or ends with a blank", shown(text)), right))
        }
        None => Ok(()),
    }
}

/// Starts of tag keys that belong to somebody else: the cloud, Kubernetes' own controllers, or clusterctl.
const TAKEN: &[(&str, &str)] = &[
    ("aws:", "AWS keeps it for itself"),
    ("clusterctl.dev/", "clusterctl proves with it what belongs to a cluster"),
    ("kubernetes.io/cluster/", "Kubernetes' controllers find with it what belongs to a cluster"),
    ("k8s.io/cluster-autoscaler/", "the autoscaler finds its groups with it"),
];

const TAG_KEY_RIGHT: &str = "letters, digits, blanks and _ . : / = + - @, at most 128 characters";
const TAG_VALUE_RIGHT: &str = "letters, digits, blanks and _ . : / = + - @, at most 256 characters";

text_word!(
    /// The key of a tag that the user wants on everything in the cloud.
    TagKey,
    |text| {
        Invalid::unless_sized(text, 128, TAG_KEY_RIGHT)?;
        let lower = text.to_ascii_lowercase();
        if let Some((_, because)) = TAKEN.iter().find(|(start, _)| lower.starts_with(start)) {
            return Err(Invalid::Reserved {
                text: text.to_owned(),
                because,
                right: "a key of your own, as in cost-center".to_owned(),
            });
        }
        if text == "Name" {
            return Err(Invalid::Reserved {
                text: text.to_owned(),
                because: "every resource gets its own name there",
                right: "a key of your own, as in cost-center".to_owned(),
            });
        }
        tag_text(text, TAG_KEY_RIGHT)
    },
    "tag-key",
    r"^.{1,128}$",
    "Key of a tag in the cloud.",
    "cost-center"
);

text_word!(
    /// The value of a tag that the user wants on everything in the cloud. It may be empty.
    TagValue,
    |text| {
        if text.is_empty() {
            return Ok(());
        }
        Invalid::unless_sized(text, 256, TAG_VALUE_RIGHT)?;
        tag_text(text, TAG_VALUE_RIGHT)
    },
    "tag-value",
    r"^.{0,256}$",
    "Value of a tag in the cloud.",
    "research"
);
