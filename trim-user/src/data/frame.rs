//! A captured frame on its way through the data path.

/// One frame as it was captured, or as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Index of the interface it came from, in the order in which interfaces were announced.
    pub interface: u32,
    /// Capture time, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Length on the wire, bytes; at least `data.len()`.
    pub original_length: u32,
    /// The bytes present.
    pub data: &'a [u8],
}

/// Takes the frames that leave a worker, in order.
pub trait Output {
    /// One frame to be stored. `lane` is the index of the lane that judged it (see [`super::worker::Worker`]).
    fn store(&mut self, lane: usize, frame: Frame<'_>);
}
