//! A cloud in memory, behind the same seam as the real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Blueprint, CloudTraits};
use clusterctl_core::choices::{CONTROL_PLANE, Choices, Chosen, group};
use clusterctl_core::cloud::{AnyDriver, Call, Cloud, CloudError, Fault, Live, Observed, Owner, Scope};
use clusterctl_core::cluster::Cluster;
use clusterctl_core::graph::{Concern, Graph, Kind, Node};
use clusterctl_core::provider::{Access, Account, Connection, LowerError, Provider, Refusal};
use clusterctl_core::store::Store;
use clusterctl_core::terraform;
use clusterctl_core::value::output;
use serde_json::{Value, json};

static NETWORK: Kind = Kind { forces_new: &["cidr"], seconds: (3.0, 2.0), ..Kind::new("fake_network") };
static DISK: Kind = Kind { forces_new: &["size"], holds_data: true, idempotent: false, ..Kind::new("fake_disk") };
static NODE: Kind = Kind { machines: true, seconds: (60.0, 20.0), ..Kind::new("fake_node") };
static GROUP: Kind = Kind { machines: true, seconds: (90.0, 30.0), ..Kind::new("fake_group") };
static KINDS: [&Kind; 4] = [&NETWORK, &DISK, &NODE, &GROUP];

/// What the cloud holds and what happens to the next calls.
#[derive(Debug, Default)]
pub(crate) struct Sky {
    pub(crate) things: BTreeMap<(String, Addr), Vec<Live>>,
    /// Every call, as `create fake_disk.a`.
    pub(crate) calls: Vec<String>,
    pub(crate) account: String,
    /// Refusals by call.
    pub(crate) refuse: BTreeMap<String, CloudError>,
    /// Calls that are carried out and then hang for ever.
    pub(crate) hang_after: BTreeSet<String>,
    made: u64,
}

/// Shared by everything that talks to the same sky.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Sky>>);

impl Shared {
    pub(crate) fn new() -> Self {
        let shared = Self::default();
        shared.sky().account = "one".to_owned();
        shared
    }

    pub(crate) fn sky(&self) -> MutexGuard<'_, Sky> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn provider(&self) -> &'static dyn Provider {
        // A provider lives as long as the process; so does the one of a test.
        Box::leak(Box::new(Fake { shared: self.clone() }))
    }

    /// The addresses that exist, with how often.
    pub(crate) fn there(&self) -> Vec<String> {
        let sky = self.sky();
        sky.things.iter().flat_map(|((_, addr), lives)| lives.iter().map(move |_| addr.to_string())).collect()
    }

    /// How many calls changed something.
    pub(crate) fn writes(&self) -> usize {
        self.sky().calls.iter().filter(|call| !call.starts_with("observe") && !call.starts_with("find")).count()
    }
}

#[derive(Debug)]
struct Fake {
    shared: Shared,
}

#[async_trait]
impl Provider for Fake {
    fn name(&self) -> &'static str {
        "openstack"
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        &KINDS
    }

    fn traits(&self) -> CloudTraits {
        CloudTraits { mtu: 1500 }
    }

    fn choose_offline(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
        let zones: Vec<String> = (0..cluster.zones.count()).map(|at| format!("zone-{at}")).collect();
        let chosen = |asked: &str| Chosen {
            asked: asked.to_owned(),
            machine: "middle".to_owned(),
            cpu: 4,
            memory_mib: 16384,
            arch: "amd64".to_owned(),
            gpu: None,
            instance_store: false,
            alternatives: Vec::new(),
            zones: zones.clone(),
            markets: vec!["on-demand".to_owned()],
            notes: Vec::new(),
        };
        let mut machines = BTreeMap::from([(CONTROL_PLANE.to_owned(), chosen("plane"))]);
        machines.extend(cluster.node_groups.iter().map(|g| (group(g.name.as_str()), chosen("group"))));
        let region = cluster.region.as_ref().map_or("north".to_owned(), ToString::to_string);
        Ok(Choices { region, kubernetes: "1.36.1".to_owned(), zones, machines, ..kept.clone() })
    }

    fn lower(&self, blueprint: &Blueprint, _owner: &Owner) -> Result<Graph, LowerError> {
        let mut graph = Graph::new();
        let mut add = |kind: &'static Kind, concern, name: &str, args: Value| {
            let addr = Addr::new(kind.name, name);
            graph
                .insert(Node { addr: addr.clone(), kind, concern, args: args.into(), roll: None, ladder: Vec::new() })
                .map(|()| addr)
        };
        let network = add(&NETWORK, Concern::Network, "main", json!({ "cidr": "10.20.0.0/16" }))?;
        for node in &blueprint.control_plane {
            let disk = json!({ "size": node.etcd_disk, "network": output(&network, "id") });
            let disk = add(&DISK, Concern::ControlPlane, &node.name, disk)?;
            let args = json!({ "type": node.machine.r#type, "disk": output(&disk, "id") });
            add(&NODE, Concern::ControlPlane, &node.name, args)?;
        }
        for group in &blueprint.groups {
            let args = json!({ "min": group.min, "max": group.max, "network": output(&network, "id") });
            add(&GROUP, Concern::NodeGroups, &group.name, args)?;
        }
        Ok(graph)
    }

    fn terraform(&self, _: &Blueprint, _: &Graph) -> terraform::Settings {
        unreachable!("no test exports")
    }

    fn policy(&self, _: &Graph, _: &Blueprint, _: &Owner) -> Value {
        Value::Null
    }

    fn import_id(&self, _: &Addr, live: &Live) -> Option<String> {
        Some(live.id.clone())
    }

    async fn connect(&self, access: Access) -> Result<Arc<dyn Connection>, CloudError> {
        let region = access.region.unwrap_or_else(|| "north".to_owned());
        Ok(Arc::new(Link { region, driver: Driver { shared: self.shared.clone() } }))
    }
}

#[derive(Debug)]
struct Link {
    region: String,
    driver: Driver,
}

#[derive(Debug)]
struct Driver {
    shared: Shared,
}

#[async_trait]
impl Cloud for Link {
    async fn observe(&self, owner: &Owner, scope: &Scope) -> Result<Observed, CloudError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut sky = self.driver.shared.sky();
        sky.calls.push("observe".to_owned());
        let mut observed = Observed { account: Some(sky.account.clone()), ..Observed::default() };
        for ((uid, addr), lives) in &sky.things {
            if *uid == owner.uid && scope.has(&addr.kind) {
                lives.iter().for_each(|live| observed.insert(addr.clone(), live.clone()));
            }
        }
        Ok(observed)
    }

    fn driver(&self, _: &str) -> Option<&dyn AnyDriver> {
        Some(&self.driver)
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        &KINDS
    }

    async fn sweep(&self, _: &Owner) -> Result<Vec<String>, CloudError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Connection for Link {
    fn region(&self) -> &str {
        &self.region
    }

    async fn account(&self) -> Result<Account, CloudError> {
        Ok(Account { id: self.driver.shared.sky().account.clone(), caller: "somebody".to_owned() })
    }

    async fn choose(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
        Fake { shared: self.driver.shared.clone() }.choose_offline(cluster, kept)
    }

    async fn owners(&self, cluster: &str) -> Result<BTreeSet<String>, CloudError> {
        let uids = self.driver.shared.sky().things.keys().map(|(uid, _)| uid.clone()).collect();
        Ok(if cluster == "demo" { uids } else { BTreeSet::new() })
    }

    fn recall(&self, _: &Choices) {}

    fn hint(&self, error: &CloudError) -> Option<String> {
        (error.fault == Fault::Quota).then(|| "ask for more".to_owned())
    }

    fn store(&self, _: &str) -> Option<Result<Arc<dyn Store>, String>> {
        None
    }
}

impl Driver {
    /// Notes a call; the refusal that is due, or whether to hang after it.
    fn called(&self, verb: &str, call: &Call) -> Result<bool, CloudError> {
        let mut sky = self.shared.sky();
        let text = format!("{verb} {}", call.addr);
        sky.calls.push(text.clone());
        match sky.refuse.get(&text) {
            Some(error) => Err(error.clone()),
            None => Ok(sky.hang_after.contains(&text)),
        }
    }

    async fn answer(hang: bool) {
        if hang {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[async_trait]
impl AnyDriver for Driver {
    async fn create(&self, call: &Call, want: &Value) -> Result<Live, CloudError> {
        let hang = self.called("create", call)?;
        let live = {
            let mut sky = self.shared.sky();
            sky.made += 1;
            let mut live = Live::new(format!("{}-{}", call.addr.name, sky.made));
            live.args = want.clone();
            let key = (call.owner.uid.clone(), call.addr.clone());
            sky.things.entry(key).or_default().push(live.clone());
            live
        };
        Self::answer(hang).await;
        Ok(live)
    }

    async fn update(&self, call: &Call, live: &Live, want: &Value, _: &[String]) -> Result<Live, CloudError> {
        let hang = self.called("update", call)?;
        let changed = Live { args: want.clone(), ..live.clone() };
        {
            let mut sky = self.shared.sky();
            let key = (call.owner.uid.clone(), call.addr.clone());
            for one in sky.things.entry(key).or_default().iter_mut().filter(|one| one.id == live.id) {
                one.clone_from(&changed);
            }
        }
        Self::answer(hang).await;
        Ok(changed)
    }

    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        let hang = self.called("delete", call)?;
        {
            let mut sky = self.shared.sky();
            let key = (call.owner.uid.clone(), call.addr.clone());
            if let Some(all) = sky.things.get_mut(&key) {
                all.retain(|one| one.id != live.id);
            }
            sky.things.retain(|_, all| !all.is_empty());
        }
        Self::answer(hang).await;
        Ok(())
    }

    async fn find(&self, call: &Call, _: &Value) -> Result<Vec<Live>, CloudError> {
        let sky = self.shared.sky();
        let key = (call.owner.uid.clone(), call.addr.clone());
        Ok(sky.things.get(&key).cloned().unwrap_or_default())
    }
}
