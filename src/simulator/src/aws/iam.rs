use super::table::{Protocol, Service};

pub(super) static SERVICE: Service =
    Service { name: "iam", namespace: "", protocol: Protocol::Query, actions: &[], behaviours: &[] };
