//! The order that `needs` puts on the steps of a workflow.

use std::collections::{BTreeSet, HashMap};

/// The steps of a workflow by index, with what each one waits for. Free of cycles by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    needs: Vec<Vec<usize>>,
    order: Vec<usize>,
}

/// Why steps can't be put in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A step waits for one that does not exist.
    #[error("step `{step}` needs `{need}`, which is not a step of this workflow")]
    Unknown {
        /// The step that waits.
        step: String,
        /// What it waits for.
        need: String,
    },
    /// Steps wait for each other.
    #[error("steps need each other in a circle: {}", circle(.0))]
    Cycle(Vec<String>),
}

impl Graph {
    /// Builds the graph of `steps`, each an id with the ids it needs. Of two steps with the same id the first counts.
    ///
    /// # Errors
    /// [`GraphError`] for the first need that names no step, or else for the first circle.
    pub fn new<'a, N>(steps: impl IntoIterator<Item = (&'a str, N)>) -> Result<Self, GraphError>
    where
        N: IntoIterator<Item = &'a str>,
    {
        let steps: Vec<(&str, Vec<&str>)> =
            steps.into_iter().map(|(id, needs)| (id, needs.into_iter().collect())).collect();
        let mut index = HashMap::with_capacity(steps.len());
        for (at, (id, _)) in steps.iter().enumerate() {
            index.entry(*id).or_insert(at);
        }
        let mut needs = Vec::with_capacity(steps.len());
        for (id, wanted) in &steps {
            let mut found = BTreeSet::new();
            for need in wanted {
                let Some(at) = index.get(need) else {
                    return Err(GraphError::Unknown { step: (*id).into(), need: (*need).into() });
                };
                found.insert(*at);
            }
            needs.push(found.into_iter().collect());
        }
        match cycles(&needs).into_iter().next() {
            Some(cycle) => Err(GraphError::Cycle(cycle.into_iter().map(|at| steps[at].0.to_owned()).collect())),
            None => Ok(Self { order: order(&needs), needs }),
        }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.needs.len()
    }

    /// True when there are no steps.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// All steps, each after those it needs; among equals in the order they are written.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The steps that `step` names in its `needs`, in the order they are written; none for an unknown index.
    pub fn needs(&self, step: usize) -> &[usize] {
        self.needs.get(step).map_or(&[], Vec::as_slice)
    }

    /// The steps that `step` needs, directly or through others.
    pub fn ancestors(&self, step: usize) -> BTreeSet<usize> {
        ancestors(&self.needs, step)
    }

    /// The steps that are not finished while all they need is, in the order they are written. Whether one of them
    /// already runs is for the caller to know.
    pub fn ready(&self, finished: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.len()).filter(|&step| !finished(step) && self.needs(step).iter().all(|&need| finished(need))).collect()
    }
}

/// What `step` reaches through `needs`; itself only when it lies on a circle.
pub(super) fn ancestors(needs: &[Vec<usize>], step: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = needs.get(step).cloned().unwrap_or_default();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(needs.get(next).into_iter().flatten());
        }
    }
    found
}

/// One shortest circle for every group of steps that wait for each other, starting with the first written of them.
/// A step that needs itself is a circle of one.
pub(super) fn cycles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let reach: Vec<BTreeSet<usize>> = (0..needs.len()).map(|step| ancestors(needs, step)).collect();
    let mut told = BTreeSet::new();
    let mut cycles = Vec::new();
    for step in 0..needs.len() {
        if reach[step].contains(&step) && !told.contains(&step) {
            told.extend(reach[step].iter().copied().filter(|&other| reach[other].contains(&step)));
            cycles.push(way_back(needs, step));
        }
    }
    cycles
}

/// The names of a circle, the first one again at the end.
pub(super) fn circle(names: &[String]) -> String {
    let closed: Vec<&str> = names.iter().chain(names.first()).map(String::as_str).collect();
    closed.join(" → ")
}

/// The shortest way from `start` along `needs` back to itself, breadth first.
fn way_back(needs: &[Vec<usize>], start: usize) -> Vec<usize> {
    let mut from: HashMap<usize, usize> = HashMap::new();
    let mut ring = vec![start];
    while !ring.is_empty() {
        let mut next_ring = Vec::new();
        for &step in &ring {
            for &need in &needs[step] {
                if need == start {
                    let mut way = vec![step];
                    while let Some(&before) = way.last().and_then(|last| from.get(last)) {
                        way.push(before);
                    }
                    way.reverse();
                    return way;
                }
                if let std::collections::hash_map::Entry::Vacant(slot) = from.entry(need) {
                    slot.insert(step);
                    next_ring.push(need);
                }
            }
        }
        ring = next_ring;
    }
    vec![start]
}

/// Topological order: again and again the first written step whose needs are all placed.
fn order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut waits: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (step, wanted) in needs.iter().enumerate() {
        for &need in wanted {
            dependents[need].push(step);
        }
    }
    let mut ready: BTreeSet<usize> = (0..needs.len()).filter(|&step| waits[step] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(step) = ready.pop_first() {
        order.push(step);
        for &dependent in &dependents[step] {
            waits[dependent] -= 1;
            if waits[dependent] == 0 {
                ready.insert(dependent);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(steps: &[(&'static str, &[&'static str])]) -> Result<Graph, GraphError> {
        Graph::new(steps.iter().map(|(id, needs)| (*id, needs.iter().copied())))
    }

    #[test]
    fn steps_come_after_what_they_need_and_otherwise_as_written() {
        let graph = graph(&[("publish", &["a", "b"]), ("b", &["fetch"]), ("a", &["fetch"]), ("fetch", &[])]).unwrap();
        assert_eq!(graph.order(), [3, 1, 2, 0]);
        assert_eq!(graph.needs(0), [1, 2]);
        assert_eq!(graph.ancestors(0), BTreeSet::from([1, 2, 3]));
        assert_eq!(graph.ready(|_| false), [3]);
        assert_eq!(graph.ready(|step| step == 3), [1, 2]);
        assert_eq!(graph.ready(|step| step != 0), [0]);
        assert!(graph.ready(|_| true).is_empty());
    }

    #[test]
    fn what_cannot_be_ordered_is_named() {
        let told = |steps: &[(&'static str, &[&'static str])]| graph(steps).unwrap_err().to_string();
        insta::assert_snapshot!(told(&[("a", &["b"])]), @"step `a` needs `b`, which is not a step of this workflow");
        insta::assert_snapshot!(told(&[("a", &["a"])]), @"steps need each other in a circle: a → a");
        insta::assert_snapshot!(
            told(&[("a", &[]), ("b", &["a", "d"]), ("c", &["b"]), ("d", &["c"]), ("e", &["d"])]),
            @"steps need each other in a circle: b → d → c → b"
        );
    }

    #[test]
    fn every_group_of_steps_in_a_circle_is_told_once() {
        assert_eq!(cycles(&[vec![1], vec![0], vec![3], vec![2, 0], vec![4]]), [vec![0, 1], vec![2, 3], vec![4]]);
    }
}
