//! The clouds that this clusterctl was built with: the only place of the command that names one.

use clusterctl_core::provider::Provider;

/// One for each cargo feature.
pub(crate) fn all() -> Vec<&'static dyn Provider> {
    vec![
        #[cfg(feature = "aws")]
        clusterctl_aws::provider(),
    ]
}
