//! The schemas that others refer to: each is compiled once, and a reference finds it by its number. This is what makes
//! recursive models possible.

use std::sync::OnceLock;

use pyo3::PyTraverseError;
use pyo3::pyclass::PyVisit;

use super::node::Node;

#[derive(Default)]
pub struct Definitions(Vec<OnceLock<Node>>);

impl Definitions {
    pub fn reserve(&mut self) -> u32 {
        self.0.push(OnceLock::new());
        u32::try_from(self.0.len() - 1).expect("a schema has fewer definitions")
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forget what was reserved after the first so many.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    pub fn set(&self, number: u32, node: Node) {
        assert!(
            self.0[number as usize].set(node).is_ok(),
            "each definition is compiled once"
        );
    }

    #[inline]
    pub fn get(&self, number: u32) -> &Node {
        self.0[number as usize]
            .get()
            .expect("every reserved definition is compiled before the plan is used")
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0
            .iter()
            .filter_map(OnceLock::get)
            .try_for_each(|node| node.traverse(visit))
    }
}
