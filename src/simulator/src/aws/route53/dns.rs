//! Names as Route 53 writes them: lower case, a dot at the end, odd characters as `\ooo`
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>).

/// The canonical form of a name.
pub(super) fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len() + 1);
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.filter(|_| *first == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok());
        rest = if code.is_some() { &after[3..] } else { after };
        match code.unwrap_or(*first).to_ascii_lowercase() {
            plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.') => canonical.push(char::from(plain)),
            odd => canonical.push_str(&format!("\\{odd:03o}")),
        }
    }
    if !canonical.ends_with('.') {
        canonical.push('.');
    }
    canonical
}

/// What names are sorted by: their labels from the end.
pub(super) fn order(name: &str) -> Vec<String> {
    name.trim_end_matches('.').rsplit('.').map(str::to_owned).collect()
}

/// Whether `name` is `zone` or lies in it.
pub(super) fn is_in(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|before| before.ends_with('.'))
}

/// Whether a name can be one: labels of 1 to 63 characters, 255 in all.
pub(super) fn is_valid(name: &str) -> bool {
    let labels = name.trim_end_matches('.').split('.');
    name.len() <= 256 && labels.into_iter().all(|label| (1..=63).contains(&label.replace("\\052", "*").len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_route_53_writes_them() {
        for (given, canonical) in [
            ("API.Demo.internal", "api.demo.internal."),
            ("*.example.com.", "\\052.example.com."),
            ("\\052.example.com", "\\052.example.com."),
            ("_clusterctl-a.api.x", "_clusterctl-a.api.x."),
        ] {
            assert_eq!(super::canonical(given), canonical);
        }
    }

    #[test]
    fn a_name_lies_in_a_zone_by_whole_labels() {
        assert!(is_in("a.example.com.", "example.com.") && is_in("example.com.", "example.com."));
        assert!(!is_in("badexample.com.", "example.com."));
        assert!(!is_valid("a..b.") && is_valid("\\052.b."));
    }
}
