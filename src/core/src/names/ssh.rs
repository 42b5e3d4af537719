//! Public SSH keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Invalid, shown, text_word};

/// The algorithm of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SshAlgorithm {
    /// Ed25519. Every cloud that is supported takes it.
    Ed25519,
    /// RSA with at least 2048 bits. Every cloud that is supported takes it.
    Rsa,
    /// ECDSA over a NIST curve. Some clouds' key stores refuse it; it works where it travels in user-data.
    Ecdsa,
}

impl SshAlgorithm {
    const NAMES: [(&str, Self); 5] = [
        ("ssh-ed25519", Self::Ed25519),
        ("ssh-rsa", Self::Rsa),
        ("ecdsa-sha2-nistp256", Self::Ecdsa),
        ("ecdsa-sha2-nistp384", Self::Ecdsa),
        ("ecdsa-sha2-nistp521", Self::Ecdsa),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, algorithm)| algorithm)
    }
}

const RIGHT: &str = "one line of a .pub file: ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, the key, a comment";

text_word!(
    /// A public SSH key as one line of a `.pub` file.
    ///
    /// The inner blob is read: a key that was cut while copying is refused here and not by a machine that nobody can
    /// enter.
    SshKey,
    public_key,
    "ssh-key",
    r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,3}( .*)?$",
    "Public SSH key: one line of a .pub file.",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f demo@example.com"
);

impl SshKey {
    /// The algorithm of the key.
    pub fn algorithm(&self) -> SshAlgorithm {
        let name = self.as_str().split(' ').next().unwrap_or_default();
        // The parser let in no other name.
        SshAlgorithm::named(name).unwrap_or(SshAlgorithm::Ed25519)
    }

    /// The key without its comment: what makes two keys the same.
    pub fn without_comment(&self) -> &str {
        let end = self.as_str().match_indices(' ').nth(1).map_or(self.as_str().len(), |(at, _)| at);
        &self.as_str()[..end]
    }
}

fn public_key(text: &str) -> Result<(), Invalid> {
    Invalid::unless_sized(text, 16_384, RIGHT)?;
    if text.contains("PRIVATE KEY") {
        // The text itself is kept out of the message.
        return Err(Invalid::shape("is a private key, which must not leave your machine", RIGHT));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::shape("has a line break or another control character", RIGHT));
    }
    let mut words = text.splitn(3, ' ');
    let (name, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let algorithm = SshAlgorithm::named(name)
        .ok_or_else(|| Invalid::shape(format!("{} is no key algorithm that is accepted", shown(name)), RIGHT))?;
    let cut = || Invalid::shape(format!("the {name} key is damaged or was cut"), RIGHT);
    let blob = STANDARD.decode(body).map_err(|_| cut())?;
    let mut fields = Fields { rest: &blob };
    if fields.next() != Some(name.as_bytes()) {
        return Err(cut());
    }
    let sound = match algorithm {
        SshAlgorithm::Ed25519 => fields.next().is_some_and(|key| key.len() == 32),
        SshAlgorithm::Ecdsa => fields.next().is_some() && fields.next().is_some_and(|point| point.len() >= 65),
        SshAlgorithm::Rsa => {
            let exponent = fields.next().is_some();
            let modulus = fields.next().ok_or_else(cut)?;
            let bits = modulus.iter().skip_while(|byte| **byte == 0).count() * 8;
            if bits < 2048 {
                return Err(Invalid::shape(
                    format!("the RSA key has {bits} bits, fewer than clouds accept"),
                    "an ed25519 key, or RSA with at least 2048 bits",
                ));
            }
            exponent
        }
    };
    if sound && fields.rest.is_empty() { Ok(()) } else { Err(cut()) }
}

/// The fields of an SSH wire blob: each a big-endian length of four bytes and so many bytes (RFC 4251, section 5).
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(field)
    }
}
