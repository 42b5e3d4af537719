//! Which image a node starts from.

use aws_sdk_ec2::types::Image as Seen;
use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::machine::Arch;

use crate::catalogue::images::{CANONICAL, NOBLE, ec2_architecture};
use crate::client::{Client, fail, is_missing};
use crate::observe::control_plane::any_of;

/// An image and what a machine's request needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub id: String,
    /// Names the release, such as `ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260901`.
    pub name: String,
    /// The device that the root disk is told by, such as `/dev/sda1`.
    pub root_device: String,
}

const DESCRIBE: &str = "ec2:DescribeImages";

/// Finds the newest Ubuntu 24.04 image of Canonical in the client's region.
///
/// Canonical's public parameter names it. Where there is none, the images themselves are asked: the newest of that
/// release, and where a region or an endpoint has none of it, the newest that Canonical has there: the name says which.
///
/// # Errors
/// Permanent when Canonical has no image of this architecture there; otherwise as AWS says.
pub async fn image(client: &Client, arch: Arch) -> Result<Image, CloudError> {
    let parameter = client.ssm.get_parameter().name(NOBLE.parameter(arch)).send().await;
    let named = match parameter.map_err(|e| fail("ssm:GetParameter", &e)) {
        Ok(answer) => answer.parameter.and_then(|parameter| parameter.value),
        Err(error) if is_missing(&error) => None,
        Err(error) => return Err(error),
    };
    if let Some(id) = &named
        && let Some(image) = newest(by_id(client, id).await?)
    {
        return Ok(image);
    }
    for pattern in [NOBLE.name_pattern(arch).as_str(), "ubuntu/images/*"] {
        if let Some(image) = newest(published(client, arch, pattern).await?) {
            return Ok(image);
        }
    }
    let message = format!("Canonical has no Ubuntu {} image for {arch} in {}", NOBLE.version, client.region);
    Err(CloudError::new(Fault::Permanent, DESCRIBE, "NoImage", message))
}

/// Describes an image that the user names.
///
/// # Errors
/// Permanent when it does not exist there or may not be used.
pub async fn image_of(client: &Client, id: &str) -> Result<Image, CloudError> {
    newest(by_id(client, id).await?).ok_or_else(|| {
        let message = format!("there is no image {id} that can be used in {}", client.region);
        CloudError::new(Fault::Permanent, DESCRIBE, "NoImage", message)
    })
}

async fn by_id(client: &Client, id: &str) -> Result<Vec<Seen>, CloudError> {
    let answer = client.ec2.describe_images().image_ids(id).send().await;
    Ok(answer.map_err(|e| fail(DESCRIBE, &e))?.images.unwrap_or_default())
}

async fn published(client: &Client, arch: Arch, pattern: &str) -> Result<Vec<Seen>, CloudError> {
    let request = client
        .ec2
        .describe_images()
        .owners(CANONICAL)
        .filters(any_of("name", [pattern]))
        .filters(any_of("architecture", [ec2_architecture(arch)]))
        .filters(any_of("virtualization-type", ["hvm"]))
        .filters(any_of("root-device-type", ["ebs"]))
        .filters(any_of("state", ["available"]));
    Ok(request.send().await.map_err(|e| fail(DESCRIBE, &e))?.images.unwrap_or_default())
}

/// The newest by date; of the same date the last by name, so that the answer is the same every time.
fn newest(images: Vec<Seen>) -> Option<Image> {
    let image = images
        .into_iter()
        .filter(|image| image.image_id().is_some() && image.root_device_name().is_some())
        .max_by(|a, b| (a.creation_date(), a.name()).cmp(&(b.creation_date(), b.name())))?;
    Some(Image { id: image.image_id?, name: image.name.unwrap_or_default(), root_device: image.root_device_name? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &str, name: &str, date: &str) -> Seen {
        Seen::builder().image_id(id).name(name).creation_date(date).root_device_name("/dev/sda1").build()
    }

    #[test]
    fn the_newest_is_by_date_then_by_name() {
        let old = seen("ami-1", "ubuntu-noble-24.04-amd64-server-20260801", "2026-08-01T00:00:00.000Z");
        let new = seen("ami-2", "ubuntu-noble-24.04-amd64-server-20260901", "2026-09-01T00:00:00.000Z");
        let twin = seen("ami-3", "ubuntu-noble-24.04-amd64-server-20260902", "2026-09-01T00:00:00.000Z");
        let pick = |images: &[&Seen]| newest(images.iter().copied().cloned().collect()).map(|image| image.id);
        assert_eq!(pick(&[&new, &old]).as_deref(), Some("ami-2"));
        assert_eq!(pick(&[&twin, &new, &old]).as_deref(), Some("ami-3"));
        assert_eq!(pick(&[&Seen::builder().image_id("ami-4").build()]), None, "without a root device it is of no use");
    }
}
