//! A graph by numbers: every address that a node mentions is looked up once, and who walks the graph counts.

use std::collections::HashMap;

use super::{Graph, GraphError, Node};
use crate::addr::Addr;
use crate::value::{self, Mention};

pub(crate) struct Links<'a> {
    /// In the order of their addresses; a node's place in here is its number.
    pub(crate) nodes: Vec<&'a Node>,
    numbers: HashMap<(&'a str, &'a str), usize>,
    /// What the nodes mention, in the order of the nodes: another's number, and which output of it.
    mentions: Vec<(usize, &'a str)>,
    /// Where the mentions of each node end.
    ends: Vec<usize>,
}

impl<'a> Links<'a> {
    /// # Errors
    /// Names a mention of what is not in the graph.
    pub(crate) fn of(graph: &'a Graph) -> Result<Self, GraphError> {
        let nodes: Vec<&Node> = graph.iter().collect();
        let numbers = nodes.iter().enumerate().map(|(number, node)| (key(&node.addr), number)).collect();
        let ends = Vec::with_capacity(nodes.len());
        let mut links = Self { nodes, numbers, mentions: Vec::new(), ends };
        for number in 0..links.nodes.len() {
            links.link(links.nodes[number])?;
        }
        Ok(links)
    }

    fn link(&mut self, node: &'a Node) -> Result<(), GraphError> {
        let begin = self.mentions.len();
        let mut dangling = None;
        value::each_mention(&node.args, &mut |mention| match self.numbers.get(&(mention.kind, mention.name)) {
            Some(&number) => self.mentions.push((number, mention.attr)),
            None => dangling = dangling.into_iter().chain([(mention.kind, mention.name)]).min(),
        });
        self.mentions[begin..].sort_unstable();
        self.ends.push(self.mentions.len());
        match dangling {
            Some((kind, name)) => Err(GraphError::Dangling { of: node.addr.clone(), mentioned: Addr::new(kind, name) }),
            None => Ok(()),
        }
    }

    pub(crate) fn mentioned(&self, mention: Mention<'_>) -> Option<usize> {
        self.numbers.get(&(mention.kind, mention.name)).copied()
    }

    /// What a node mentions, sorted; what it mentions twice is there twice.
    pub(crate) fn mentions(&self, number: usize) -> &[(usize, &'a str)] {
        let begin = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.mentions[begin..self.ends[number]]
    }

    /// The nodes that a node mentions, each once, sorted.
    pub(crate) fn needs(&self, number: usize) -> impl Iterator<Item = usize> {
        self.mentions(number).chunk_by(|one, other| one.0 == other.0).map(|same| same[0].0)
    }

    /// An order in which all needs come first.
    ///
    /// # Errors
    /// Names the nodes of a cycle.
    pub(crate) fn order(&self) -> Result<Vec<usize>, GraphError> {
        let mut waiting: Vec<usize> = (0..self.nodes.len()).map(|number| self.needs(number).count()).collect();
        let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for number in 0..self.nodes.len() {
            self.needs(number).for_each(|need| dependants[need].push(number));
        }
        let mut free: Vec<usize> = (0..self.nodes.len()).rev().filter(|&number| waiting[number] == 0).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(number) = free.pop() {
            order.push(number);
            for &dependant in dependants[number].iter().rev() {
                waiting[dependant] -= 1;
                if waiting[dependant] == 0 {
                    free.push(dependant);
                }
            }
        }
        if order.len() == self.nodes.len() {
            return Ok(order);
        }
        let stuck = self.nodes.iter().zip(&waiting).filter(|(_, left)| **left > 0);
        Err(GraphError::Cycle(stuck.map(|(node, _)| node.addr.clone()).collect()))
    }
}

fn key(addr: &Addr) -> (&str, &str) {
    (&addr.kind, &addr.name)
}
