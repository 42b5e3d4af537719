use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::machine::{
    Arch, Checked, Demand, GpuWish, Market, Offerings, Price, Request, Role, Want, resolve,
};
use expect_test::expect;

use super::*;

/// The models that a cluster file can name.
const MODELS: [&str; 10] = ["t4", "v100", "a10g", "l4", "l40s", "a100-40gb", "a100-80gb", "h100", "h200", "b200"];

fn having(cpu: u32, memory_gib: u64, arch: Arch) -> Want {
    Want::Having(Request { cpu, memory_mib: memory_gib * 1024, gpu: None, arch })
}

fn gpu(model: &str, count: u32) -> Want {
    let gpu = Some(GpuWish { model: model.to_owned(), count });
    Want::Having(Request { cpu: 0, memory_mib: 0, gpu, arch: Arch::Amd64 })
}

fn worker(want: Want) -> Demand {
    let zones = zones("eu-central-1").unwrap_or_default().iter().map(|&z| z.to_owned()).collect();
    Demand { want, role: Role::Worker, markets: vec![Market::Spot, Market::OnDemand], zones }
}

fn told(want: &Want) -> String {
    match resolve(&worker(want.clone()), catalogue(), &Offerings::Unknown) {
        Ok(choice) => {
            let price = choice.machine.price.map_or("?".to_owned(), |p| p.to_string());
            let ladder: String = choice.alternatives.iter().map(|t| format!(" {}", t.name)).collect();
            format!("{want}: {} at {price};{ladder}\n", choice.machine.name)
        }
        Err(error) => format!("{want}: {error}\n"),
    }
}

#[test]
fn the_table_makes_sense() {
    let catalogue = catalogue();
    assert!(catalogue.types.len() > 1000);
    assert!(catalogue.types.is_sorted_by(|a, b| a.name < b.name));
    for t in &catalogue.types {
        let (family, size) = t.name.split_once('.').expect("family and size");
        assert!(!family.is_empty() && !size.is_empty(), "{}", t.name);
        assert!(t.cpu > 0 && t.memory_mib >= 512, "{}", t.name);
        assert!(t.interfaces > 0 && t.addresses_per_interface > 0, "{}", t.name);
        assert!(t.price != Some(Price::from_micro_usd(0)), "{}", t.name);
        assert_eq!(t.bare_metal, size.starts_with("metal"), "{}", t.name);
        // Nothing that is rented out costs under a tenth of a cent or over a thousand dollars an hour.
        assert!(t.price.is_none_or(|p| (1_000..1_000_000_000).contains(&p.micro_usd())), "{}", t.name);
        if let Some(gpu) = &t.gpu {
            assert!(gpu.count > 0 && gpu.memory_mib >= 16_000, "{}", t.name);
        }
    }
}

/// A price that was written down wrongly stands out: within a family, AWS charges by the CPU.
#[test]
fn prices_of_a_family_are_in_proportion() {
    let mut families: BTreeMap<&str, Vec<(f64, &str)>> = BTreeMap::new();
    let catalogue = catalogue();
    for t in catalogue.types.iter().filter(|t| !t.bare_metal && !t.burstable && t.gpu.is_none()) {
        if let (Some(price), Some((family, _))) = (t.price, t.name.split_once('.')) {
            families.entry(family).or_default().push((price.usd_per_hour() / f64::from(t.cpu), &t.name));
        }
    }
    let mut odd = BTreeSet::new();
    for prices in families.values_mut() {
        prices.sort_by(|a, b| a.0.total_cmp(&b.0));
        let middle = prices[prices.len() / 2].0;
        odd.extend(prices.iter().filter(|(price, _)| (price / middle - 1.0).abs() > 0.003).map(|(_, name)| *name));
    }
    // AWS's own step: the largest of its family has more memory and another price.
    assert_eq!(odd, BTreeSet::from(["x8i.96xlarge"]));
}

#[test]
fn every_gpu_model_resolves() {
    let mut all = String::new();
    let gpus = catalogue().gpus();
    for model in MODELS {
        for &count in gpus.get(model).expect(model) {
            all += &told(&gpu(model, count));
        }
    }
    for other in [gpu("a10g", 3), gpu("a100-80gb", 1), gpu("t4g", 1)] {
        all += &told(&other);
    }
    expect![[r#"
        gpu t4:1, amd64: g4dn.xlarge at 0.526; g4dn.2xlarge
        gpu t4:4, amd64: g4dn.12xlarge at 3.912;
        gpu t4:8, amd64: g4dn.metal at 7.824;
        gpu v100:8, amd64: p3dn.24xlarge at 31.212;
        gpu a10g:1, amd64: g5.xlarge at 1.006; g5.2xlarge g5.4xlarge
        gpu a10g:4, amd64: g5.12xlarge at 5.672; g5.24xlarge
        gpu a10g:8, amd64: g5.48xlarge at 16.288;
        gpu l4:1, amd64: g6.xlarge at 0.8048; g6.2xlarge g6.4xlarge gr6.4xlarge
        gpu l4:4, amd64: g6.12xlarge at 4.6016; g6.24xlarge
        gpu l4:8, amd64: g6.48xlarge at 13.3504;
        gpu l40s:1, amd64: g6e.xlarge at 1.861; g6e.2xlarge g6e.4xlarge
        gpu l40s:4, amd64: g6e.12xlarge at 10.49264; g6e.24xlarge
        gpu l40s:8, amd64: g6e.48xlarge at 30.13118;
        gpu a100-40gb:8, amd64: p4d.24xlarge at 21.957642;
        gpu a100-80gb:8, amd64: p4de.24xlarge at 27.44705;
        gpu h100:1, amd64: p5.4xlarge at 6.88;
        gpu h100:8, amd64: p5.48xlarge at 55.04;
        gpu h200:8, amd64: p5en.48xlarge at 63.296;
        gpu b200:8, amd64: p6-b200.48xlarge at 113.9328;
        gpu a10g:3, amd64: no type with gpu a10g:3; a10g comes in 1, 4, 8
        gpu a100-80gb:1, amd64: no type with gpu a100-80gb:1; a100-80gb comes in 8
        gpu t4g:1, amd64: no amd64 type with gpu t4g:1; it comes with arm64
    "#]]
    .assert_eq(&all);
}

#[test]
fn usual_requests_become_usual_types() {
    let mut all = String::new();
    for (cpu, memory) in [(2, 4), (2, 8), (4, 16), (8, 32), (8, 64), (16, 32), (64, 512)] {
        for arch in [Arch::Amd64, Arch::Arm64] {
            all += &told(&having(cpu, memory, arch));
        }
    }
    for name in ["t3.medium", "m5.large", "m5.lrage", "p6-b300.48xlarge"] {
        all += &told(&Want::Exact(name.to_owned()));
    }
    expect![[r#"
        cpu 2, memory 4Gi, amd64: c6a.large at 0.0765; c5a.large c6i.large c5ad.large m5a.large m6a.large
        cpu 2, memory 4Gi, arm64: c6g.large at 0.068; c7g.large c6gd.large m6g.large c8g.large m7g.large
        cpu 2, memory 8Gi, amd64: m5a.large at 0.086; m6a.large m7i.large m5ad.large m8i.large m5d.large
        cpu 2, memory 8Gi, arm64: m6g.large at 0.077; m7g.large m8g.large m6gd.large r6g.large m7gd.large
        cpu 4, memory 16Gi, amd64: m5a.xlarge at 0.172; m6a.xlarge m7i.xlarge m5ad.xlarge m8i.xlarge m5d.xlarge
        cpu 4, memory 16Gi, arm64: m6g.xlarge at 0.154; m7g.xlarge m8g.xlarge m6gd.xlarge r6g.xlarge m7gd.xlarge
        cpu 8, memory 32Gi, amd64: m5a.2xlarge at 0.344; m6a.2xlarge m7i.2xlarge m5ad.2xlarge m8i.2xlarge m5d.2xlarge
        cpu 8, memory 32Gi, arm64: m6g.2xlarge at 0.308; m7g.2xlarge m8g.2xlarge m6gd.2xlarge r6g.2xlarge m7gd.2xlarge
        cpu 8, memory 64Gi, amd64: r5a.2xlarge at 0.452; r6a.2xlarge r5ad.2xlarge r7i.2xlarge r8i.2xlarge r5d.2xlarge
        cpu 8, memory 64Gi, arm64: r6g.2xlarge at 0.4032; r6gd.2xlarge r8g.2xlarge r8gd.2xlarge m6g.4xlarge i4g.2xlarge
        cpu 16, memory 32Gi, amd64: c6a.4xlarge at 0.612; c5a.4xlarge c6i.4xlarge c5ad.4xlarge m5a.4xlarge m6a.4xlarge
        cpu 16, memory 32Gi, arm64: c6g.4xlarge at 0.544; c7g.4xlarge c6gd.4xlarge m6g.4xlarge c8g.4xlarge m7g.4xlarge
        cpu 64, memory 512Gi, amd64: r5a.16xlarge at 3.616; r6a.16xlarge r5ad.16xlarge r7i.16xlarge r8i.16xlarge r5d.16xlarge
        cpu 64, memory 512Gi, arm64: r6g.16xlarge at 3.2256; r6gd.16xlarge r8g.16xlarge r8gd.16xlarge i4g.16xlarge x2gd.16xlarge
        t3.medium: t3.medium at 0.0416;
        m5.large: m5.large at 0.096;
        m5.lrage: no type `m5.lrage` in the catalogue of 2026-10-27; nearest: m5.large, m5.xlarge, m5d.large
        p6-b300.48xlarge: p6-b300.48xlarge at ?;
    "#]].assert_eq(&all);
}

#[test]
fn a_zone_without_the_gpu_is_left_out() {
    let here = |types: &[&str]| types.iter().map(|&t| t.to_owned()).collect::<BTreeSet<_>>();
    let offered = Offerings::Known(BTreeMap::from([
        ("eu-central-1a".to_owned(), here(&["p4de.24xlarge", "g5.xlarge"])),
        ("eu-central-1b".to_owned(), here(&["g5.xlarge"])),
        ("eu-central-1c".to_owned(), here(&["p4de.24xlarge"])),
    ]));
    let choice = resolve(&worker(gpu("a100-80gb", 8)), catalogue(), &offered).expect("two zones have it");
    assert_eq!((choice.machine.name.as_str(), choice.checked), ("p4de.24xlarge", Checked::Offered));
    assert_eq!(choice.zones, ["eu-central-1a", "eu-central-1c"]);
    let dropped: Vec<_> = choice.dropped.iter().map(ToString::to_string).collect();
    assert_eq!(dropped, ["zone eu-central-1b is left out: no type with gpu a100-80gb:8, amd64 is offered there"]);
}

/// The published limits: `nodeadm/internal/kubelet/eni-max-pods.txt` of <https://github.com/awslabs/amazon-eks-ami>.
#[test]
fn pod_limits_are_those_that_aws_publishes() {
    let pods = |name: &str| catalogue().get(name).map(|t| t.max_pods());
    for (name, limit) in [
        ("t3.medium", 17),
        ("m6a.xlarge", 58),
        ("c6in.32xlarge", 394),
        ("g5.48xlarge", 345),
        ("p4d.24xlarge", 737),
        ("p5.4xlarge", 118),
        ("p5.48xlarge", 100),
    ] {
        assert_eq!(pods(name), Some(limit), "{name}");
    }
}
