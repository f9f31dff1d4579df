//! All contact with the kernel: BPF programs and maps, AF_XDP sockets, network devices, CPU affinity.
