//! A cluster file with every default filled in, and where each came from beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// YAML with a comment at every default.
pub(crate) fn yaml(filled: &Value, defaults: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    write(&mut text, filled, "", 0, defaults);
    text
}

fn write(text: &mut String, value: &Value, path: &str, depth: usize, defaults: &BTreeMap<String, String>) {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let here = field(path, name);
                let _ = write!(text, "{pad}{}:", scalar(&Value::String(name.clone())));
                entry(text, value, &here, depth, defaults);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let here = format!("{path}[{at}]");
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        let mut block = String::new();
                        write(&mut block, item, &here, depth + 1, defaults);
                        // The first line of the item goes behind its dash.
                        let _ = write!(text, "{pad}- {}", block.trim_start());
                    }
                    other => {
                        let _ = writeln!(text, "{pad}- {}{}", scalar(other), comment(&here, defaults));
                    }
                }
            }
        }
        other => {
            let _ = writeln!(text, "{pad}{}", scalar(other));
        }
    }
}

fn entry(text: &mut String, value: &Value, here: &str, depth: usize, defaults: &BTreeMap<String, String>) {
    let comment = comment(here, defaults);
    match value {
        Value::Object(map) if !map.is_empty() => {
            let _ = writeln!(text, "{comment}");
            write(text, value, here, depth + 1, defaults);
        }
        Value::Array(items) if !items.is_empty() => {
            let _ = writeln!(text, "{comment}");
            write(text, value, here, depth, defaults);
        }
        other => {
            let _ = writeln!(text, " {}{comment}", scalar(other));
        }
    }
}

fn comment(path: &str, defaults: &BTreeMap<String, String>) -> String {
    let why = |why: &String| format!("  # default: {}", why.replace(|c| !is_printable(c), " "));
    defaults.get(path).map(why).unwrap_or_default()
}

/// What stands in YAML as it is, of whichever version: no control character and none of the ends of a line.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~') || c.is_alphanumeric()
}

/// JSON is YAML but for a few characters that it leaves as they are; a word that can mean nothing else stands bare.
fn scalar(value: &Value) -> String {
    if let Value::String(text) = value {
        let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
        let meant =
            ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
        if word && !meant {
            return text.clone();
        }
    }
    value.to_string().chars().fold(String::new(), |mut text, c| {
        // Writing to a String cannot fail.
        let _ = if is_printable(c) { text.write_char(c) } else { write!(text, "\\U{:08X}", u32::from(c)) };
        text
    })
}

/// As the reader of cluster files calls it.
fn field(path: &str, key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{key:?}]"),
    }
}

#[cfg(test)]
mod tests {
    use crate::operations::filled::filled;
    use crate::operations::load::Wanted;

    #[test]
    fn the_annotated_file_is_the_same_cluster_and_says_why() {
        let file = "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {name: demo, labels: {example.com/a: \"yes\"}}\nspec: {cloud: aws}\n";
        let wanted = Wanted::read("a test", file.to_owned()).expect("a cluster");
        let text = super::yaml(&filled(&wanted.cluster), wanted.cluster.defaults());
        let again = Wanted::read("annotated", text.clone()).unwrap_or_else(|failure| {
            unreachable!("{failure} {:?}\n{text}", failure.file.as_ref().map(|file| &file.problems))
        });
        assert_eq!(filled(&again.cluster), filled(&wanted.cluster));
        let line = text.lines().find(|line| line.contains("kubernetes:")).expect("a version");
        assert!(line.contains("# default: "), "{text}");
    }
}
