//! Strings that try to be more than strings.

use proptest::prelude::*;
use serde_json::json;

use super::{ROLE, graph, node, settings, vpc};
use crate::addr::Addr;
use crate::graph::Concern;
use crate::terraform::{export, text};
use crate::value::{ENCODING, JSON, TEXT, output};

/// Strings made of what HCL gives a meaning to, with anything in between.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("$".to_owned()),
        Just("%".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("${".to_owned()),
        Just("%{".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\r\t\0\u{1b}\u{7f}\u{85}\u{2028}\u{feff}".to_owned()),
        Just("EOT".to_owned()),
        Just("😀ß".to_owned()),
        Just("@{1}".to_owned()),
        any::<char>().prop_map(String::from),
        "[a-z ]{0,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// What HCL makes of the inside of a quoted string without interpolation; `None` where it would evaluate something.
///
/// Written from the HCL specification, independent of the code above.
fn read(quoted: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = quoted;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            out.push_str(&rest[1..3]);
            rest = &rest[3..];
        } else if rest.starts_with("${") || rest.starts_with("%{") || c == '"' || c == '\n' {
            return None;
        } else if c == '\\' {
            let escape = rest[1..].chars().next()?;
            let digits = match escape {
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            out.push(match escape {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '"' => '"',
                '\\' => '\\',
                'u' | 'U' => char::from_u32(u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?)?,
                _ => return None,
            });
            rest = &rest[2 + digits..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(out)
}

proptest! {
    #[test]
    fn strings_survive_quoting(text in hostile()) {
        prop_assert_eq!(read(&text::escaped(&text)), Some(text.clone()));
        let key = text::key(&text);
        let inside = key.strip_prefix('"').and_then(|k| k.strip_suffix('"')).unwrap_or(&key);
        prop_assert_eq!(read(inside), Some(text));
        prop_assert!(key.is_ascii());
    }

    #[test]
    fn an_output_after_any_text_stays_an_output(text in hostile(), more in hostile()) {
        let of = Addr::new("aws_vpc", "main");
        let value = json!({ TEXT: [text, output(&of, "id"), more], ENCODING: "plain" });
        let graph = graph([vpc(json!({})), node(&ROLE, "a", Concern::Identity, json!({"name": value}))]);
        let files = export(&graph, &settings()).expect("exports");
        let lines = text.matches('\n').count() + more.matches('\n').count();
        if lines > 2 {
            let marked = &files["files/a.txt"];
            let opening = if marked.contains("@@{1}") { "@@{1}" } else { "@{1}" };
            prop_assert_eq!(marked.replacen(opening, "<id>", 1).len(), text.len() + more.len() + 4);
        } else {
            let line = files["identity.tf"].lines().find(|l| l.contains("name = ")).expect("one line");
            let said = line.trim().trim_start_matches("name = ");
            if text.is_empty() && more.is_empty() {
                prop_assert_eq!(said, "aws_vpc.main.id");
            } else {
                let inside = &said[1..said.len() - 1];
                let (before, after) = inside.split_once("${aws_vpc.main.id}").expect("the output is there");
                prop_assert_eq!(read(before), Some(text), "before the output");
                prop_assert!(!before.ends_with('$'));
                prop_assert_eq!(read(after), Some(more), "after the output");
            }
        }
    }

    #[test]
    fn the_text_is_hcl_and_the_same_every_time(a in hostile(), b in hostile(), c in hostile()) {
        let args = json!({"a": a, "tags": {b.trim_start_matches('$'): c}, "doc": {JSON: {"k": [a, {"x": c}]}}});
        let graph = graph([vpc(args)]);
        let files = export(&graph, &settings()).expect("exports");
        prop_assert_eq!(&files, &export(&graph, &settings()).expect("exports"));
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".tf")) {
            prop_assert!(hcl::parse(text).is_ok(), "{}: {}", name, text);
        }
    }
}
