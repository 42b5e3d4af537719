//! Where the time of a run went: a table of its phases, and the steps that decided its end.

use std::collections::BTreeSet;
use std::time::Duration;

use clusterctl_core::timeline::{PathStep, Summary};

use super::paint::{Paint, tame};
use super::progress::symbol;
use super::table::table;
use super::{count, span};

/// A line takes no more than this.
const WIDTH: usize = 80;
/// More steps of the critical path are not shown; the report has them all.
const LONGEST: usize = 8;

const HEADS: &[&str] = &["PHASE", "STEPS", "PLANNED", "ACTUAL", "DIFFERENCE", "CRITICAL"];

/// The run for people, as it is said when it has ended.
pub(crate) fn text(summary: &Summary, paint: Paint) -> String {
    let mut rows: Vec<Vec<String>> = summary
        .phases
        .iter()
        .map(|phase| {
            vec![
                phase.phase.title().to_owned(),
                format!("{}/{}", phase.done, phase.steps),
                lasting(phase.planned.seconds),
                phase.actual.map_or("-".to_owned(), |actual| lasting(actual.seconds)),
                phase.actual.map_or("-".to_owned(), |actual| difference(phase.planned.seconds, actual.seconds)),
                if phase.critical_seconds > 0.0 { lasting(phase.critical_seconds) } else { "-".to_owned() },
            ]
        })
        .collect();
    rows.push(vec![
        "All".to_owned(),
        format!("{}/{}", summary.done, summary.steps),
        lasting(summary.planned_seconds),
        lasting(summary.actual_seconds),
        difference(summary.planned_seconds, summary.actual_seconds),
    ]);
    let table = table(HEADS, &rows);
    let (heads, body) = table.split_once('\n').unwrap_or((&table, ""));
    let mut text = format!("{}\n{body}", paint.bold(heads));
    text.push_str(&path(&summary.critical_path, paint));
    text.trim_end().to_owned()
}

fn path(path: &[PathStep], paint: Paint) -> String {
    let Some(last) = path.last() else { return String::new() };
    let mut longest: Vec<usize> = (0..path.len()).collect();
    longest.sort_by(|&a, &b| took(&path[b]).total_cmp(&took(&path[a])).then(a.cmp(&b)));
    longest.truncate(LONGEST);
    let shown: BTreeSet<usize> = longest.into_iter().collect();
    let head = format!("Critical path: {}, {}", count(path.len(), "step"), lasting(last.released));
    let mut text = format!("{}\n", paint.bold(&head));
    for (_, step) in path.iter().enumerate().filter(|(at, _)| shown.contains(at)) {
        let (from, took) = (lasting(step.started), lasting(took(step)));
        let room = WIDTH - 10 - 5 - 13;
        let name = shortened(&tame(&step.address.to_string()), room);
        let pad = " ".repeat(room - name.chars().count());
        text.push_str(&format!("{from:>10}  {} {name}{pad}  {took:>11}\n", symbol(step.verb)));
    }
    if path.len() > shown.len() {
        text.push_str(&format!("{:>10}  {} shorter\n", "", path.len() - shown.len()));
    }
    text
}

/// How long it kept the next one waiting.
fn took(step: &PathStep) -> f64 {
    step.released - step.started
}

/// Seconds as a span for people.
pub(crate) fn lasting(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    // A difference is to look like one of the rounded times beside it.
    let shown = if seconds < 1.0 { seconds } else { seconds.round() };
    span(Duration::try_from_secs_f64(shown).unwrap_or_default())
}

pub(crate) fn difference(planned: f64, actual: f64) -> String {
    let sign = if actual < planned { "-" } else { "+" };
    format!("{sign}{}", lasting((actual - planned).abs()))
}

/// A text in so many characters; what is cut shows.
pub(crate) fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let head: String = text.chars().take(room.saturating_sub(3)).collect();
    format!("{head}...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clusterctl_core::plan::Verb;
    use clusterctl_core::timeline::{Outcome, Phase, PhaseTime, Window};
    use expect_test::expect;

    fn phase(phase: Phase, steps: usize, planned: f64, actual: Option<f64>, critical_seconds: f64) -> PhaseTime {
        let window = |seconds| Window { start: 0.0, seconds };
        let done = if actual.is_some() { steps } else { 0 };
        PhaseTime { phase, steps, done, planned: window(planned), actual: actual.map(window), critical_seconds }
    }

    fn on_path(address: &str, phase: Phase, started: f64, released: f64) -> PathStep {
        let address = address.parse().expect("an address");
        PathStep { address, verb: Verb::Create, phase, started, released, finished: Some(released) }
    }

    fn summary() -> Summary {
        let long = "aws_vpc_security_group_ingress_rule.load-balancer-api-from-the-nodes-themselves";
        Summary {
            outcome: Outcome::Done,
            steps: 172,
            done: 172,
            planned_seconds: 171.0,
            actual_seconds: 5025.3,
            phases: vec![
                phase(Phase::Network, 131, 160.0, Some(175.0), 12.5),
                phase(Phase::LoadBalancer, 31, 171.0, Some(5025.0), 5012.8),
                phase(Phase::ControlPlane, 9, 60.0, Some(45.25), 0.0),
                phase(Phase::Dns, 1, 31.0, None, 0.0),
            ],
            critical_path: vec![
                on_path("aws_vpc.main", Phase::Network, 0.0, 12.5),
                on_path(long, Phase::LoadBalancer, 12.5, 13.0),
                on_path("aws_lb.api", Phase::LoadBalancer, 13.0, 5025.3),
            ],
        }
    }

    #[test]
    fn a_run_ends_with_its_phases_and_its_critical_path() {
        let text = text(&summary(), Paint { on: false });
        expect![[r#"
            PHASE           STEPS     PLANNED      ACTUAL       DIFFERENCE    CRITICAL
            Network         131/131   2 min 40 s   2 min 55 s   +15 s         13 s
            Load balancer   31/31     2 min 51 s   1 h 23 min   +1 h 20 min   1 h 23 min
            Control plane   9/9       1 min 00 s   45 s         -15 s         -
            DNS             0/1       31 s         -            -             -
            All             172/172   2 min 51 s   1 h 23 min   +1 h 20 min
            Critical path: 3 steps, 1 h 23 min
                   0 s  + aws_vpc.main                                                 13 s
                  13 s  + aws_vpc_security_group_ingress_rule.load-balancer...       500 ms
                  13 s  + aws_lb.api                                             1 h 23 min"#]]
        .assert_eq(&text);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn of_a_long_path_the_longest_steps_are_named() {
        let step =
            |i: u32| on_path(&format!("x_net.n{i}"), Phase::Network, f64::from(i * i), f64::from((i + 1) * (i + 1)));
        let critical_path: Vec<PathStep> = (0..12).map(step).collect();
        let text = text(&Summary { critical_path, ..summary() }, Paint { on: false });
        assert!(text.ends_with("4 shorter") && text.contains("Critical path: 12 steps, 2 min 24 s"), "{text}");
        assert!(text.contains("x_net.n4 ") && !text.contains("x_net.n3 "), "{text}");
    }
}
