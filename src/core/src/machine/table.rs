//! The text form of a catalogue: one line a type, so that a new price is one changed line.
//!
//! ```text
//! # as_of: 2026-10-27
//! # source: ...
//! # prices_as_of: 2026-02-09
//! # prices_source: ...
//! # prices_region: us-east-1
//! # name cpu memory_mib arch gpu interfaces addresses efa nvme_gb flags price
//! g5.xlarge 4 16384 amd64 1xa10g/22888 4 15 0 250 p 1.006
//! ```
//! `gpu` is `COUNTxMODEL/MIB` (of each), `flags` are letters: `b` burstable, `p` previous generation, `m` bare metal,
//! `o` on demand only. `-` is none, or an unknown price. Names are sorted. Other lines with `#` are for people.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::types::{Catalogue, Gpu, MachineType, Market, PriceList};

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("the table has no line `# {0}: ...` that can be read")]
    Header(&'static str),
    #[error("line {line}: {what}")]
    Line { line: usize, what: String },
}

impl Catalogue {
    /// Reads a table.
    ///
    /// # Errors
    /// The first line that is not as the module describes, or is out of order.
    pub fn from_table(text: &str) -> Result<Self, TableError> {
        let mut types: Vec<MachineType> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault = |what: String| TableError::Line { line: index + 1, what };
            let machine = row(line).map_err(&fault)?;
            if types.last().is_some_and(|last| last.name >= machine.name) {
                return Err(fault(format!("{} is out of order or there twice", machine.name)));
            }
            types.push(machine);
        }
        Ok(Self {
            as_of: header(text, "as_of")?,
            source: header(text, "source")?,
            prices: PriceList {
                as_of: header(text, "prices_as_of")?,
                source: header(text, "prices_source")?,
                region: header(text, "prices_region")?,
            },
            types,
        })
    }
}

fn header<T: FromStr>(text: &str, key: &'static str) -> Result<T, TableError> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "))
        .find_map(|value| value.trim().parse().ok())
        .ok_or(TableError::Header(key))
}

fn row(line: &str) -> Result<MachineType, String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let &[name, cpu, memory, arch, gpu, interfaces, addresses, efa, nvme, flags, price] = fields.as_slice() else {
        return Err(format!("{} fields instead of 11", fields.len()));
    };
    let flags = none_or(flags).unwrap_or_default();
    if let Some(letter) = flags.chars().find(|c| !"bpmo".contains(*c)) {
        return Err(format!("`{letter}` is no flag"));
    }
    let markets = match flags.contains('o') {
        true => BTreeSet::from([Market::OnDemand]),
        false => BTreeSet::from([Market::Spot, Market::OnDemand]),
    };
    Ok(MachineType {
        name: name.to_owned(),
        cpu: number(cpu)?,
        memory_mib: number(memory)?,
        arch: arch.parse().map_err(said)?,
        gpu: none_or(gpu).map(gpus).transpose()?,
        price: none_or(price).map(str::parse).transpose().map_err(said)?,
        interfaces: number(interfaces)?,
        addresses_per_interface: number(addresses)?,
        efa_interfaces: number(efa)?,
        local_nvme_gb: number(nvme)?,
        burstable: flags.contains('b'),
        current: !flags.contains('p'),
        bare_metal: flags.contains('m'),
        markets,
    })
}

fn gpus(text: &str) -> Result<Gpu, String> {
    let parts = text.split_once('x').and_then(|(count, rest)| Some((count, rest.split_once('/')?)));
    let (count, (model, memory)) = parts.ok_or_else(|| format!("`{text}` is not COUNTxMODEL/MIB"))?;
    Ok(Gpu { model: model.to_owned(), count: number(count)?, memory_mib: number(memory)? })
}

fn none_or(field: &str) -> Option<&str> {
    (field != "-").then_some(field)
}

fn number<T: FromStr>(field: &str) -> Result<T, String> {
    field.parse().map_err(|_| format!("`{field}` is no number"))
}

fn said(error: impl std::error::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::types::{Arch, Price};
    use super::*;

    const HEAD: &str = "# as_of: 2026-10-27\n# source: a\n# prices_as_of: 2026-02-09\n# prices_source: b\n\
                        # prices_region: us-east-1\n";

    #[test]
    fn a_line_becomes_a_type() {
        let text =
            format!("{HEAD}a.1 4 16384 arm64 2xa100-40gb/40960 4 15 1 250 bpmo 1.006\nb.1 1 512 amd64 - 2 4 0 0 - -\n");
        let catalogue = Catalogue::from_table(&text).expect("a good table");
        assert_eq!(catalogue.as_of.to_string(), "2026-10-27");
        assert_eq!((catalogue.source.as_str(), catalogue.prices.source.as_str()), ("a", "b"));
        let a = catalogue.get("a.1").expect("a.1");
        assert_eq!(a.gpu, Some(Gpu { model: "a100-40gb".into(), count: 2, memory_mib: 40960 }));
        assert_eq!((a.arch, a.price, a.max_pods()), (Arch::Arm64, Some(Price::from_micro_usd(1_006_000)), 58));
        assert!(a.burstable && !a.current && a.bare_metal && a.markets == BTreeSet::from([Market::OnDemand]));
        let b = catalogue.get("b.1").expect("b.1");
        assert!(!b.burstable && b.current && !b.bare_metal && b.markets.len() == 2 && b.price.is_none());
        assert_eq!(catalogue.get("c.1"), None);
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = "b.1 1 512 amd64 - 2 4 0 0 - -";
        for (line, what) in [
            ("a.1 1 512", "line 7: 3 fields instead of 11"),
            ("c.1 1 512 amd64 - 2 4 0 0 z -", "line 7: `z` is no flag"),
            ("c.1 x 512 amd64 - 2 4 0 0 - -", "line 7: `x` is no number"),
            ("c.1 1 512 amd64 t4 2 4 0 0 - -", "line 7: `t4` is not COUNTxMODEL/MIB"),
            ("b.1 1 512 amd64 - 2 4 0 0 - -", "line 7: b.1 is out of order or there twice"),
        ] {
            let error = Catalogue::from_table(&format!("{HEAD}{good}\n{line}\n")).expect_err(line);
            assert_eq!(error.to_string(), what);
        }
        let free = Catalogue::from_table(&format!("{HEAD}b.1 1 512 amd64 - 2 4 0 0 - 0\n")).expect_err("free");
        assert!(free.to_string().contains("`0` is no price"), "{free}");
        let headless = Catalogue::from_table(&HEAD.replace("prices_as_of: 2026-02-09", "prices_as_of: soon"));
        assert_eq!(headless, Err(TableError::Header("prices_as_of")));
    }
}
