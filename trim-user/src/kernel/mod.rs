//! All contact with the kernel: BPF programs and maps, AF_XDP sockets, network devices, CPU affinity.

pub mod bare;
pub mod clock;
pub mod netns;
pub mod nic;
pub mod packet_socket;
mod syscall;
pub mod xsk;
