//! All contact with the kernel: BPF programs and maps, AF_XDP sockets, network devices, CPU affinity.

pub mod abilities;
pub mod affinity;
pub mod bare;
pub mod child;
pub mod clock;
pub mod confine;
pub mod error;
pub mod events;
pub mod heap;
pub mod maps;
pub mod netns;
pub mod nic;
pub mod packet_socket;
pub mod peer;
pub mod pins;
pub mod program;
pub mod seccomp;
pub mod source;
mod syscall;
pub mod test_run;
pub mod xsk;

pub use error::KernelError;
