//! Reads back what the node script says on its console.
//!
//! One line per event, in this order of fields:
//! ```text
//! clusterctl: phase=NAME state=start|wait|ok|failed elapsed=Ns [line=N] [message=to the end of the line]
//! ```
//! The last phase of a run that succeeded is `bootstrap`, state `ok`. Whatever stands before `clusterctl:` (kernel
//! time stamps, `cloud-init[812]:`) is somebody else's; so are lines that do not follow the form.

use std::time::Duration;

use serde::Serialize;

/// One line of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseReport {
    pub phase: String,
    pub state: PhaseState,
    /// Since the phase began; for the phase `bootstrap` since the run began.
    pub elapsed: Duration,
    /// Line of the script at which it failed.
    pub line: Option<u32>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseState {
    Start,
    /// Still waiting, for what the message says.
    Wait,
    Ok,
    Failed,
}

/// Finds every report in the text of a console, in order.
pub fn parse(console: &str) -> Vec<PhaseReport> {
    console.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<PhaseReport> {
    let (_, fields) = line.split_once("clusterctl: phase=")?;
    // The console ends its lines with a carriage return, and a getty may have coloured what came before.
    let fields = fields.trim_end_matches(['\r', ' ']);
    let (phase, rest) = fields.split_once(" state=")?;
    let (state, rest) = rest.split_once(" elapsed=")?;
    let state = match state {
        "start" => PhaseState::Start,
        "wait" => PhaseState::Wait,
        "ok" => PhaseState::Ok,
        "failed" => PhaseState::Failed,
        _ => return None,
    };
    let (rest, message) = match rest.split_once(" message=") {
        Some((rest, message)) => (rest, Some(message.to_owned())),
        None => (rest, None),
    };
    let (elapsed, line) = match rest.split_once(" line=") {
        Some((elapsed, line)) => (elapsed, Some(line.parse().ok()?)),
        None => (rest, None),
    };
    let elapsed = Duration::from_secs(elapsed.strip_suffix('s')?.parse().ok()?);
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!phase.is_empty() && phase.bytes().all(is_name)).then(|| PhaseReport {
        phase: phase.to_owned(),
        state,
        elapsed,
        line,
        message,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reports_are_found_among_what_others_print() {
        let console = "[    1.234567] Linux version 6.1.0\r\n\
            [   20.5] cloud-init[812]: clusterctl: phase=containerd state=start elapsed=0s\r\n\
            Debian GNU/Linux 12 ip-10-0-0-1 ttyS0\r\n\
            clusterctl: phase=containerd state=ok elapsed=12s\r\n\
            clusterctl: phase=join state=failed elapsed=31s line=207 message=kubeadm join: error state=ok elapsed=1s\r\n\
            clusterctl: phase=join state=exploded elapsed=31s\n\
            clusterctl: phase=join state=ok elapsed=soon\n\
            clusterctl: phase= state=ok elapsed=1s\n";
        let report = |phase: &str, state, elapsed, line, message: Option<&str>| PhaseReport {
            phase: phase.to_owned(),
            state,
            elapsed: Duration::from_secs(elapsed),
            line,
            message: message.map(str::to_owned),
        };
        assert_eq!(
            parse(console),
            [
                report("containerd", PhaseState::Start, 0, None, None),
                report("containerd", PhaseState::Ok, 12, None, None),
                report("join", PhaseState::Failed, 31, Some(207), Some("kubeadm join: error state=ok elapsed=1s")),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(clusterctl: phase=|state=|elapsed=|line=|message=| |[a-z0-9=\\r\\n]|\\PC){0,60}") {
            parse(&text);
        }
    }
}
