//! How long a graph takes by its longest chain, and walked as others walk theirs.
//!
//! Waves and ten at a time are models of tools, and kind ones: their tools ask nothing, look at nothing and notice at
//! once when something is ready. Both start a step when what it waits for is done; that some outputs are known earlier is
//! nothing that they make use of.

use std::collections::BTreeSet;

use clusterctl_core::plan::{Point, StepId};

use super::model::Seconds;

/// A step: what it waits for, and how long it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) after: &'a [(StepId, Point)],
    pub(super) seconds: Seconds,
}

/// The longest chain of steps that wait for each other; `None` for a graph with a cycle.
pub(super) fn critical_path(tasks: &[Task<'_>]) -> Option<f64> {
    let mut begins = vec![0.0_f64; tasks.len()];
    for id in order(tasks)? {
        let came = tasks[id].after.iter().map(|(other, point)| {
            let Seconds { answer, ready } = tasks[*other].seconds;
            begins[*other] + if *point == Point::Created { answer } else { ready }
        });
        begins[id] = came.fold(0.0, f64::max);
    }
    Some(begins.iter().zip(tasks).map(|(begin, task)| begin + task.seconds.ready).fold(0.0, f64::max))
}

/// Everything that waits for nothing else at once, and the next wave when all of that is done, as kops does
/// (`RunTasks` in <https://github.com/kubernetes/kops/blob/master/upup/pkg/fi/executor.go>).
pub(super) fn waves(tasks: &[Task<'_>]) -> Option<f64> {
    let mut waves: Vec<f64> = Vec::new();
    let mut wave_of = vec![0; tasks.len()];
    for id in order(tasks)? {
        let wave = tasks[id].after.iter().map(|(other, _)| wave_of[*other] + 1).max().unwrap_or(0);
        wave_of[id] = wave;
        if waves.len() <= wave {
            waves.resize(wave + 1, 0.0);
        }
        waves[wave] = waves[wave].max(tasks[id].seconds.ready);
    }
    Some(waves.iter().sum())
}

/// Each as soon as what it waits for is done, and at most so many at the same time, first come, first served, as
/// Terraform does.
pub(super) fn at_a_time(tasks: &[Task<'_>], most: usize) -> Option<f64> {
    order(tasks)?;
    let (mut left, dependants) = edges(tasks);
    // What is free, by when it came to be; and what is under way, by its end. Times that are no negative numbers are in
    // the order of their bits.
    let mut free: BTreeSet<(u64, StepId)> = (0..tasks.len()).filter(|&id| left[id] == 0).map(|id| (0, id)).collect();
    let mut under_way: BTreeSet<(u64, StepId)> = BTreeSet::new();
    let mut now = 0.0_f64;
    loop {
        while under_way.len() < most
            && let Some((_, id)) = free.pop_first()
        {
            under_way.insert(((now + tasks[id].seconds.ready).to_bits(), id));
        }
        let Some((end, id)) = under_way.pop_first() else { return Some(now) };
        now = f64::from_bits(end);
        for &dependant in &dependants[id] {
            left[dependant] -= 1;
            if left[dependant] == 0 {
                free.insert((end, dependant));
            }
        }
    }
}

/// How many each waits for, and who waits for each.
fn edges(tasks: &[Task<'_>]) -> (Vec<usize>, Vec<Vec<StepId>>) {
    let mut dependants: Vec<Vec<StepId>> = vec![Vec::new(); tasks.len()];
    for (id, task) in tasks.iter().enumerate() {
        for (other, _) in task.after {
            dependants[*other].push(id);
        }
    }
    (tasks.iter().map(|task| task.after.len()).collect(), dependants)
}

/// Every step behind those that it waits for.
fn order(tasks: &[Task<'_>]) -> Option<Vec<StepId>> {
    let (mut left, dependants) = edges(tasks);
    let mut order: Vec<StepId> = (0..tasks.len()).filter(|&id| left[id] == 0).collect();
    let mut at = 0;
    while let Some(&id) = order.get(at) {
        at += 1;
        for &dependant in &dependants[id] {
            left[dependant] -= 1;
            if left[dependant] == 0 {
                order.push(dependant);
            }
        }
    }
    (order.len() == tasks.len()).then_some(order)
}

#[cfg(test)]
mod tests {
    use Point::{Created, Done};

    use super::*;

    fn task(after: &[(StepId, Point)], ready: f64) -> Task<'_> {
        Task { after, seconds: Seconds { answer: 1.0_f64.min(ready), ready } }
    }

    #[test]
    fn a_long_step_beside_a_chain_holds_up_waves_only() {
        // 0 (10 s) beside 1 (1 s) ─▶ 2 (10 s) ─▶ 3 (1 s).
        let tasks = [task(&[], 10.0), task(&[], 1.0), task(&[(1, Done)], 10.0), task(&[(2, Done)], 1.0)];
        assert_eq!(critical_path(&tasks), Some(12.0));
        // 10, then 10, then 1.
        assert_eq!(waves(&tasks), Some(21.0));
        assert_eq!(at_a_time(&tasks, 10), Some(12.0));
        // One by one: all of them.
        assert_eq!(at_a_time(&tasks, 1), Some(22.0));
    }

    #[test]
    fn known_outputs_are_enough_for_the_critical_path_and_not_for_the_others() {
        // 1 needs only what the answer to 0 says, after 1 s.
        let tasks = [task(&[], 10.0), task(&[(0, Created)], 5.0)];
        assert_eq!(critical_path(&tasks), Some(10.0));
        assert_eq!((waves(&tasks), at_a_time(&tasks, 10)), (Some(15.0), Some(15.0)));
    }

    #[test]
    fn the_longest_chain_waits_when_there_are_too_many_before_it() {
        // Four of 2 s, and 5 s behind the last of them: with two at a time it begins after 4 s.
        let tasks =
            [task(&[], 2.0), task(&[], 2.0), task(&[], 2.0), task(&[], 2.0), task(&[(3, Done)], 5.0), task(&[], 3.0)];
        assert_eq!(critical_path(&tasks), Some(7.0));
        // At 4 s the one that was free from the beginning and the one that has just become free both start.
        assert_eq!(at_a_time(&tasks, 2), Some(9.0));
        // 3 of the beginning is free earlier than 4, which has to wait for 0 to 3 and 5: 2 + 2 + 2 + 2 + 3, then 5.
        assert_eq!(at_a_time(&tasks, 1), Some(16.0));
    }

    #[test]
    fn a_wave_is_as_far_back_as_the_longest_way_to_it() {
        // 3 waits for 0 directly and by way of 1 and 2, all of 1 s: four waves of one.
        let (after1, after2, after3) = ([(0, Done)], [(1, Done)], [(0, Done), (2, Done)]);
        let tasks = [task(&[], 1.0), task(&after1, 1.0), task(&after2, 1.0), task(&after3, 1.0)];
        assert_eq!(waves(&tasks), Some(4.0));
    }

    #[test]
    fn a_cycle_has_no_length() {
        let tasks = [task(&[(1, Done)], 1.0), task(&[(0, Done)], 1.0)];
        assert_eq!((critical_path(&tasks), waves(&tasks), at_a_time(&tasks, 10)), (None, None, None));
    }
}
