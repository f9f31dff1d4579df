//! What the control wing remembers: evidence, decisions, events, and where the rollout stands. One SQLite file.
//!
//! [`Store`] is the file. [`Keeper`] writes to it on a thread of its own, so that a slow, full, broken or missing disk never
//! blocks or fails the control loop. A decision is stored before it is acted upon, but [`Keeper::decided`] waits for that only
//! so long: after it the control loop acts anyway, and the decision is written as soon as the disk takes it. Traffic is
//! taken back to `legacy` in time, whatever state the disk is in.
//!
//! A sample costs at most the last few seconds when power fails (`synchronous=NORMAL`); decisions, state and events are
//! forced to the disk (`FULL`). Against a kill of the process both are safe as soon as they are written.

mod backlog;
mod configurations;
mod copy;
mod decisions;
mod error;
mod events;
mod file;
mod hash;
mod keeper;
mod measured;
mod replay;
mod resolution;
mod samples;
mod schema;
mod tidy;
mod writer;

pub use configurations::{ConfigurationVersion, StoredConfiguration};
pub use copy::{Soundness, copy, examine, examine_in_use, is_in_use, settle};
pub use decisions::{Entry, Pending, Recorded, Standing, Which};
pub use error::StoreError;
pub use events::{Event, LoggedEvent};
pub use file::Store;
pub use keeper::{Condition, EventLog, Keeper, Loaded, Settings, Ticket};
pub use measured::{Measured, Spread};
pub use replay::{Difference, Replayed};
pub use resolution::Resolution;
pub use samples::{Point, Sample};
pub use schema::VERSION;
