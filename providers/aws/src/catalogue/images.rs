//! How the Ubuntu image of a node is found.
//!
//! Canonical publishes an image per release, architecture and day, and names the newest in public parameters of SSM.
//! Image ids differ by region, so none is written down here.
//! <https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/>

use clusterctl_core::machine::Arch;

/// The account that Canonical publishes images from, in the commercial partition of AWS.
pub const CANONICAL: &str = "099720109477";

/// An Ubuntu release that nodes can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ubuntu {
    pub version: &'static str,
    pub codename: &'static str,
}

/// Ubuntu 24.04 LTS.
pub const NOBLE: Ubuntu = Ubuntu { version: "24.04", codename: "noble" };

impl Ubuntu {
    /// What the filter `name` of DescribeImages takes, for images that are owned by [`CANONICAL`].
    #[must_use]
    pub fn name_pattern(self, arch: Arch) -> String {
        format!("ubuntu/images/hvm-ssd-gp3/ubuntu-{}-{}-{arch}-server-*", self.codename, self.version)
    }

    /// The public parameter of SSM that holds the id of the newest image.
    #[must_use]
    pub fn parameter(self, arch: Arch) -> String {
        format!("/aws/service/canonical/ubuntu/server/{}/stable/current/{arch}/hvm/ebs-gp3/ami-id", self.version)
    }
}

/// The architecture in EC2's words, as in the filter `architecture` of DescribeImages.
#[must_use]
pub fn ec2_architecture(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86_64",
        Arch::Arm64 => "arm64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_canonicals() {
        assert_eq!(NOBLE.name_pattern(Arch::Amd64), "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*");
        assert_eq!(
            NOBLE.parameter(Arch::Arm64),
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"
        );
    }
}
