//! The graph: resources as plain data, in the vocabulary of the Terraform provider.
//!
//! A provider's typed structs implement [`Resource`]; [`Graph::add`] turns one into a [`Node`] and hands back its typed
//! outputs. Edges are never declared: an edge is an output of another node that an argument mentions. A kind's
//! properties, all that plan, engine and export need to know of it, stand in one [`Kind`] table.

pub(crate) mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::addr::Addr;
use crate::value::{self, ENCODING, TEXT};

/// How the ownership of a live resource of this kind is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// It carries the owner's uid and its address as tags.
    Tagged,
    /// It cannot be tagged where it is listed; its name or path holds the owner's uid.
    Named,
    /// It hangs off a resource that is owned, and goes with it.
    Child,
}

/// Which comes first when a resource is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    DeleteFirst,
    /// Its name differs with what it is, so that old and new can live side by side until nothing needs the old one.
    CreateFirst,
}

/// The Terraform file a kind belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    Network,
    Security,
    LoadBalancer,
    ControlPlane,
    NodeGroups,
    Identity,
    Dns,
}

impl Concern {
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Network => "network.tf",
            Self::Security => "security.tf",
            Self::LoadBalancer => "load_balancer.tf",
            Self::ControlPlane => "control_plane.tf",
            Self::NodeGroups => "node_groups.tf",
            Self::Identity => "identity.tf",
            Self::Dns => "dns.tf",
        }
    }
}

/// All that is known of a kind, in one place.
#[derive(Debug)]
pub struct Kind {
    /// The Terraform resource type.
    pub name: &'static str,
    pub ownership: Ownership,
    /// Arguments that the cloud cannot change in place.
    pub forces_new: &'static [&'static str],
    /// Arguments that are nested blocks in HCL, by name at any depth.
    pub blocks: &'static [&'static str],
    /// Arguments that are sets, by name at any depth: their order says nothing.
    pub sets: &'static [&'static str],
    /// Arguments that steer Terraform or the driver and that no cloud gives back.
    pub write_only: &'static [&'static str],
    /// Arguments that say what Terraform's provider does unasked and has no word for: the export leaves them out.
    pub implied: &'static [&'static str],
    /// Outputs that hold before the resource is ready for use: what mentions only these need not wait.
    pub early: &'static [&'static str],
    /// Outputs by which other live resources name it: from these the order of deletion is read off.
    pub identity: &'static [&'static str],
    pub replace: Order,
    /// Its loss is a loss of the user's data.
    pub holds_data: bool,
    /// Asking twice makes one: the cloud takes a token or the name is unique. Of other kinds an unanswered create is
    /// looked for until it would have to be visible.
    pub idempotent: bool,
    /// It is not ready when its create is answered: who did not wait for it has to come back to it.
    pub awaited: bool,
    /// It goes on trying by itself: when it is not ready in time it is waited for again, and never replaced for that.
    pub persists: bool,
    /// It is ready when machines run; `--no-wait` does not wait for it.
    pub machines: bool,
    /// Median seconds to create and to delete, for the order of the queue and for what the plan says.
    pub seconds: (f64, f64),
}

impl Kind {
    /// A kind with the commonest answers; the table of a provider says what differs.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            ownership: Ownership::Tagged,
            forces_new: &[],
            blocks: &[],
            sets: &[],
            write_only: &[],
            implied: &[],
            early: &[],
            identity: &["id"],
            replace: Order::DeleteFirst,
            holds_data: false,
            idempotent: true,
            awaited: false,
            persists: false,
            machines: false,
            seconds: (1.0, 1.0),
        }
    }
}

/// Looks a kind up in a table.
#[must_use]
pub fn kind_of(kinds: &[&'static Kind], name: &str) -> Option<&'static Kind> {
    kinds.iter().copied().find(|kind| kind.name == name)
}

/// A resource is data, in the vocabulary of the Terraform provider, and nothing else.
pub trait Resource: Serialize + DeserializeOwned + Clone {
    const KIND: &'static Kind;
    /// Its outputs, typed.
    type Out: From<Addr>;
}

/// A rung of a capacity ladder: what differs from the arguments when it is the one in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    pub name: String,
    pub patch: Value,
}

#[derive(Debug, Clone)]
pub struct Node {
    pub addr: Addr,
    pub kind: &'static Kind,
    pub concern: Concern,
    /// A JSON object; may mention outputs. A plan shares it.
    pub args: Arc<Value>,
    /// Resources with the same roll are replaced one after another, in the order of their addresses.
    pub roll: Option<String>,
    /// Further rungs, in order, for when the cloud has no capacity.
    pub ladder: Vec<Rung>,
}

impl Node {
    /// The nodes this one mentions.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<Addr> {
        value::mentions(&self.args).into_iter().map(|(addr, _)| addr).collect()
    }
}

#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: BTreeMap<Addr, Node>,
}

/// A fault in a graph, which is a fault in the code that built it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    #[error("{0} is in the graph twice")]
    Twice(Addr),
    #[error("{of} mentions {mentioned}, which is not in the graph")]
    Dangling { of: Addr, mentioned: Addr },
    #[error("the graph has a cycle through {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Cycle(Vec<Addr>),
    #[error("{addr} cannot be written as data: {message}")]
    NotData { addr: Addr, message: String },
}

impl Graph {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resource and gives its outputs.
    ///
    /// # Errors
    /// When the address is taken or the resource is not an object.
    pub fn add<R: Resource>(&mut self, concern: Concern, name: &str, resource: &R) -> Result<R::Out, GraphError> {
        let addr = Addr::new(R::KIND.name, name);
        let args = serde_json::to_value(resource)
            .map(Arc::new)
            .map_err(|e| GraphError::NotData { addr: addr.clone(), message: e.to_string() })?;
        self.insert(Node { addr: addr.clone(), kind: R::KIND, concern, args, roll: None, ladder: Vec::new() })?;
        Ok(R::Out::from(addr))
    }

    /// Adds a node that is data already.
    ///
    /// # Errors
    /// When the address is taken or the arguments are no object.
    pub fn insert(&mut self, mut node: Node) -> Result<(), GraphError> {
        let Value::Object(args) = Arc::make_mut(&mut node.args) else {
            return Err(GraphError::NotData { addr: node.addr, message: "the arguments are no object".to_owned() });
        };
        args.retain(|_, value| !value.is_null());
        if self.nodes.contains_key(&node.addr) {
            return Err(GraphError::Twice(node.addr));
        }
        self.nodes.insert(node.addr.clone(), node);
        Ok(())
    }

    pub fn node_mut(&mut self, addr: &Addr) -> Option<&mut Node> {
        self.nodes.get_mut(addr)
    }

    #[must_use]
    pub fn get(&self, addr: &Addr) -> Option<&Node> {
        self.nodes.get(addr)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Checks that every mention is of a node, and gives an order in which all needs come first.
    ///
    /// # Errors
    /// Names the dangling mention, or the nodes of a cycle.
    pub fn order(&self) -> Result<Vec<&Node>, GraphError> {
        let links = links::Links::of(self)?;
        Ok(links.order()?.into_iter().map(|number| links.nodes[number]).collect())
    }

    /// The graph as small text: one line a node with its needs, then its arguments.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for node in self.iter() {
            let _ = write!(text, "{}", node.addr);
            let needs = node.needs();
            if !needs.is_empty() {
                let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
                let _ = write!(text, " <- {}", needs.join(" "));
            }
            text.push('\n');
            for (name, arg) in node.args.as_object().into_iter().flatten() {
                let _ = writeln!(text, "  {name} = {}", short(arg));
            }
            for rung in &node.ladder {
                let _ = writeln!(text, "  rung {} = {}", rung.name, short(&rung.patch));
            }
        }
        text
    }
}

/// A value on one line; a long text is told by its length and digest.
fn short(value: &Value) -> String {
    fn shorten(value: &Value) -> Value {
        if let Some(output) = value::as_output(value) {
            return Value::String(format!("<{}.{}>", output.0, output.1));
        }
        match value {
            Value::Object(map) if map.contains_key(TEXT) => {
                let whole = map.get(TEXT).map(ToString::to_string).unwrap_or_default();
                let lines = whole.matches("\\n").count();
                let encoding = map.get(ENCODING).and_then(Value::as_str).unwrap_or_default();
                let digest = value::sha256_hex(whole.as_bytes());
                Value::String(format!("<{encoding} text, {lines} lines, {}>", &digest[..12]))
            }
            Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), shorten(v))).collect()),
            Value::Array(items) => Value::Array(items.iter().map(shorten).collect()),
            other => other.clone(),
        }
    }
    shorten(value).to_string()
}
