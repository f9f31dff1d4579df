//! Where the daemon's time goes: samples of every thread that runs, by a signal (`SIGPROF`).
//!
//! The signal interrupts system calls. Those of the data path are begun again by the kernel (`SA_RESTART`) or, like
//! ppoll(2), taken as a wait that found nothing (`kernel/xsk/wait.rs`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pprof::protos::Message as _;
use pprof::{Frames, ProfilerGuardBuilder};

use super::flame::{self, Stack};
use super::{DiagnosisError, Profile};

/// Samples per second of processor time; no divisor of what timers of the data path have.
const FREQUENCY: i32 = 99;
/// Libraries in which no stack is unwound, because they hold locks that unwinding takes, too.
const UNWOUND_ELSEWHERE: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Says that no profile is being taken any more.
struct Turn;

impl Turn {
    fn take() -> Result<Self, DiagnosisError> {
        match IS_TAKEN.swap(true, Ordering::AcqRel) {
            true => Err(DiagnosisError::Busy),
            false => Ok(Self),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        IS_TAKEN.store(false, Ordering::Release);
    }
}

/// Samples for `span`.
///
/// # Errors
/// When another profile is being taken, or the system refuses timer or signal.
pub fn profile(span: Duration) -> Result<Profile, DiagnosisError> {
    let _turn = Turn::take()?;
    let failed = |error: pprof::Error| DiagnosisError::failed("take a profile", error);
    let guard = ProfilerGuardBuilder::default()
        .frequency(FREQUENCY)
        .blocklist(&UNWOUND_ELSEWHERE)
        .build()
        .map_err(failed)?;
    std::thread::sleep(span);
    let report = guard.report().build().map_err(failed)?;
    drop(guard);
    // What names were found in is tens of megabytes, and would stay.
    backtrace::clear_symbol_cache();
    let stacks: Vec<Stack> = report
        .data
        .iter()
        .map(|(frames, &count)| stack(frames, count))
        .collect();
    let mut shares: HashMap<String, u64> = HashMap::new();
    for stack in &stacks {
        let leaf = stack.frames.last().cloned().unwrap_or_default();
        *shares.entry(leaf).or_default() += stack.samples;
    }
    let pprof = report.pprof().map_err(failed)?.encode_to_vec();
    let title = format!("{} samples of {} s", shares.values().sum::<u64>(), span.as_secs_f64());
    Ok(Profile::new(&pprof, flame::graph(&title, &stacks), "samples", shares))
}

/// From the thread down to the function that ran.
fn stack(frames: &Frames, count: isize) -> Stack {
    let functions = frames.frames.iter().rev().flat_map(|inlined| inlined.iter().rev());
    let mut names = vec![frames.thread_name_or_id()];
    names.extend(functions.map(pprof::Symbol::name));
    Stack {
        frames: names,
        samples: u64::try_from(count).unwrap_or(0),
    }
}
