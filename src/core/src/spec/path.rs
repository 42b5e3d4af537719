//! Paths to a place in the cluster file: `spec.nodeGroups[1].count.max`.

use crate::names::shown;

/// The path of the field `key` of what lies at `path`.
///
/// A key that is no plain word, as in labels, is quoted: `metadata.labels["example.com/team"]`.
pub(crate) fn field(path: &str, key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        && key.len() <= 63;
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", shown(key)),
    }
}

/// The path of the item `at` of the list at `path`.
pub(crate) fn item(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}

/// The path of what holds the thing at `path`; `None` for the file as a whole.
pub(crate) fn parent(path: &str) -> Option<&str> {
    if path.is_empty() {
        return None;
    }
    // Quoted keys may hold dots and brackets: from the back, a quoted key goes as one.
    if let Some(rest) = path.strip_suffix("\"]") {
        return Some(rest.rfind("[\"").map_or("", |at| &path[..at]));
    }
    Some(path.rfind(['.', '[']).map_or("", |at| &path[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_back_to_its_parents() {
        let path = field(&item(&field("spec", "nodeGroups"), 1), "example.com/a[0].b");
        assert_eq!(path, "spec.nodeGroups[1][\"example.com/a[0].b\"]");
        let mut parents = Vec::new();
        let mut at = path.as_str();
        while let Some(up) = parent(at) {
            parents.push(up);
            at = up;
        }
        assert_eq!(parents, ["spec.nodeGroups[1]", "spec.nodeGroups", "spec", ""]);
    }
}
