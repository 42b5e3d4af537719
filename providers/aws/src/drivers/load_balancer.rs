//! The network load balancer and its listeners; `targets` has the groups of targets behind them.
//!
//! Elastic Load Balancing takes no client tokens. A create is idempotent by name while the settings are the same
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>); with other
//! settings the name is taken, and tags tell by whom.

pub(crate) mod targets;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Listener as SdkListener, LoadBalancer, LoadBalancerSchemeEnum, LoadBalancerStateEnum,
    LoadBalancerTypeEnum, ProtocolEnum, Tag,
};
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Driver, Fault, Live, Progress, Remains, Typed};
use clusterctl_core::value::Input;
use futures::future::try_join_all;

use super::adopt::{Read, adopt, empty_answer, given, is_ours, plain, read, updated};
use crate::client::{Client, fail, is_missing, unless_missing};
use crate::resources::Tags;
use crate::resources::load_balancer::{ForwardAction, Lb, Listener};

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    let client = || client.clone();
    vec![
        ("aws_lb", Box::new(Typed(LbDriver(client())))),
        ("aws_lb_listener", Box::new(Typed(ListenerDriver(client())))),
        ("aws_lb_target_group", Box::new(Typed(targets::GroupDriver(client())))),
        ("aws_lb_target_group_attachment", Box::new(Typed(targets::AttachmentDriver(client())))),
    ]
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(plain(value)).build()).collect()
}

/// Sets the wanted tags; tags that are not wanted are not managed and stay.
async fn retag(client: &Client, arn: &str, tags: &Tags) -> Result<(), CloudError> {
    let call = client.elb.add_tags().resource_arns(arn).set_tags(Some(sdk_tags(tags)));
    call.send().await.map(drop).map_err(|e| fail("elasticloadbalancing:AddTags", &e))
}

/// The tags of load balancers, target groups and listeners, 20 in a call.
pub(crate) async fn tags_of(client: &Client, arns: &[String]) -> Result<BTreeMap<String, Read>, CloudError> {
    let calls = arns.chunks(20).map(|arns| async move {
        let call = client.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
        call.send().await.map_err(|e| fail("elasticloadbalancing:DescribeTags", &e))
    });
    let answers = try_join_all(calls).await?;
    let described = answers.into_iter().flat_map(|answer| answer.tag_descriptions.unwrap_or_default());
    Ok(described
        .map(|of| {
            let tags = of.tags.unwrap_or_default().into_iter();
            let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
            (of.resource_arn.unwrap_or_default(), tags)
        })
        .collect())
}

/// Takes "there is none of that name" for an empty list.
fn or_none<T>(result: Result<Vec<T>, CloudError>) -> Result<Vec<T>, CloudError> {
    match result {
        Err(error) if is_missing(&error) => Ok(Vec::new()),
        other => other,
    }
}

/// A load balancer as it is.
pub(crate) fn live_lb(lb: &LoadBalancer, tags: &Read) -> Live {
    let arn = lb.load_balancer_arn().unwrap_or_default();
    let args = Lb {
        name: lb.load_balancer_name().unwrap_or_default().to_owned(),
        internal: lb.scheme() == Some(&LoadBalancerSchemeEnum::Internal),
        load_balancer_type: lb.r#type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        subnets: lb.availability_zones().iter().filter_map(|zone| zone.subnet_id()).map(Input::known).collect(),
        security_groups: lb.security_groups().iter().map(Input::known).collect(),
        tags: given(tags),
    };
    let live = Live::new(arn)
        .with("arn", arn)
        .with("dns_name", lb.dns_name().unwrap_or_default())
        .with("zone_id", lb.canonical_hosted_zone_id().unwrap_or_default());
    updated(&live, &args)
}

/// A listener as it is. One that does not simply forward has no action in the arguments, so that it differs.
pub(crate) fn live_listener(listener: &SdkListener, tags: &Read) -> Live {
    let arn = listener.listener_arn().unwrap_or_default();
    let forward = listener.default_actions().iter().find(|action| action.r#type() == Some(&ActionTypeEnum::Forward));
    let group = forward.and_then(|action| {
        let many = || action.forward_config().and_then(|config| config.target_groups().first()?.target_group_arn());
        action.target_group_arn().or_else(many)
    });
    let args = Listener {
        load_balancer_arn: Input::known(listener.load_balancer_arn().unwrap_or_default()),
        port: listener.port().unwrap_or_default(),
        protocol: listener.protocol().map(|p| p.as_str().to_owned()).unwrap_or_default(),
        default_action: ForwardAction {
            r#type: if forward.is_some() { "forward" } else { "" }.to_owned(),
            target_group_arn: Input::known(group.unwrap_or_default()),
        },
        tags: given(tags),
    };
    updated(&Live::new(arn).with("arn", arn), &args)
}

#[derive(Debug, Clone)]
struct LbDriver(Client);

fn ids<T>(inputs: &BTreeSet<Input<T>>) -> Vec<String> {
    inputs.iter().filter_map(Input::value).map(str::to_owned).collect()
}

#[async_trait]
impl Driver for LbDriver {
    type Resource = Lb;

    async fn create(&self, call: &Call, want: Lb) -> Result<Live, CloudError> {
        let operation = "elasticloadbalancing:CreateLoadBalancer";
        let groups = ids(&want.security_groups);
        let scheme =
            if want.internal { LoadBalancerSchemeEnum::Internal } else { LoadBalancerSchemeEnum::InternetFacing };
        let request = self
            .0
            .elb
            .create_load_balancer()
            .name(&want.name)
            .r#type(LoadBalancerTypeEnum::from(want.load_balancer_type.as_str()))
            .scheme(scheme)
            .set_subnets(Some(ids(&want.subnets)))
            .set_security_groups((!groups.is_empty()).then_some(groups))
            .set_tags(Some(sdk_tags(&want.tags)));
        match request.send().await.map_err(|e| fail(operation, &e)) {
            Ok(answer) => match answer.load_balancers().first() {
                Some(lb) => Ok(live_lb(lb, &read(&want.tags))),
                None => Err(empty_answer(operation)),
            },
            Err(error) if error.code == "DuplicateLoadBalancerName" => {
                let name = want.name.clone();
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, _call: &Call, live: &Live, want: Lb, changed: &[String]) -> Result<Live, CloudError> {
        for argument in changed {
            match argument.as_str() {
                "subnets" => {
                    let call =
                        self.0.elb.set_subnets().load_balancer_arn(&live.id).set_subnets(Some(ids(&want.subnets)));
                    call.send().await.map_err(|e| fail("elasticloadbalancing:SetSubnets", &e))?;
                }
                "security_groups" => {
                    let groups = Some(ids(&want.security_groups));
                    let call = self.0.elb.set_security_groups().load_balancer_arn(&live.id).set_security_groups(groups);
                    call.send().await.map_err(|e| fail("elasticloadbalancing:SetSecurityGroups", &e))?;
                }
                "tags" => retag(&self.0, &live.id, &want.tags).await?,
                _ => {}
            }
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let result = self.0.elb.delete_load_balancer().load_balancer_arn(&live.id).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("elasticloadbalancing:DeleteLoadBalancer", &e)))
    }

    async fn find(&self, call: &Call, want: Lb) -> Result<Vec<Live>, CloudError> {
        let found = or_none(described(&self.0, Some(&want.name), None).await)?;
        let arns: Vec<String> = found.iter().filter_map(|lb| lb.load_balancer_arn.clone()).collect();
        let tags = tags_of(&self.0, &arns).await?;
        let of = |lb: &LoadBalancer| tags.get(lb.load_balancer_arn()?).filter(|tags| is_ours(tags, call));
        Ok(found.iter().filter_map(|lb| Some(live_lb(lb, of(lb)?))).collect())
    }

    async fn ready(&self, _call: &Call, live: &Live, _want: Lb) -> Result<Progress, CloudError> {
        let found = described(&self.0, None, Some(&live.id)).await?;
        let state = found.first().and_then(LoadBalancer::state);
        let reason = state.and_then(|s| s.reason()).unwrap_or_default();
        match state.and_then(|s| s.code()) {
            Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => {
                Ok(Progress::Done(live.clone()))
            }
            Some(LoadBalancerStateEnum::Failed) => {
                Err(CloudError::new(Fault::Permanent, "elasticloadbalancing:CreateLoadBalancer", "failed", reason))
            }
            other => Ok(Progress::Pending(other.map_or("unknown", |code| code.as_str()).to_owned())),
        }
    }

    async fn gone(&self, _call: &Call, live: &Live) -> Result<Remains, CloudError> {
        let left = or_none(described(&self.0, None, Some(&live.id)).await)?;
        Ok(if left.is_empty() { Remains::Nothing } else { Remains::Something("being deleted".to_owned()) })
    }
}

async fn described(client: &Client, name: Option<&str>, arn: Option<&str>) -> Result<Vec<LoadBalancer>, CloudError> {
    let one = |text: Option<&str>| text.map(|text| vec![text.to_owned()]);
    let call = client.elb.describe_load_balancers().set_names(one(name)).set_load_balancer_arns(one(arn));
    let answer = call.send().await.map_err(|e| fail("elasticloadbalancing:DescribeLoadBalancers", &e))?;
    Ok(answer.load_balancers.unwrap_or_default())
}

#[derive(Debug, Clone)]
struct ListenerDriver(Client);

fn forward(action: &ForwardAction) -> Action {
    Action::builder()
        .r#type(ActionTypeEnum::Forward)
        .set_target_group_arn(action.target_group_arn.value().map(str::to_owned))
        .build()
}

#[async_trait]
impl Driver for ListenerDriver {
    type Resource = Listener;

    async fn create(&self, call: &Call, want: Listener) -> Result<Live, CloudError> {
        let operation = "elasticloadbalancing:CreateListener";
        let request = self
            .0
            .elb
            .create_listener()
            .set_load_balancer_arn(want.load_balancer_arn.value().map(str::to_owned))
            .port(want.port)
            .protocol(ProtocolEnum::from(want.protocol.as_str()))
            .default_actions(forward(&want.default_action))
            .set_tags(Some(sdk_tags(&want.tags)));
        match request.send().await.map_err(|e| fail(operation, &e)) {
            Ok(answer) => match answer.listeners().first() {
                Some(listener) => Ok(live_listener(listener, &read(&want.tags))),
                None => Err(empty_answer(operation)),
            },
            Err(error) if error.code == "DuplicateListener" => {
                let name = format!("port {}", want.port);
                adopt(self, call, want, &name, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, _call: &Call, live: &Live, want: Listener, changed: &[String]) -> Result<Live, CloudError> {
        if changed.iter().any(|argument| matches!(argument.as_str(), "port" | "protocol" | "default_action")) {
            let request = self
                .0
                .elb
                .modify_listener()
                .listener_arn(&live.id)
                .port(want.port)
                .protocol(ProtocolEnum::from(want.protocol.as_str()))
                .default_actions(forward(&want.default_action));
            request.send().await.map_err(|e| fail("elasticloadbalancing:ModifyListener", &e))?;
        }
        if changed.iter().any(|argument| argument == "tags") {
            retag(&self.0, &live.id, &want.tags).await?;
        }
        Ok(updated(live, &want))
    }

    async fn delete(&self, _call: &Call, live: &Live) -> Result<(), CloudError> {
        let result = self.0.elb.delete_listener().listener_arn(&live.id).send().await;
        unless_missing(result.map(drop).map_err(|e| fail("elasticloadbalancing:DeleteListener", &e)))
    }

    async fn find(&self, call: &Call, want: Listener) -> Result<Vec<Live>, CloudError> {
        let found = or_none(listeners(&self.0, want.load_balancer_arn.value().unwrap_or_default()).await)?;
        let arns: Vec<String> = found.iter().filter_map(|l| l.listener_arn.clone()).collect();
        let tags = tags_of(&self.0, &arns).await?;
        let of = |l: &SdkListener| tags.get(l.listener_arn()?).filter(|tags| is_ours(tags, call));
        Ok(found.iter().filter_map(|l| Some(live_listener(l, of(l)?))).collect())
    }
}

/// All listeners of a load balancer; there are at most 50, and a page holds more.
pub(crate) async fn listeners(client: &Client, lb: &str) -> Result<Vec<SdkListener>, CloudError> {
    let answer = client.elb.describe_listeners().load_balancer_arn(lb).page_size(400).send().await;
    let answer = answer.map_err(|e| fail("elasticloadbalancing:DescribeListeners", &e))?;
    Ok(answer.listeners.unwrap_or_default())
}

#[cfg(test)]
mod tests;
