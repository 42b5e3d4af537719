//! The few facts about clouds that rules over a cluster file need.
//!
//! What a cloud has at a given moment (regions, types, quotas) is for its provider to ask; here is only how it names
//! things and how large a network may be.

use std::ops::RangeInclusive;

use super::types::Cloud;
use crate::names::{RegionName, ZoneName};

/// How long the prefix of a network may be.
///
/// AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>. The others take any size that nodes
/// fit in.
pub(super) fn network_prefixes(cloud: Cloud) -> RangeInclusive<u8> {
    match cloud {
        Cloud::Aws => 16..=28,
        Cloud::Azure | Cloud::Gcp | Cloud::Openstack => 8..=28,
    }
}

/// What a region of the cloud looks like, when `region` does not look like one.
pub(super) fn region_mistake(cloud: Cloud, region: &RegionName) -> Option<String> {
    let text = region.as_str();
    match cloud {
        Cloud::Aws => match aws_region(text) {
            Some("") => None,
            // A zone: eu-central-1a.
            Some(rest) => Some(text.strip_suffix(rest).unwrap_or(text).to_owned()),
            None => Some("a region as AWS calls it, as in eu-central-1".to_owned()),
        },
        Cloud::Gcp => match text.rsplit_once('-') {
            Some((region, zone)) if zone.len() == 1 && region.ends_with(|c: char| c.is_ascii_digit()) => {
                Some(region.to_owned())
            }
            Some((_, last)) if last.ends_with(|c: char| c.is_ascii_digit()) => None,
            _ => Some("a region as Google Cloud calls it, as in europe-west1".to_owned()),
        },
        Cloud::Azure => (!text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
            .then(|| text.to_ascii_lowercase().replace(['-', '_', '.'], "")),
        Cloud::Openstack => None,
    }
}

/// What is left of `text` behind a region as AWS writes it: words, the last of them a number.
fn aws_region(text: &str) -> Option<&str> {
    let (words, last) = text.rsplit_once('-')?;
    let digits = last.len() - last.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let words: Vec<&str> = words.split('-').collect();
    let sound =
        words.len() >= 2 && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
    (sound && digits > 0).then(|| &last[digits..])
}

/// What a zone of `region` looks like, when `zone` does not look like one.
pub(super) fn zone_mistake(cloud: Cloud, region: Option<&RegionName>, zone: &ZoneName) -> Option<String> {
    let (joint, example) = match cloud {
        Cloud::Aws => ("", "eu-central-1a"),
        Cloud::Gcp => ("-", "europe-west1-b"),
        Cloud::Azure => {
            return (!matches!(zone.as_str(), "1" | "2" | "3")).then(|| "1, 2 or 3".to_owned());
        }
        Cloud::Openstack => return None,
    };
    // A zone is part of the address of what lies in it, and a dot in it would end that address.
    let plain = zone.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let Some(region) = region else {
        let ends = plain && zone.as_str().ends_with(|c: char| c.is_ascii_lowercase());
        return (!ends).then(|| format!("a zone, as in {example}"));
    };
    let letter = zone.as_str().strip_prefix(region.as_str()).and_then(|rest| rest.strip_prefix(joint));
    let sound =
        plain && letter.is_some_and(|letter| !letter.is_empty() && letter.bytes().any(|b| b.is_ascii_lowercase()));
    (!sound).then(|| format!("a zone of {region}, as in {region}{joint}a"))
}
