//! Hostile strings through everything that is shown: what a cloud answered, who holds a lock, what a file is called.
//!
//! People's text must not steer a terminal or the log of a CI; programs' text must come back equal.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::engine::{Event, Report};
use clusterctl_core::plan::{Plan, Verb};
use clusterctl_core::spec::{Problem, Span};
use clusterctl_core::store::lock::Holder;
use clusterctl_tests::hostile::strings;
use serde_json::{Value, json};

use crate::args::Format;
use crate::failure::{Failure, Kind};
use crate::operations::Notice;
use crate::operations::carry::Watcher;
use crate::output::{Captured, Console};
use crate::views::paint::{Paint, one_line, tame};
use crate::views::progress::{events, plain};
use crate::views::{annotated, data, failure, notice, problems, table};

const PLAIN: Paint = Paint { on: false };

/// A word, properties and data.
type Command = (String, Vec<(String, String)>, String);

/// A command as GitHub's runner takes it out of a line: its word, its properties and its data, unescaped.
///
/// Written after the runner's own `ActionCommand`: the newer form at the start of a line, behind any blanks; the older
/// one, `##[word]`, anywhere.
fn command(line: &str) -> Option<Command> {
    let unescaped = |text: &str, more: &[(&str, &str)]| {
        let all = [more, &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]].concat();
        all.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    if let Some((_, rest)) = line.split_once("##[").or_else(|| line.split_once("##vso[")) {
        let (word, data) = rest.split_once(']')?;
        return Some((word.to_owned(), Vec::new(), data.to_owned()));
    }
    let (head, data) = line.trim().strip_prefix("::")?.split_once("::")?;
    let (word, properties) = head.split_once(' ').unwrap_or((head, ""));
    // The runner knows its commands by their names, which are all like this.
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphabetic() || c == '-') {
        return None;
    }
    let properties = properties.split(',').filter_map(|pair| pair.split_once('='));
    let properties =
        properties.map(|(name, value)| (name.trim().to_owned(), unescaped(value, &[("%3A", ":"), ("%2C", ",")])));
    Some((word.to_owned(), properties.collect(), unescaped(data, &[])))
}

/// The commands that a runner finds in a text. Its reader ends lines at a carriage return, too.
fn commands(text: &str) -> Vec<String> {
    text.split(['\n', '\r']).filter_map(command).map(|(word, ..)| word).collect()
}

/// No command, and nothing that a terminal obeys or that turns the line around.
fn harmless(text: &str, what: &str) {
    assert_eq!(commands(text), [""; 0], "{what}: {text:?}");
    let steers = |c: &char| {
        c.is_control() && *c != '\n' && *c != '\t'
            || ('\u{202a}'..='\u{202e}').contains(c)
            || ('\u{2066}'..='\u{2069}').contains(c)
    };
    assert_eq!(text.chars().find(steers), None, "{what}: {text:?}");
}

fn each(check: impl Fn(&str)) {
    let strings = strings();
    assert!(strings.len() >= 500, "{}", strings.len());
    strings.iter().for_each(|text| check(text));
}

fn cloud_error(text: &str) -> CloudError {
    let mut error = CloudError::new(Fault::Permanent, text, text, text);
    error.request_id = Some(text.into());
    error
}

fn in_file(text: &str) -> Failure {
    let mut problem = Problem::at(text, text).right(text);
    problem.span = Some(Span { line: 1, column: 1, start: 0, end: 0 });
    Failure::in_file(text, text, vec![problem])
}

fn failures(text: &str) -> [Failure; 3] {
    let plain = Failure::new(Kind::Failed, text).detail(text).hint(text);
    [plain, Failure::cloud(&cloud_error(text), Some(text.to_owned())), in_file(text)]
}

#[test]
fn a_failure_is_harmless_to_people_and_to_the_log_of_a_ci() {
    each(|text| {
        for failure in failures(text) {
            harmless(&failure::text(&failure, PLAIN), text);
        }
        let file = in_file(text).file.expect("a file");
        harmless(&problems::text(&file, problems::Severity::Warning, PLAIN), text);
    });
}

/// What is left of a text at the end of a line: the runner trims it before it puts line breaks back.
fn trimmed(text: &str) -> String {
    tame(text).trim_end_matches(|c: char| c.is_whitespace() && c != '\n').to_owned()
}

#[test]
fn an_annotation_is_one_command_that_says_what_was_said() {
    each(|text| {
        for failure in failures(text) {
            let line = failure::annotation(&failure);
            assert!(!line.contains(['\n', '\r']), "{text:?}: {line:?}");
            let (word, properties, said) = command(&line).unwrap_or_else(|| unreachable!("{text:?}: {line:?}"));
            assert_eq!(word, "error", "{text:?}");
            match &failure.file {
                None => {
                    assert_eq!(properties, [], "{text:?}: {line:?}");
                    assert_eq!(said, trimmed(&failure.message), "{text:?}");
                }
                Some(file) => {
                    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
                    assert_eq!(
                        properties,
                        [pair("file", &one_line(text)), pair("line", "1"), pair("col", "1")],
                        "{text:?}: {line:?}"
                    );
                    assert_eq!(said, trimmed(&file.problems[0].to_string()), "{text:?}");
                }
            }
        }
    });
}

#[test]
fn a_failure_comes_back_from_json_and_yaml_as_it_went_in() {
    each(|text| {
        for failure in failures(text) {
            let wanted = failure::data(&failure);
            let json = data::text(Format::Json, &wanted).expect("JSON");
            assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), wanted, "{text:?}");
            let yaml = data::text(Format::Yaml, &wanted).expect("YAML");
            assert_eq!(serde_yaml::from_str::<Value>(&yaml).expect("YAML"), wanted, "{text:?}: {yaml}");
            assert!(wanted.to_string().contains(&json!(failure.message).to_string()), "{text:?}");
        }
    });
}

fn events_with(text: &str) -> Vec<Event> {
    let addr = || Addr::new("aws_vpc", "main");
    let (at, text) = (Duration::from_secs(1), || text.to_owned());
    vec![
        Event::Started { step: 0, addr: addr(), verb: Verb::Create, at },
        Event::Created { step: 0, addr: addr(), id: text(), at },
        Event::Waiting { step: 0, addr: addr(), words: text(), at },
        Event::Retrying { step: 0, addr: addr(), fault: Fault::Throttled, code: text(), attempt: 1, wait: at, at },
        Event::Adopted { step: 0, addr: addr(), id: text(), at },
        Event::Rung { step: 0, addr: addr(), name: text(), at },
        Event::Finished { step: 0, addr: addr(), verb: Verb::Create, at },
        Event::Failed {
            step: 0,
            addr: addr(),
            verb: Verb::Create,
            fault: Fault::Permanent,
            code: text(),
            message: text(),
            at,
        },
    ]
}

fn watched(text: &str, watcher: impl FnOnce(Arc<Console>) -> Box<dyn Watcher>) -> Captured {
    let (console, captured) = Console::captured(&[]);
    let mut watcher = watcher(Arc::new(console));
    watcher.begin(&Plan::default());
    events_with(text).iter().for_each(|event| watcher.event(event));
    watcher.end(&Report::default());
    let mut captured: std::sync::MutexGuard<'_, Captured> = Mutex::lock(&captured).expect("nobody panicked");
    std::mem::take(&mut *captured)
}

#[tokio::test(start_paused = true)]
async fn a_run_is_one_line_for_each_event_and_one_group_whatever_the_cloud_says() {
    each(|text| {
        let said = watched(text, |console| Box::new(plain::Lines::new(console, plain::Fold::GitHub))).err;
        assert_eq!(commands(&said), ["group", "endgroup"], "{text:?}: {said:?}");
        // The group's two lines, the opening, and the five events that are worth one.
        assert_eq!(said.lines().count(), 8, "{text:?}: {said:?}");
        let said = watched(text, |console| Box::new(plain::Lines::new(console, plain::Fold::None))).err;
        harmless(&said, text);
        let said = watched(text, |console| Box::new(plain::Lines::new(console, plain::Fold::GitLab))).err;
        let sections: Vec<&str> = said.lines().filter(|line| line.contains("\r\u{1b}[0K")).collect();
        assert_eq!(sections.len(), 2, "{text:?}: {said:?}");
        assert!(sections[0].starts_with("section_start:") && sections[1].starts_with("section_end:"), "{said:?}");
        assert_eq!(said.matches(['\r', '\u{1b}']).count(), 4, "{text:?}: {said:?}");
    });
}

#[test]
fn events_are_one_json_object_a_line_and_say_what_was_said() {
    each(|text| {
        let said = watched(text, |console| Box::new(events::Events::new(console))).out;
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 10, "{text:?}: {said:?}");
        let field = |event: &str, field: &str| {
            let found = lines.iter().find(|line| line["event"] == event);
            found.map(|line| line[field].clone()).unwrap_or_default()
        };
        for (event, name) in [
            ("created", "id"),
            ("waiting", "words"),
            ("retrying", "code"),
            ("adopted", "id"),
            ("rung", "name"),
            ("failed", "code"),
            ("failed", "message"),
        ] {
            assert_eq!(field(event, name), json!(text), "{event} {name}");
        }
    });
}

#[test]
fn who_holds_a_lock_is_harmless() {
    each(|text| {
        let own = || text.to_owned();
        let holder = Holder {
            run: own(),
            user: own(),
            host: own(),
            pid: 1,
            pid_start: None,
            boot_id: None,
            ci_url: Some(own()),
            command: own(),
        };
        let waiting =
            Notice::WaitingForLock { holder: &holder, expires_in: Duration::ZERO, patience: Duration::from_secs(1) };
        let again = Notice::Again { what: text, error: &cloud_error(text), wait: Duration::ZERO };
        let row = vec![own(), holder.to_string(), own()];
        for line in [notice::text(waiting), notice::text(again)] {
            harmless(&line, text);
            assert_eq!(line.lines().count(), 1, "{text:?}: {line:?}");
        }
        let shown = table::table(&["A", "B", "C"], &[row]);
        harmless(&shown, text);
        assert_eq!(shown.lines().count(), 2, "{text:?}: {shown:?}");
    });
}

#[test]
fn an_annotated_file_holds_every_text_as_it_is() {
    each(|text| {
        let value = json!({"a": text, "list": [text, {"b": text, "c": 1}], "map": {"k": {"d": text}}});
        let yaml = annotated::yaml(&value, &[("a".to_owned(), text.to_owned())].into());
        let again: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|e| unreachable!("{text:?}: {e}: {yaml:?}"));
        assert_eq!(again, value, "{text:?}: {yaml:?}");
        let key = serde_json::Map::from_iter([(text.to_owned(), json!("b"))]);
        // A key of YAML ends within 1024 characters.
        if text.len() <= 400 {
            let yaml = annotated::yaml(&Value::Object(key.clone()), &[].into());
            let again: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|e| unreachable!("{text:?}: {e}: {yaml:?}"));
            assert_eq!(again, Value::Object(key), "{text:?}: {yaml:?}");
        }
    });
}
