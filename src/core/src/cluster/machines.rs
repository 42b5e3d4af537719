//! What machines are asked to be, and the control plane made of them.

use super::notes::Findings;
use super::types::{Arch, Cloud, ControlPlane, Machine, MachineGpu, MachineRequest};
use crate::names::{DiskSize, MemorySize};
use crate::spec::{ControlPlaneSpec, DiskSpec, MachineGpuSpec, MachineSpec, MachineTypeSpec, field};

const DEFAULT_CPU: u16 = 4;
const DEFAULT_MEMORY: MemorySize = MemorySize::from_gibibytes(16);

/// What kubeadm's own checks ask of a machine of the control plane: two processors and 1700 MiB.
const LEAST_CPU: u16 = 2;
const LEAST_MEMORY: MemorySize = MemorySize::from_gibibytes(2);

/// Fills in a machine that is asked for at `path`; `reason` says why the default is enough for its role.
pub(super) fn machine(
    found: &mut Findings,
    cloud: Cloud,
    path: &str,
    spec: Option<&MachineSpec>,
    reason: &str,
) -> Machine {
    let spec = spec.cloned().unwrap_or_default();
    let gpu = spec.gpu.map(|gpu| machine_gpu(found, path, gpu));
    if let Some(machine_type) = &spec.machine_type {
        return by_type(found, cloud, path, &spec, machine_type, gpu);
    }
    let arch = found.or_default(&field(path, "arch"), spec.arch, Arch::Amd64, "every image exists for it");
    let (cpu, memory) = match (spec.cpu, spec.memory, gpu) {
        (None, None, None) => {
            found.filled_in(field(path, "cpu"), reason);
            found.filled_in(field(path, "memory"), reason);
            (Some(DEFAULT_CPU), Some(DEFAULT_MEMORY))
        }
        (cpu, memory, Some(_)) => (cpu, memory),
        (cpu, memory, None) => {
            let reason = "the least that a node runs well with";
            let cpu = found.or_default(&field(path, "cpu"), cpu, LEAST_CPU, reason);
            let memory = found.or_default(&field(path, "memory"), memory, MemorySize::from_gibibytes(4), reason);
            (Some(cpu), Some(memory))
        }
    };
    if memory.is_some_and(|memory| memory < MemorySize::from_gibibytes(1)) {
        found.problem(field(path, "memory"), "a node needs more memory than that", "at least 1Gi");
    }
    Machine::Request(MachineRequest { cpu, memory, gpu, arch })
}

fn machine_gpu(found: &mut Findings, path: &str, spec: MachineGpuSpec) -> MachineGpu {
    let count = found.or_default(
        &field(&field(path, "gpu"), "count"),
        spec.count,
        std::num::NonZeroU8::MIN,
        "one in each machine",
    );
    MachineGpu { model: spec.model, count }
}

fn by_type(
    found: &mut Findings,
    cloud: Cloud,
    path: &str,
    spec: &MachineSpec,
    machine_type: &MachineTypeSpec,
    gpu: Option<MachineGpu>,
) -> Machine {
    for (name, given) in [("cpu", spec.cpu.is_some()), ("memory", spec.memory.is_some())] {
        if given {
            found.problem(
                field(path, name),
                format!("a machine type says {name} already"),
                format!("either type, or {name}"),
            );
        }
    }
    let name = match machine_type {
        MachineTypeSpec::Here(name) => Some(name),
        MachineTypeSpec::PerCloud(types) => types.on(cloud),
    };
    match name {
        Some(name) => Machine::Type { name: name.clone(), arch: spec.arch, gpu },
        None => {
            found.problem(
                field(path, "type"),
                format!("no type is given for {cloud}, where the cluster is"),
                format!("{cloud}: and a machine type"),
            );
            // Nobody sees it: with a problem there is no cluster.
            Machine::Request(MachineRequest { cpu: spec.cpu, memory: spec.memory, gpu, arch: Arch::Amd64 })
        }
    }
}

/// The size of a disk, from `least` GiB on.
pub(super) fn disk(
    found: &mut Findings,
    path: &str,
    spec: Option<&DiskSpec>,
    least: u32,
    default: DiskSize,
    reason: &str,
) -> DiskSize {
    let path = field(path, "size");
    let size = found.or_default(&path, spec.map(|disk| disk.size), default, reason);
    if size.gibibytes() < least {
        found.problem(path, format!("{size} is too small"), format!("at least {least}Gi"));
    }
    size
}

/// Fills in the control plane, and checks it by itself.
pub(super) fn control_plane(found: &mut Findings, cloud: Cloud, zones: usize, spec: &ControlPlaneSpec) -> ControlPlane {
    let path = "spec.controlPlane";
    let reason = format!("3 control-plane nodes over {zones} zone{}", if zones == 1 { "" } else { "s" });
    let count = found.or_default("spec.controlPlane.count", spec.count, 3, reason);
    if !matches!(count, 1 | 3 | 5) {
        let message = match count {
            0 => "a cluster without a control plane is none".to_owned(),
            even if even % 2 == 0 => format!("{even} survive no more losses than {}: etcd needs a majority", even - 1),
            many => format!("{many} make etcd slower and not safer"),
        };
        found.problem("spec.controlPlane.count", message, "1, 3 or 5");
    }
    let machine_path = field(path, "machine");
    let machine = self::machine(
        found,
        cloud,
        &machine_path,
        spec.machine.as_ref(),
        "enough for etcd and the API server of a hundred nodes",
    );
    if let Machine::Request(request) = &machine {
        if request.gpu.is_some() {
            found.problem(field(&machine_path, "gpu"), "the control plane runs no GPU workloads", "no gpu line");
        }
        if request.cpu.is_some_and(|cpu| cpu < LEAST_CPU) {
            found.problem(field(&machine_path, "cpu"), "kubeadm refuses such a machine", "at least 2");
        }
        if request.memory.is_some_and(|memory| memory < LEAST_MEMORY) {
            found.problem(field(&machine_path, "memory"), "kubeadm refuses such a machine", "at least 2Gi");
        }
    }
    ControlPlane {
        count,
        machine,
        disk: disk(
            found,
            &field(path, "disk"),
            spec.disk.as_ref(),
            20,
            DiskSize::from_gibibytes(50),
            "images of the control plane and logs",
        ),
        etcd_disk: disk(
            found,
            &field(path, "etcdDisk"),
            spec.etcd_disk.as_ref(),
            4,
            DiskSize::from_gibibytes(20),
            "etcd advises against more than 8 GiB of data; a defragmentation needs as much again",
        ),
    }
}

/// Warns of a control plane that is small for so many machines, and of zones that do not help it.
pub(super) fn advise(found: &mut Findings, zones: usize, control_plane: &ControlPlane, machines: u64) {
    if zones == 2 && control_plane.count > 1 {
        found.warning(
            "spec.zones",
            format!(
                "of {} control-plane nodes over 2 zones one zone holds the majority: the cluster stops when that zone does",
                control_plane.count
            ),
            "3 zones, or 1",
        );
    }
    let advised: u16 = match machines {
        ..=100 => 0,
        101..=500 => 8,
        _ => 16,
    };
    if let Machine::Request(MachineRequest { cpu: Some(cpu), .. }) = control_plane.machine
        && cpu < advised
    {
        found.warning(
            "spec.controlPlane.machine",
            format!("{cpu} processors are few for an API server with up to {machines} machines"),
            format!("cpu: {advised}"),
        );
    }
    if machines > 5_000 {
        found.warning(
            "spec.nodeGroups",
            format!("there may be {machines} machines; Kubernetes is tested with 5000"),
            "smaller maxima, or two clusters",
        );
    }
}
