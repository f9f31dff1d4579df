//! What trimmers cost alone: HTTP traffic made in memory, and a caller that does nothing but call.

mod caller;
pub mod traffic;

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use trim_user::trimmer::{Auto, Legacy, Scanning, Settings, Trimmer};

pub use caller::{Caller, body_kept};

/// Moves sequence numbers from one round to the next, see [`traffic::Trace::segments`].
pub const SHIFT: u32 = 0x3c6e_f372;

/// The trimmers with their usual settings, by name.
pub fn trimmers() -> [(&'static str, Box<dyn Trimmer>); 3] {
    let settings = Settings::default();
    let auto = Auto::new(Legacy::new(&settings), Scanning::new(&settings), settings.max_flows);
    [
        ("legacy", Box::new(Legacy::new(&settings))),
        ("scanning", Box::new(Scanning::new(&settings))),
        ("auto", Box::new(auto)),
    ]
}

/// What this thread has used of a CPU.
pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
