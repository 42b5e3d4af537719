//! Regions and their availability zones, for when AWS cannot be asked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("zones.txt");

static ZONES: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let regions = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.collect()))
    });
    regions.collect()
});

/// The names of the regions that are known, sorted.
pub fn regions() -> impl Iterator<Item = &'static str> {
    ZONES.keys().copied()
}

/// The availability zones of a region, sorted; `None` for a region that is not known.
///
/// Zone names belong to the account: another account may lack one of them or have one more.
#[must_use]
pub fn zones(region: &str) -> Option<&'static [&'static str]> {
    ZONES.get(region).map(Vec::as_slice)
}

/// The day of the list.
#[must_use]
pub fn zones_as_of() -> &'static str {
    TABLE.lines().find_map(|line| line.strip_prefix("# as_of: ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_at_least_two_zones_of_its_own_name() {
        assert!(regions().is_sorted() && regions().count() >= 30);
        for region in regions() {
            let zones = zones(region).unwrap_or_default();
            assert!(zones.len() >= 2 && zones.is_sorted(), "{region}");
            for zone in zones {
                let letter = zone.strip_prefix(region).unwrap_or_default();
                assert!(letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase()), "{zone}");
            }
        }
        assert_eq!(zones("eu-central-1"), Some(&["eu-central-1a", "eu-central-1b", "eu-central-1c"][..]));
        assert_eq!(zones("mars-1"), None);
        assert_eq!(zones_as_of(), "2026-10-27");
    }
}
