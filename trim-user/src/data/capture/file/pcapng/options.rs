//! Option lists (pcapng section 3.5).

use super::super::bytes::Order;
use super::super::error::Fault;

/// One option.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockOption<'a> {
    pub(super) code: u16,
    pub(super) value: &'a [u8],
    order: Order,
}

impl<'a> BlockOption<'a> {
    /// The value as text; what is not UTF-8 in it is replaced.
    pub(super) fn text(&self) -> Box<str> {
        let end = self
            .value
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(self.value.len());
        String::from_utf8_lossy(&self.value[..end]).into()
    }

    /// The value as a capture filter, if it is one in the language of libpcap (first byte 0); the other kind is BPF
    /// code, whose meaning depends on the byte order.
    pub(super) fn filter_text(&self) -> Option<Box<str>> {
        let value = self.value.strip_prefix(&[0])?;
        Some(Self { value, ..*self }.text())
    }

    /// The value as one byte.
    pub(super) fn u8(&self) -> Result<u8, Fault> {
        match self.value {
            [byte] => Ok(*byte),
            _ => Err(self.fault()),
        }
    }

    /// The value as a 64-bit number.
    pub(super) fn u64(&self) -> Result<u64, Fault> {
        match self.value.len() {
            8 => Ok(self.order.u64(self.value, 0)),
            _ => Err(self.fault()),
        }
    }

    /// The value as a time in two halves, the higher one first.
    pub(super) fn high_low(&self) -> Result<u64, Fault> {
        match self.value.len() {
            8 => Ok((u64::from(self.order.u32(self.value, 0)) << 32) | u64::from(self.order.u32(self.value, 4))),
            _ => Err(self.fault()),
        }
    }

    fn fault(&self) -> Fault {
        Fault::Option {
            code: self.code,
            length: self.value.len(),
        }
    }
}

/// The options in `bytes`, up to the end mark or the end of the bytes.
pub(super) fn options(mut bytes: &[u8], order: Order) -> impl Iterator<Item = Result<BlockOption<'_>, Fault>> {
    std::iter::from_fn(move || {
        if bytes.len() < 4 {
            return None;
        }
        let (code, length) = (order.u16(bytes, 0), usize::from(order.u16(bytes, 2)));
        if code == 0 {
            return None;
        }
        let Some(value) = bytes.get(4..4 + length) else {
            bytes = &[];
            return Some(Err(Fault::Option { code, length }));
        };
        bytes = bytes.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Ok(BlockOption { code, value, order }))
    })
}
