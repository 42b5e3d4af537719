use super::table::{Protocol, Service};

pub(super) static SERVICE: Service =
    Service { name: "sts", namespace: "", protocol: Protocol::Query, actions: &[], behaviours: &[] };
