use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::Fault;
use clusterctl_core::plan::{Point, Verb};
use clusterctl_core::store::state::{AppliedSpec, Birth, Recorded};
use clusterctl_core::timeline::{Phase, Refused};
use jiff::Timestamp;

use super::*;

const HOSTILE: &str = "\"><script>alert('x')</script><img src=https://evil.example/x onerror=`y`>&amp;\u{202e}";

fn addr(text: &str) -> Addr {
    text.parse().expect("an address")
}

/// One step that begins when another is done.
pub(crate) fn step(address: &str, phase: Phase, after: &[usize], expected: f64, ran: Option<(f64, f64)>) -> StepTime {
    StepTime {
        address: addr(address),
        verb: Verb::Create,
        phase,
        after: after.iter().map(|&id| (id, Point::Done)).collect(),
        expected,
        started: ran.map(|(from, _)| from),
        created: None,
        ended: ran.map(|(_, to)| to),
        retries: 0,
        faults: BTreeMap::new(),
        rungs: 0,
        refused: None,
    }
}

fn account(text: &str) -> Account {
    use rand::SeedableRng as _;
    let birth = Birth {
        name: text.to_owned(),
        cloud: text.to_owned(),
        account: Some(text.to_owned()),
        region: text.to_owned(),
        spec: AppliedSpec::default(),
        at: Timestamp::UNIX_EPOCH,
    };
    let mut state = State::new(birth, &mut rand::rngs::StdRng::seed_from_u64(1));
    state.choices.insert("kubernetes".to_owned(), text.into());
    let outputs = BTreeMap::from([("dns_name".to_owned(), Value::from(text))]);
    let recorded = Recorded {
        id: text.to_owned(),
        outputs,
        depends: Default::default(),
        generation: 0,
        made_at: None,
        unready: None,
    };
    state.resources.insert(format!("x_lb.{text}"), recorded);
    let mut failed = step("x_lb.api", Phase::LoadBalancer, &[0], 100.0, Some((12.0, 20.0)));
    failed.refused = Some(Refused { fault: Fault::Quota, code: text.to_owned() });
    failed.retries = 2;
    failed.faults.insert(Fault::Throttled, 2);
    let timeline = Timeline {
        uid: state.uid.clone(),
        purpose: Purpose::Apply,
        began_at: Timestamp::UNIX_EPOCH,
        elapsed: 30.0,
        outcome: Outcome::Failed,
        steps: vec![
            step("x_net.main", Phase::Network, &[], 10.0, Some((0.0, 12.0))),
            failed,
            step("x_vm.a", Phase::ControlPlane, &[1], 30.0, None),
        ],
        created: BTreeMap::from([(addr("x_net.main"), Timestamp::UNIX_EPOCH)]),
    };
    Account { state, blueprint: None, timeline: Some(timeline), simulated: false }
}

/// The names of all tags, and of all their attributes.
fn words(page: &str) -> (Vec<String>, Vec<String>) {
    let (mut tags, mut attributes) = (Vec::new(), Vec::new());
    for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        tags.push(tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default().to_owned());
        // Outside of quotes.
        let outside: String = tag.split('"').step_by(2).collect();
        attributes.extend(outside.split(' ').skip(1).map(|word| word.trim_end_matches('=').to_owned()));
    }
    (tags, attributes)
}

#[test]
fn no_value_of_a_record_becomes_part_of_the_page() {
    let (calm, hostile) = (page(&account("demo")), page(&account(HOSTILE)));
    assert_eq!(words(&hostile), words(&calm), "the same tags with the same attributes");
    assert!(!hostile.contains("<script") && !hostile.contains("<img") && !hostile.contains('\u{202e}'));
    assert!(hostile.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let page = page(&account("demo"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    assert!(page.contains(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")));
    let (tags, attributes) = words(&page);
    for tag in ["script", "link", "img", "iframe", "object", "embed", "use", "image", "a", "base", "form"] {
        assert!(!tags.iter().any(|found| found == tag), "{tag}");
    }
    assert!(!attributes.iter().any(|name| name.starts_with("on") || name.contains("href") || name == "src"));
    let style = include_str!("style.css");
    assert!(!style.contains("url(") && !style.contains("@import") && !style.contains('<'));
}

#[test]
fn the_same_record_is_the_same_page_and_every_element_is_closed() {
    let account = account("demo");
    let text = page(&account);
    assert_eq!(text, page(&account));
    let mut open: Vec<String> = Vec::new();
    for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default().to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if name != "!doctype" && name != "meta" {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn what_failed_and_what_was_never_started_is_told_in_words() {
    let page = page(&account("demo"));
    for part in [
        "failed in part: 1 of 3 steps in 30 s",
        "<th scope=\"row\">x_lb.api</th><td>create</td><td>failed</td><td>quota exceeded: demo</td><td>2</td><td>throttled 2x</td>",
        "<td>not started</td>",
        "create x_vm.a: planned 1 min 50 s to 2 min 20 s; not started",
        "create x_lb.api: planned 10 s to 1 min 50 s; actual 12 s to 20 s, failed, on the critical path",
        "the layout is not known",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}

#[test]
fn a_long_run_shows_its_critical_path_and_its_longest_steps() {
    let mut account = account("demo");
    let timeline = account.timeline.as_mut().expect("a run");
    timeline.steps = (0..1000u32)
        .map(|i| step(&format!("x_net.n{i:04}"), Phase::Network, &[], 1.0, Some((0.0, f64::from(i)))))
        .collect();
    timeline.elapsed = 999.0;
    let page = page(&account);
    assert!(page.contains("700 shorter steps are left out here"), "{}", page.len());
    assert!(page.contains("create x_net.n0999: ") && !page.contains("create x_net.n0001: "));
}
