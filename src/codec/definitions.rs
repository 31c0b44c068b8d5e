//! The schemas that others refer to: each is compiled once, and a reference finds it by its number. This is what makes
//! recursive models possible. What else a plan's values share is here too: the names of their maps, and the classes that
//! turn up where they are not declared.

use std::sync::OnceLock;

use pyo3::PyTraverseError;
use pyo3::pyclass::PyVisit;

use super::instance::Classes;
use super::names::Names;
use super::node::Node;
use super::options::PlanOptions;

#[derive(Default)]
pub struct Definitions {
    nodes: Vec<OnceLock<Node>>,
    pub classes: Classes,
    pub names: Names,
}

impl Definitions {
    pub fn new(options: &PlanOptions) -> Self {
        Self {
            classes: Classes::new(options),
            ..Self::default()
        }
    }

    pub fn reserve(&mut self) -> u32 {
        self.nodes.push(OnceLock::new());
        u32::try_from(self.nodes.len() - 1).expect("a schema has fewer definitions")
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Forget what was reserved after the first so many.
    pub fn truncate(&mut self, length: usize) {
        self.nodes.truncate(length);
    }

    pub fn set(&self, number: u32, node: Node) {
        assert!(
            self.nodes[number as usize].set(node).is_ok(),
            "each definition is compiled once"
        );
    }

    #[inline]
    pub fn get(&self, number: u32) -> &Node {
        self.nodes[number as usize]
            .get()
            .expect("every reserved definition is compiled before the plan is used")
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.nodes
            .iter()
            .filter_map(OnceLock::get)
            .try_for_each(|node| node.traverse(visit))?;
        self.classes.traverse(visit)
    }
}
