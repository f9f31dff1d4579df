//! Tags every frame that leaves an interface with a VLAN, as a SPAN port on a trunk does.
//!
//! The laboratory attaches it with `tc` where a mirror leaves, because many kernels come without VLAN interfaces
//! (`CONFIG_VLAN_8021Q`). It is an object of its own: `tc` cannot read the maps of the XDP programs.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(target_arch = "bpf")]
mod program {
    use aya_ebpf::bindings::TC_ACT_OK;
    use aya_ebpf::helpers::generated::bpf_skb_vlan_push;
    use aya_ebpf::macros::classifier;
    use aya_ebpf::programs::TcContext;

    /// `ETH_P_8021Q` in network byte order, as the helper takes it.
    const ETHER_TYPE: u16 = 0x8100_u16.to_be();
    /// VLAN 77, priority 0.
    const TAG: u16 = 77;

    #[classifier]
    fn tag_with_vlan(context: TcContext) -> i32 {
        // SAFETY: the context is the one that the kernel called this program with; the helper fails, and changes
        // nothing, when there is no room for the tag.
        unsafe { bpf_skb_vlan_push(context.skb.skb, ETHER_TYPE, TAG) };
        TC_ACT_OK
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
