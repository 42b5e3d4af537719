//! What the user data of a machine says about it.

use clusterctl_core::value::decode;
use serde::{Deserialize, Serialize};

/// What our script was given, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Script {
    pub(super) control_plane: bool,
    pub(super) uid: String,
    pub(super) endpoint: String,
    pub(super) port: String,
    /// The volume for etcd; empty where the root disk has it.
    pub(super) volume: String,
    data_disk: bool,
}

const SYSTEM: [&str; 3] = ["packages", "kernel", "programs"];
const RUNTIME: [&str; 3] = ["containerd", "facts", "kubelet"];

impl Script {
    /// The phases of `templates/node/main.sh` and of its roles. A control-plane node whose disk has served before
    /// rejoins in place of `control-plane`, which is decided when it comes to it.
    pub(super) fn phases(&self) -> Vec<&'static str> {
        let role: &[&str] = match self.control_plane {
            true => &["etcd-disk", "keys", "control-plane", "token"],
            false => &["join-material", "api", "join"],
        };
        let disk: &[&str] = if self.data_disk { &["data-disk"] } else { &[] };
        [&SYSTEM, disk, &RUNTIME, role].concat()
    }
}

/// The script in packed user data, if it is ours.
pub(super) fn of(packed: &str) -> Option<Script> {
    let text = unpacked(packed)?;
    let role = variable(&text, "CCTL_ROLE")?;
    Some(Script {
        control_plane: role == "control-plane",
        uid: variable(&text, "CCTL_UID")?,
        endpoint: variable(&text, "CCTL_API_ENDPOINT").unwrap_or_default(),
        port: variable(&text, "CCTL_API_PORT").unwrap_or_default(),
        volume: variable(&text, "CCTL_ETCD_VOLUME").unwrap_or_default(),
        data_disk: variable(&text, "CCTL_DATA_DISK").is_some(),
    })
}

/// Base64, of gzip or of plain text; a script, or an archive of MIME with one in it.
fn unpacked(packed: &str) -> Option<String> {
    let text = decode(packed)?;
    if text.starts_with("#!") || !text.contains("multipart/") {
        return Some(text);
    }
    let boundary = text.split_once("boundary=\"").and_then(|(_, rest)| rest.split('"').next())?.to_owned();
    let between = format!("--{boundary}");
    let parts = text.split(&between).skip(1);
    let plain = parts.map(|part| {
        let part = part.replace("\r\n", "\n");
        let (head, body) = part.split_once("\n\n").unwrap_or(("", &part));
        if !head.to_ascii_lowercase().contains("content-transfer-encoding: base64") {
            return body.to_owned();
        }
        let packed: String = body.split_whitespace().collect();
        decode(&packed).unwrap_or_default()
    });
    Some(plain.collect::<Vec<_>>().join("\n"))
}

/// The value of `NAME='value'` at the beginning of a line.
fn variable(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix("='"))?;
    Some(value.split('\'').next().unwrap_or_default().to_owned())
}

/// A script such as ours, packed, for tests.
#[cfg(test)]
pub(super) fn packed(role: &str, volume: &str) -> String {
    use clusterctl_core::value::{Encoding, encode};
    let text = format!(
        "#!/bin/bash\nCCTL_API_ENDPOINT='api.example'\nCCTL_ETCD_VOLUME='{volume}'\nCCTL_ROLE='{role}'\n\
         CCTL_CLUSTER='demo'\nCCTL_UID='0011'\nCCTL_API_PORT='6443'\nCCTL_NODE_SUBNETS='10.0.0.0/24'\n"
    );
    encode(&text, Encoding::GzipBase64)
}

/// Base64 of plain text.
#[cfg(test)]
pub(super) fn plain(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_script_is_read_out_of_every_packing() {
        let script = of(&packed("control-plane", "vol-1")).expect("a script");
        assert!(script.control_plane);
        assert_eq!((script.uid.as_str(), script.volume.as_str(), script.port.as_str()), ("0011", "vol-1", "6443"));
        let inner = "#!/bin/bash\nCCTL_ROLE='worker'\nCCTL_UID='0012'\nCCTL_DATA_DISK='block'\n";
        let archive = format!(
            "Content-Type: multipart/mixed; boundary=\"==B==\"\nMIME-Version: 1.0\n\n--==B==\nContent-Type: \
             text/x-shellscript\nContent-Transfer-Encoding: base64\n\n{}\n--==B==--\n",
            plain(inner)
        );
        for packed in [plain(inner), plain(&archive)] {
            let script = of(&packed).expect("a script");
            assert_eq!((script.control_plane, script.uid.as_str()), (false, "0012"));
            assert!(script.phases().contains(&"data-disk"));
        }
        assert_eq!(of(&plain("#!/bin/sh\necho hello\n")), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn the_phases_are_those_of_the_script_of_a_node() {
        const MAIN: &str = include_str!("../../../../../templates/node/main.sh");
        const CONTROL_PLANE: &str = include_str!("../../../../../templates/node/roles/control-plane.sh");
        const WORKER: &str = include_str!("../../../../../templates/node/roles/worker.sh");
        let named = |text: &str| -> Vec<String> {
            let phases = text.lines().filter_map(|line| line.trim().strip_prefix("phase "));
            phases.filter_map(|rest| rest.split(' ').next().map(str::to_owned)).collect()
        };
        for (role, own) in [("control-plane", CONTROL_PLANE), ("worker", WORKER)] {
            let mut script = of(&packed(role, "")).expect("a script");
            script.data_disk = true;
            let wanted: Vec<String> =
                named(MAIN).into_iter().chain(named(own)).filter(|phase| phase != "rejoin").collect();
            assert_eq!(script.phases(), wanted);
        }
    }
}
