//! The instructions of the bare programs.

use std::mem::offset_of;
use std::os::fd::RawFd;

use trim_common::tag::{PacketTag, TAG_SIZE, TAG_VERSION};

/// A register of the BPF machine.
#[derive(Clone, Copy)]
struct Reg(u64);

const R0: Reg = Reg(0);
const R1: Reg = Reg(1);
const R2: Reg = Reg(2);
const R3: Reg = Reg(3);
const R4: Reg = Reg(4);
const R5: Reg = Reg(5);
/// The context, kept over calls.
const CTX: Reg = Reg(6);
/// The strategy's index, kept over calls.
const STRATEGY: Reg = Reg(7);
/// The kernel time, kept over calls.
const TIME: Reg = Reg(8);
/// 0 when there is room for a tag, kept over calls.
const REFUSED: Reg = Reg(9);
const FRAME: Reg = Reg(10);

// Offsets in `struct xdp_md` (include/uapi/linux/bpf.h).
const DATA: i16 = 0;
const DATA_END: i16 = 4;
const DATA_META: i16 = 8;
const RX_QUEUE_INDEX: i16 = 16;

// Helper numbers (`___BPF_FUNC_MAPPER`, include/uapi/linux/bpf.h).
const MAP_LOOKUP_ELEM: i32 = 1;
const KTIME_GET_NS: i32 = 5;
const REDIRECT_MAP: i32 = 51;
const XDP_ADJUST_META: i32 = 54;

const XDP_DROP: i32 = 1;
const XDP_PASS: i32 = 2;
const ETHERNET_HEADER: i32 = 14;
/// The last byte of the destination MAC address.
const LAST_MAC_BYTE: i16 = 5;

/// Encodes one instruction (RFC 9669 section 3.1).
const fn encode(opcode: u8, destination: Reg, source: Reg, offset: i16, immediate: i32) -> u64 {
    (opcode as u64)
        | destination.0 << 8
        | source.0 << 12
        | (offset.cast_unsigned() as u64) << 16
        | (immediate.cast_unsigned() as u64) << 32
}

const fn move_register(to: Reg, from: Reg) -> u64 {
    encode(0xbf, to, from, 0, 0)
}

const fn move_immediate(to: Reg, value: i32) -> u64 {
    encode(0xb7, to, R0, 0, value)
}

const fn add_immediate(to: Reg, value: i32) -> u64 {
    encode(0x07, to, R0, 0, value)
}

const fn load_word(to: Reg, base: Reg, offset: i16) -> u64 {
    encode(0x61, to, base, offset, 0)
}

const fn call(helper: i32) -> u64 {
    encode(0x85, R0, R0, 0, helper)
}

/// `to = the map behind this descriptor`, in the two slots of a 64-bit immediate with `src_reg` 1.
const fn load_map(to: Reg, map: RawFd) -> [u64; 2] {
    [encode(0x18, to, R1, 0, map), 0]
}

const EXIT: u64 = encode(0x95, R0, R0, 0, 0);

/// Instructions with forward jumps that are filled in when their target is known.
#[derive(Default)]
struct Code {
    instructions: Vec<u64>,
}

/// Jumps to one place.
#[derive(Default)]
struct Target(Vec<usize>);

impl Code {
    fn put(&mut self, instructions: &[u64]) {
        self.instructions.extend_from_slice(instructions);
    }

    /// `if left > right goto target`.
    fn jump_if_greater(&mut self, left: Reg, right: Reg, target: &mut Target) {
        target.0.push(self.instructions.len());
        self.put(&[encode(0x2d, left, right, 0, 0)]);
    }

    /// `if register == 0 goto target`.
    fn jump_if_zero(&mut self, register: Reg, target: &mut Target) {
        target.0.push(self.instructions.len());
        self.put(&[encode(0x15, register, R0, 0, 0)]);
    }

    /// `if register != 0 goto target`.
    fn jump_unless_zero(&mut self, register: Reg, target: &mut Target) {
        target.0.push(self.instructions.len());
        self.put(&[encode(0x55, register, R0, 0, 0)]);
    }

    /// The jumps to `target` lead to the next instruction.
    fn land(&mut self, target: &Target) {
        for &from in &target.0 {
            // Distances count from the instruction behind the jump; the program has a few dozen.
            let distance = (self.instructions.len() - from - 1) as u64;
            self.instructions[from] |= distance << 16;
        }
    }
}

/// The program for these maps (descriptors of an XSKMAP and of an array with one `u64`).
pub(super) fn assemble(sockets: RawFd, count: RawFd, tag: bool) -> Vec<u64> {
    let mut code = Code::default();
    let mut pass = Target::default();
    code.put(&[move_register(CTX, R1)]);
    if tag {
        reserve_tag(&mut code);
    }
    choose_strategy(&mut code, &mut pass);
    if tag {
        write_tag(&mut code);
    }
    count_packet(&mut code, count, &mut pass);
    redirect(&mut code, sockets);
    code.land(&pass);
    code.put(&[move_immediate(R0, XDP_PASS), EXIT]);
    code.instructions
}

/// The program that counts in this array and drops.
pub(super) fn assemble_drop(count: RawFd) -> Vec<u64> {
    let mut code = Code::default();
    let mut uncounted = Target::default();
    count_packet(&mut code, count, &mut uncounted);
    code.land(&uncounted);
    code.put(&[move_immediate(R0, XDP_DROP), EXIT]);
    code.instructions
}

fn reserve_tag(code: &mut Code) {
    code.put(&[call(KTIME_GET_NS), move_register(TIME, R0)]);
    code.put(&[
        move_register(R1, CTX),
        move_immediate(R2, -(TAG_SIZE as i32)),
        call(XDP_ADJUST_META),
    ]);
    code.put(&[move_register(REFUSED, R0)]);
}

/// Leaves the packet's start in R3 and its end in R4.
fn choose_strategy(code: &mut Code, pass: &mut Target) {
    code.put(&[load_word(R3, CTX, DATA), load_word(R4, CTX, DATA_END)]);
    code.put(&[move_register(R5, R3), add_immediate(R5, ETHERNET_HEADER)]);
    code.jump_if_greater(R5, R4, pass);
    let load_byte = encode(0x71, STRATEGY, R3, LAST_MAC_BYTE, 0);
    let low_bit = encode(0x57, STRATEGY, R0, 0, 1);
    code.put(&[load_byte, low_bit]);
}

fn write_tag(code: &mut Code) {
    let store = |opcode: u8, from: Reg, offset: usize| encode(opcode, R2, from, offset as i16, 0);
    let mut untagged = Target::default();
    code.jump_unless_zero(REFUSED, &mut untagged);
    code.put(&[
        load_word(R2, CTX, DATA_META),
        move_register(R5, R2),
        add_immediate(R5, TAG_SIZE as i32),
    ]);
    code.jump_if_greater(R5, R3, &mut untagged);
    let length = encode(0x1f, R4, R3, 0, 0);
    code.put(&[length, move_immediate(R5, 0)]);
    code.put(&[0_usize, 8, 16, 24].map(|word| store(0x7b, R5, word)));
    code.put(&[store(0x7b, TIME, offset_of!(PacketTag, kernel_time))]);
    code.put(&[store(0x63, R4, offset_of!(PacketTag, original_length))]);
    code.put(&[
        move_immediate(R5, TAG_VERSION as i32),
        store(0x73, R5, offset_of!(PacketTag, version)),
    ]);
    code.put(&[store(0x73, STRATEGY, offset_of!(PacketTag, strategy))]);
    code.land(&untagged);
}

fn count_packet(code: &mut Code, count: RawFd, pass: &mut Target) {
    const KEY: i16 = -4;
    let store_zero_key = encode(0x62, FRAME, R0, KEY, 0);
    code.put(&[store_zero_key, move_register(R2, FRAME), add_immediate(R2, KEY as i32)]);
    code.put(&load_map(R1, count));
    code.put(&[call(MAP_LOOKUP_ELEM)]);
    code.jump_if_zero(R0, pass);
    let atomic_add = encode(0xdb, R0, R1, 0, 0);
    code.put(&[move_immediate(R1, 1), atomic_add]);
}

/// `return redirect_map(sockets, 2 * queue + strategy, XDP_PASS)`: the last argument is what happens without a socket.
fn redirect(code: &mut Code, sockets: RawFd) {
    let double = encode(0x67, R2, R0, 0, 1);
    let add_strategy = encode(0x0f, R2, STRATEGY, 0, 0);
    code.put(&[load_word(R2, CTX, RX_QUEUE_INDEX), double, add_strategy]);
    code.put(&load_map(R1, sockets));
    code.put(&[move_immediate(R3, XDP_PASS), call(REDIRECT_MAP), EXIT]);
}
