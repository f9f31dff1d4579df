//! Attaching, pinning, and what is left when a process is killed.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use trim_common::maps::PolicyWord;
use trim_common::reason::{Class, Reason};
use trim_common::strategy::{Mode, Split};
use trim_user::kernel::maps::{CountersMap, Maps, PolicyMap};
use trim_user::kernel::nic::{Link, XdpAttachment, index_of};
use trim_user::kernel::packet_socket::PacketSocket;
use trim_user::kernel::program::{AttachMode, AttachedMode, LoadOptions, Program};
use trim_user::kernel::{KernelError, netns};
use xtask::lab::{Namespace, VethOptions, VethPair, wait_until};

use crate::frames::{ACK, Frame};
use crate::rig::{SETUP, can_run};

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Names the pin directory to the process that is going to be killed.
const HOLD: &str = "TRIM_TEST_HOLD";

/// Runs `work` in a namespace with a silent veth pair `near` and `far`, besides the loopback interface, which has no
/// driver to run XDP programs in.
pub(crate) fn with_interfaces(test: &str, work: impl FnOnce(&Namespace) + Send) {
    if !can_run(test) {
        return;
    }
    let namespace = Namespace::new("program").unwrap();
    for scope in ["all", "default"] {
        let setting = format!("net.ipv6.conf.{scope}.disable_ipv6=1");
        assert!(
            namespace
                .command("sysctl")
                .args(["-qw", &setting])
                .status()
                .unwrap()
                .success()
        );
    }
    VethPair::silent((&namespace, "near"), (&namespace, "far"), VethOptions::default()).unwrap();
    netns::run_in(&namespace.path(), || work(&namespace)).unwrap();
}

pub(crate) fn load(interface: &str) -> (Program, Maps) {
    let (program, mut maps, _) = Program::load(interface, &LoadOptions::default()).unwrap();
    maps.setup.set(SETUP).unwrap();
    (program, maps)
}

fn attachment(interface: &str) -> XdpAttachment {
    Link::query(index_of(interface).unwrap()).unwrap().xdp
}

fn send(count: u32) {
    let host = |last| (std::net::Ipv4Addr::new(10, 0, 0, last), 80);
    let frame = Frame::tcp(host(1), host(2), ACK, b"payload").make().bytes;
    let socket = PacketSocket::open(index_of("far").unwrap(), 0).unwrap();
    for _ in 0..count {
        socket.send(&frame).unwrap();
    }
}

#[test]
fn an_attached_program_sees_every_packet_and_leaves_with_its_owner() {
    let test = "an_attached_program_sees_every_packet_and_leaves_with_its_owner";
    with_interfaces(test, |_| {
        for (mode, attached, shown) in [
            (AttachMode::Auto, AttachedMode::Native, XdpAttachment::Native),
            (AttachMode::Generic, AttachedMode::Generic, XdpAttachment::Generic),
        ] {
            let (mut program, maps) = load("near");
            assert_eq!(program.attach(mode).unwrap(), attached);
            assert_eq!(attachment("near"), shown);
            assert!(!program.is_pinned());
            send(100);
            let arrived = || maps.counters.read().unwrap().get(Reason::PassedNoSocket) == 100;
            assert!(wait_until(PATIENCE, arrived));
            let counts = maps.counters.read().unwrap();
            assert_eq!(
                (
                    counts.get(Reason::Tcp),
                    counts.of_class(Class::Total),
                    counts.imbalance()
                ),
                (100, 100, 0)
            );
            drop(program);
            assert_eq!(attachment("near"), XdpAttachment::None);
        }
    });
}

#[test]
fn a_driver_without_xdp_gets_generic_mode_or_a_clear_refusal() {
    with_interfaces("a_driver_without_xdp_gets_generic_mode_or_a_clear_refusal", |_| {
        let (mut program, _maps) = load("lo");
        let error = program.attach(AttachMode::Native).unwrap_err();
        assert!(matches!(error, KernelError::NativeRefused { .. }), "{error:?}");
        assert!(error.to_string().contains("`lo` refuses native XDP"), "{error}");
        assert_eq!(program.attach(AttachMode::Auto).unwrap(), AttachedMode::Generic);
    });
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    with_interfaces("an_interface_that_is_not_there_is_named", |namespace| {
        let (mut program, _maps) = load("near");
        namespace.ip("link del near").unwrap();
        let error = program.attach(AttachMode::Auto).unwrap_err();
        assert!(error.to_string().contains("there is no interface `near`"), "{error}");
    });
}

#[test]
fn a_foreign_program_is_not_replaced() {
    with_interfaces("a_foreign_program_is_not_replaced", |_| {
        let (mut first, _maps) = load("near");
        first.attach(AttachMode::Native).unwrap();
        let (mut second, _maps) = load("near");
        for mode in [AttachMode::Auto, AttachMode::Native, AttachMode::Generic] {
            let error = second.attach(mode).unwrap_err();
            assert!(matches!(error, KernelError::OtherProgram { .. }), "{mode:?}: {error:?}");
        }
        assert_eq!(attachment("near"), XdpAttachment::Native);
    });
}

#[test]
fn an_interface_that_goes_away_takes_the_program_with_it() {
    with_interfaces("an_interface_that_goes_away_takes_the_program_with_it", |namespace| {
        let (mut program, maps) = load("near");
        program.attach(AttachMode::Auto).unwrap();
        namespace.ip("link del near").unwrap();
        assert_eq!(maps.counters.read().unwrap().imbalance(), 0);
        drop(program);
    });
}

/// A BPF file system of the test's own, gone with this value.
struct Pins {
    folder: tempfile::TempDir,
}

impl Pins {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "bpf", "bpf"])
            .arg(folder.path())
            .status();
        assert!(mounted.unwrap().success());
        Self { folder }
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("trim").join("near")
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.folder.path()).status();
        assert!(unmounted.unwrap().success());
    }
}

fn load_pinned(directory: &Path) -> Result<(Program, Maps), KernelError> {
    let options = LoadOptions {
        flow_entries: 1024,
        pin_directory: Some(directory.into()),
    };
    let (program, mut maps, _) = Program::load("near", &options)?;
    let mut setup = SETUP;
    setup.drop_without_socket = 1;
    maps.setup.set(setup)?;
    Ok((program, maps))
}

/// The other process: captures until it is killed.
fn hold(directory: &Path) -> ! {
    let (mut program, _maps) = load_pinned(directory).unwrap();
    program.attach(AttachMode::Auto).unwrap();
    assert!(program.is_pinned());
    println!("held");
    loop {
        std::thread::park();
    }
}

/// Starts this same test in another process of the namespace, which then [`hold`]s.
fn start_holder(namespace: &Namespace, test: &str, directory: &Path) -> Child {
    let mut command = namespace.command(env::current_exe().unwrap());
    command.args([&format!("interfaces::{test}"), "--exact", "--nocapture"]);
    let mut child = command.env(HOLD, directory).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(
        output.lines().map_while(Result::ok).any(|line| line.contains("held")),
        "the other process did not start"
    );
    child
}

#[test]
fn a_killed_process_leaves_its_policy_in_force_and_a_successor_takes_over() {
    let test = "a_killed_process_leaves_its_policy_in_force_and_a_successor_takes_over";
    if let Some(directory) = env::var_os(HOLD) {
        hold(Path::new(&directory));
    }
    with_interfaces(test, |namespace| {
        let pins = Pins::mount();
        let directory = pins.directory();
        let mut holder = start_holder(namespace, test, &directory);

        let error = load_pinned(&directory).err().expect("the directory is held");
        assert!(error.to_string().contains("another trim captures on `near`"), "{error}");

        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(attachment("near"), XdpAttachment::Native, "the pinned link holds");
        let counters = CountersMap::open(&directory).unwrap();
        send(50);
        assert!(wait_until(PATIENCE, || counters
            .read()
            .unwrap()
            .get(Reason::DroppedNoSocket)
            == 50));

        let (mut program, maps) = load_pinned(&directory).unwrap();
        assert_eq!(program.attach(AttachMode::Auto).unwrap(), AttachedMode::Native);
        assert!(program.is_pinned());
        send(20);
        assert!(wait_until(PATIENCE, || maps
            .counters
            .read()
            .unwrap()
            .get(Reason::DroppedNoSocket)
            == 20));
        drop(program);
        assert_eq!(attachment("near"), XdpAttachment::None);
        assert!(!directory.exists(), "a clean end leaves nothing pinned");
    });
}

#[test]
fn a_successor_that_wants_another_mode_attaches_afresh() {
    let test = "a_successor_that_wants_another_mode_attaches_afresh";
    if let Some(directory) = env::var_os(HOLD) {
        hold(Path::new(&directory));
    }
    with_interfaces(test, |namespace| {
        let pins = Pins::mount();
        let mut holder = start_holder(namespace, test, &pins.directory());
        holder.kill().unwrap();
        holder.wait().unwrap();
        let (mut program, _maps) = load_pinned(&pins.directory()).unwrap();
        assert_eq!(program.attach(AttachMode::Generic).unwrap(), AttachedMode::Generic);
        assert_eq!(attachment("near"), XdpAttachment::Generic);
    });
}

#[test]
fn the_policy_of_another_process_can_be_switched_through_its_pin() {
    with_interfaces("the_policy_of_another_process_can_be_switched_through_its_pin", |_| {
        let pins = Pins::mount();
        let (_program, mut maps) = load_pinned(&pins.directory()).unwrap();
        maps.policy.switch_immediately(Mode::Scanning, Split::ALL).unwrap();
        let mut pinned = PolicyMap::open(&pins.directory()).unwrap();
        assert_eq!(pinned.get().unwrap(), PolicyWord::new(Mode::Scanning, Split::ALL, 1));
        pinned.switch_immediately(Mode::Legacy, Split::NONE).unwrap();
        assert_eq!(
            maps.policy.get().unwrap(),
            PolicyWord::new(Mode::Legacy, Split::NONE, 2)
        );
    });
}

#[test]
fn a_process_without_the_capabilities_is_told_which_are_missing() {
    const DROPPED: &str = "TRIM_TEST_WITHOUT_CAPABILITIES";
    let test = "a_process_without_the_capabilities_is_told_which_are_missing";
    if env::var_os(DROPPED).is_some() {
        let error = Program::load("lo", &LoadOptions::default())
            .err()
            .expect("the capabilities are dropped");
        println!("{error}");
        return;
    }
    if !can_run(test) {
        return;
    }
    let mut command = Command::new("setpriv");
    let keep = "-all,+net_raw,+dac_override";
    command.args([&format!("--inh-caps={keep}"), &format!("--bounding-set={keep}")]);
    command.arg(env::current_exe().unwrap());
    command.args([&format!("interfaces::{test}"), "--exact", "--nocapture"]);
    let output = command.env(DROPPED, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = "no permission to create BPF maps: CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN missing";
    assert!(
        text.contains(expected),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
