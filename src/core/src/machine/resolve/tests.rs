use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::machine::request::GpuWish;
use crate::machine::types::{Arch, Gpu, Price};

const TABLE: &str = "\
# as_of: 2026-10-27
# source: tests
# prices_as_of: 2026-02-09
# prices_source: tests
# prices_region: r
a.large 2 8192 amd64 - 3 10 0 0 - 0.09
a.xlarge 4 16384 amd64 - 4 15 0 0 - 0.18
arm.large 2 8192 arm64 - 3 10 0 0 - 0.05
b.xlarge 4 16384 amd64 - 4 15 0 0 - 0.17
burst.xlarge 4 16384 amd64 - 4 15 0 0 b 0.01
free.xlarge 4 16384 amd64 - 4 15 0 0 - -
gpu1.16xlarge 64 262144 amd64 1xa10g/22888 8 30 1 1900 p 4.096
gpu1.2xlarge 8 32768 amd64 1xa10g/22888 4 15 0 450 p 1.212
gpu1.xlarge 4 16384 amd64 1xa10g/22888 4 15 0 250 p 1.006
gpu4.12xlarge 48 196608 amd64 4xa10g/22888 15 50 1 3800 p 5.672
gpu8.metal 96 393216 amd64 8xt4/16384 15 50 1 0 m 7.824
metal.metal 96 393216 amd64 - 15 50 1 0 m 0.01
old.xlarge 4 16384 amd64 - 4 15 0 0 p 0.01
t4.xlarge 4 16384 amd64 1xt4/16384 3 10 0 125 o 0.526
t4arm.xlarge 4 8192 arm64 1xt4g/16384 4 15 0 0 - 0.42
";

fn catalogue() -> Catalogue {
    Catalogue::from_table(TABLE).expect("the table of the tests")
}

fn offered(zones: &[(&str, &[&str])]) -> Offerings {
    let set = |types: &[&str]| types.iter().map(|&t| t.to_owned()).collect();
    Offerings::Known(zones.iter().map(|&(zone, types)| (zone.to_owned(), set(types))).collect())
}

fn having(cpu: u32, memory_gib: u64) -> Want {
    Want::Having(Request { cpu, memory_mib: memory_gib * 1024, gpu: None, arch: Arch::Amd64 })
}

fn gpu(model: &str, count: u32) -> Want {
    let gpu = Some(GpuWish { model: model.to_owned(), count });
    Want::Having(Request { cpu: 0, memory_mib: 0, gpu, arch: Arch::Amd64 })
}

fn worker(want: Want, zones: &[&str]) -> Demand {
    let zones = zones.iter().map(|&z| z.to_owned()).collect();
    Demand { want, role: Role::Worker, markets: vec![Market::OnDemand], zones }
}

fn told(demand: &Demand, offered: &Offerings) -> String {
    match resolve(demand, &catalogue(), offered) {
        Ok(choice) => {
            let names = |types: &[MachineType]| types.iter().map(|t| format!(" {}", t.name)).collect::<String>();
            let mut out = format!("{} in {}", choice.machine.name, choice.zones.join(" "));
            for market in &choice.markets {
                out += &format!(", {market}");
            }
            out += &format!(" ({:?})\nladder:{}\n", choice.checked, names(&choice.alternatives));
            for dropped in &choice.dropped {
                out += &format!("{dropped}\n");
            }
            out
        }
        Err(error) => format!("{error}\n"),
    }
}

fn check(demand: &Demand, offered: &Offerings, expected: Expect) {
    expected.assert_eq(&told(demand, offered));
}

const ALL: &[&str] = &[
    "a.large",
    "a.xlarge",
    "b.xlarge",
    "burst.xlarge",
    "free.xlarge",
    "gpu1.16xlarge",
    "gpu1.2xlarge",
    "gpu1.xlarge",
    "gpu4.12xlarge",
    "gpu8.metal",
    "metal.metal",
    "old.xlarge",
    "t4.xlarge",
];

#[test]
fn the_cheapest_that_every_zone_has() {
    let zones = offered(&[("za", ALL), ("zb", ALL), ("zc", &["a.xlarge", "free.xlarge"])]);
    check(
        &worker(having(4, 16), &["za", "zb"]),
        &zones,
        expect![[r#"
        b.xlarge in za zb, on-demand (Offered)
        ladder: a.xlarge
    "#]],
    );
    check(
        &worker(having(4, 16), &["za", "zb", "zc"]),
        &zones,
        expect![[r#"
            a.xlarge in za zb zc, on-demand (Offered)
            ladder:
        "#]],
    );
    check(
        &worker(having(1, 1), &["za"]),
        &Offerings::Unknown,
        expect![[r#"
        a.large in za, on-demand (CatalogueOnly)
        ladder: b.xlarge a.xlarge
    "#]],
    );
}

#[test]
fn a_name_overrides_every_preference() {
    for name in ["burst.xlarge", "old.xlarge", "metal.metal", "free.xlarge"] {
        let choice = resolve(&worker(Want::Exact(name.into()), &["za"]), &catalogue(), &offered(&[("za", ALL)]));
        let choice = choice.expect(name);
        assert_eq!((choice.machine.name.as_str(), choice.alternatives.len()), (name, 0));
    }
}

#[test]
fn gpu_workers_lose_zones_and_control_planes_do_not() {
    let zones = offered(&[("za", ALL), ("zb", &["gpu1.2xlarge"]), ("zc", &["a.large"])]);
    let mut demand = worker(gpu("a10g", 1), &["za", "zb", "zc"]);
    check(
        &demand,
        &zones,
        expect![[r#"
            gpu1.2xlarge in za zb, on-demand (Offered)
            ladder:
            zone zc is left out: no type with gpu a10g:1, amd64 is offered there
        "#]],
    );
    check(
        &worker(Want::Exact("gpu1.xlarge".into()), &["za", "zb"]),
        &zones,
        expect![[r#"
            gpu1.xlarge in za, on-demand (Offered)
            ladder:
            zone zb is left out: gpu1.xlarge is not offered there
        "#]],
    );
    demand.role = Role::ControlPlane;
    check(
        &demand,
        &zones,
        expect![[r#"
        no type with gpu a10g:1, amd64 is offered in zc; nearest: gpu1.2xlarge (gpu a10g:1, not in zc), gpu1.xlarge (gpu a10g:1, not in zb, zc), gpu1.16xlarge (gpu a10g:1, not in zb, zc)
    "#]],
    );
}

#[test]
fn the_ladder_does_not_multiply_the_bill() {
    check(
        &worker(gpu("a10g", 1), &["za"]),
        &offered(&[("za", ALL)]),
        expect![[r#"
        gpu1.xlarge in za, on-demand (Offered)
        ladder: gpu1.2xlarge
    "#]],
    );
}

#[test]
fn rungs_that_are_not_sold_are_named() {
    let zones = offered(&[("za", ALL)]);
    let mut demand = worker(gpu("t4", 1), &["za"]);
    demand.markets = vec![Market::Spot, Market::OnDemand];
    check(
        &demand,
        &zones,
        expect![[r#"
            t4.xlarge in za, on-demand (Offered)
            ladder:
            spot capacity is left out: t4.xlarge is not sold as spot
        "#]],
    );
    demand.markets = vec![Market::Spot];
    check(
        &demand,
        &zones,
        expect![[r#"
        gpu t4:1, amd64 is not sold as spot
    "#]],
    );
}

#[test]
fn a_count_that_only_whole_servers_have_asks_for_one() {
    check(
        &worker(gpu("t4", 8), &["za"]),
        &offered(&[("za", ALL)]),
        expect![[r#"
            gpu8.metal in za, on-demand (Offered)
            ladder:
        "#]],
    );
}

#[test]
fn refusals_name_the_zones_and_the_nearest() {
    let zones = offered(&[("za", &["a.xlarge", "t4.xlarge"]), ("zb", &["b.xlarge", "t4.xlarge"]), ("zc", &[])]);
    let both = &["za", "zb"][..];
    let mut all = String::new();
    for (want, zone) in [
        (gpu("a10g", 3), both),
        (gpu("a10", 1), both),
        (gpu("h100", 1), both),
        (gpu("t4g", 1), both),
        (gpu("a10g", 1), both),
        (Want::Having(Request { cpu: 100, ..request(gpu("a10g", 1)) }), both),
        (having(1000, 16), both),
        (having(4, 16), both),
        (having(4, 16), &["za", "zc"]),
        (having(4, 16), &["zx"]),
        (Want::Exact("b.xlarge".into()), both),
        (Want::Exact("b.xlagre".into()), both),
        (Want::Exact("m5.large".into()), both),
    ] {
        all += &told(&worker(want, zone), &zones);
    }
    expect![[r#"
        no type with gpu a10g:3; a10g comes in 1, 4
        no type with gpu a10; did you mean a10g? there are a10g, t4, t4g
        no type with gpu h100; there are a10g, t4, t4g
        no amd64 type with gpu t4g:1; it comes with arm64
        no type with gpu a10g:1, amd64 is offered in za, zb; nearest: t4.xlarge (gpu t4:1)
        no type with gpu a10g:1, cpu 100, amd64; nearest: gpu1.16xlarge (cpu 64, memory 256Gi), gpu1.2xlarge (cpu 8, memory 32Gi), gpu1.xlarge (cpu 4, memory 16Gi)
        no type with cpu 1000, memory 16Gi, amd64; nearest: b.xlarge (cpu 4, memory 16Gi), a.xlarge (cpu 4, memory 16Gi), free.xlarge (cpu 4, memory 16Gi)
        no type with cpu 4, memory 16Gi, amd64 is offered in all of za, zb; nearest: b.xlarge (not in za), a.xlarge (not in zb)
        no type with cpu 4, memory 16Gi, amd64 is offered in zc; nearest: a.xlarge (not in zc)
        no type with cpu 4, memory 16Gi, amd64 is offered in zx
        b.xlarge is not offered in za; nearest: a.xlarge (not in zb)
        no type `b.xlagre` in the catalogue of 2026-10-27; nearest: b.xlarge, a.xlarge
        no type `m5.large` in the catalogue of 2026-10-27; nearest: arm.large, a.large
    "#]]
    .assert_eq(&all);
}

fn request(want: Want) -> Request {
    match want {
        Want::Having(request) => request,
        Want::Exact(_) => Request::default(),
    }
}

fn any_type(index: usize) -> impl Strategy<Value = MachineType> {
    let size = (0..4u32, 0..4u32, any::<bool>(), 0..4u8, 0..3u32);
    let price = proptest::option::weighted(0.8, 1..6u64);
    let flags = (proptest::bool::weighted(0.2), proptest::bool::weighted(0.8), proptest::bool::weighted(0.2), 0..4u8);
    (size, price, flags).prop_map(
        move |((cpu, memory, arm, model, gpus), price, (burstable, current, bare_metal, sold))| {
            let gpu = match model {
                0 => Some(Gpu { model: "x".into(), count: 1 + gpus % 2, memory_mib: 1024 }),
                1 => Some(Gpu { model: "y".into(), count: 1, memory_mib: 2048 }),
                _ => None,
            };
            let markets: &[Market] = if sold == 0 { &[Market::OnDemand] } else { &[Market::Spot, Market::OnDemand] };
            MachineType {
                name: format!("t{index:02}"),
                cpu: 1 << cpu,
                memory_mib: 1024 << memory,
                arch: if arm { Arch::Arm64 } else { Arch::Amd64 },
                gpu,
                price: price.map(Price::from_micro_usd),
                interfaces: 1,
                addresses_per_interface: 1,
                efa_interfaces: 0,
                local_nvme_gb: 0,
                burstable,
                current,
                bare_metal,
                markets: markets.iter().copied().collect(),
            }
        },
    )
}

fn any_case() -> impl Strategy<Value = (Catalogue, Offerings, Demand)> {
    let types: Vec<_> = (0..16).map(any_type).collect();
    let zones = ["za", "zb", "zc"];
    let present = proptest::collection::vec(proptest::bool::weighted(0.7), 16 * zones.len());
    let gpu = proptest::option::of((prop_oneof![Just("x"), Just("y")], 1..3u32));
    let want = (0..9u32, 0..9u64, gpu, any::<bool>(), proptest::option::weighted(0.2, 0..16usize));
    let markets = prop_oneof![
        Just(vec![]),
        Just(vec![Market::Spot]),
        Just(vec![Market::OnDemand]),
        Just(vec![Market::Spot, Market::OnDemand]),
    ];
    (types, present, want, markets, any::<bool>(), 1..4usize, proptest::bool::weighted(0.9)).prop_map(
        move |(types, present, (cpu, memory, gpu, arm, exact), markets, worker, count, known)| {
            let offers = zones.iter().enumerate().map(|(z, &zone)| {
                let here = types.iter().enumerate().filter(|(t, _)| present[z * 16 + t]).map(|(_, t)| t.name.clone());
                (zone.to_owned(), here.collect::<BTreeSet<_>>())
            });
            let offered = if known { Offerings::Known(offers.collect::<BTreeMap<_, _>>()) } else { Offerings::Unknown };
            let gpu = gpu.map(|(model, count)| GpuWish { model: model.to_owned(), count });
            let arch = if arm { Arch::Arm64 } else { Arch::Amd64 };
            let want = match exact {
                Some(index) => Want::Exact(format!("t{index:02}")),
                None => Want::Having(Request { cpu, memory_mib: memory * 1024, gpu, arch }),
            };
            let role = if worker { Role::Worker } else { Role::ControlPlane };
            let zones = zones[..count].iter().map(|&z| z.to_owned()).collect();
            let catalogue = Catalogue { types, ..catalogue() };
            (catalogue, offered, Demand { want, role, markets, zones })
        },
    )
}

/// The rules once more, in the plainest words, for one type.
fn admissible(t: &MachineType, all: &[MachineType], demand: &Demand) -> bool {
    let plain = |t: &MachineType, r: &Request| {
        let gpu = t.gpu.as_ref().map(|g| (g.model.clone(), g.count));
        let preferred = t.gpu.is_some() || !(t.burstable || t.bare_metal || !t.current);
        t.cpu >= r.cpu
            && t.memory_mib >= r.memory_mib
            && t.arch == r.arch
            && gpu == r.gpu.as_ref().map(|g| (g.model.clone(), g.count))
            && preferred
    };
    match &demand.want {
        Want::Exact(name) => t.name == *name,
        Want::Having(r) => plain(t, r) && !(t.bare_metal && all.iter().any(|o| plain(o, r) && !o.bare_metal)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_choice_satisfies_the_demand_and_no_cheaper_type_does((catalogue, offered, demand) in any_case()) {
        let wanted = if demand.markets.is_empty() { vec![Market::OnDemand] } else { demand.markets.clone() };
        // (zones lost, rungs lost, price, name) of every type that would do.
        let mut would_do = Vec::new();
        for t in catalogue.types.iter().filter(|t| admissible(t, &catalogue.types, &demand)) {
            let lost_zones = demand.zones.iter().filter(|z| !offered.has(z, &t.name)).count();
            let lost_rungs = wanted.iter().filter(|m| !t.markets.contains(m)).count();
            let spared = demand.role == Role::Worker && t.gpu.is_some() && lost_zones < demand.zones.len();
            if lost_rungs < wanted.len() && (lost_zones == 0 || spared) {
                let price = t.price.map_or(u64::MAX, Price::micro_usd);
                would_do.push((lost_zones, lost_rungs, price, t.name.clone()));
            }
        }
        would_do.sort();
        match resolve(&demand, &catalogue, &offered) {
            Err(error) => {
                prop_assert_eq!(would_do, vec![]);
                prop_assert!(!error.to_string().is_empty());
            }
            Ok(choice) => {
                prop_assert_eq!(&choice.machine.name, &would_do[0].3);
                let zones_lost = choice.dropped.iter().filter(|d| matches!(d.what, Lost::Zone(_))).count();
                prop_assert_eq!(choice.zones.len() + zones_lost, demand.zones.len());
                prop_assert!(choice.zones.iter().all(|z| offered.has(z, &choice.machine.name)));
                let rungs_lost = choice.dropped.iter().filter(|d| matches!(d.what, Lost::Market(_))).count();
                prop_assert_eq!(choice.markets.len() + rungs_lost, wanted.len());
                prop_assert!(choice.alternatives.len() <= 5);
                prop_assert!(choice.alternatives.is_sorted_by(|a, b| a.cheaper_first(b).is_lt()));
                for other in &choice.alternatives {
                    prop_assert!(choice.machine.cheaper_first(other).is_lt());
                    prop_assert!(admissible(other, &catalogue.types, &demand));
                    prop_assert!(other.cpu >= choice.machine.cpu && other.memory_mib >= choice.machine.memory_mib);
                    prop_assert_eq!((&other.gpu, other.arch), (&choice.machine.gpu, choice.machine.arch));
                    prop_assert!(choice.zones.iter().all(|z| offered.has(z, &other.name)));
                    prop_assert!(choice.markets.iter().all(|m| other.markets.contains(m)));
                }
                prop_assert_eq!(offered == Offerings::Unknown, choice.checked == Checked::CatalogueOnly);
            }
        }
    }
}
