//! Who allocated what the heap holds.

use std::collections::HashMap;
use std::time::Duration;

use jemalloc_pprof::{PROF_CTL, StackProfile};

use super::{DiagnosisError, Profile};

/// Frames that belong to allocating itself.
const ALLOCATORS: [&str; 9] = [
    "prof_backtrace",
    "_rjem_",
    "prof_",
    "je_",
    "tikv_jemallocator",
    "__rust",
    "__rdl_",
    "alloc::",
    "core::",
];

/// Samples what is allocated during `span` and still held at its end. What was allocated before is not in it.
///
/// # Errors
/// When the allocator cannot be profiled, or another profile is being taken.
pub fn profile(span: Duration) -> Result<Profile, DiagnosisError> {
    let control = PROF_CTL.as_ref().ok_or(DiagnosisError::NoHeapProfiles)?;
    let mut control = control.try_lock().map_err(|_| DiagnosisError::Busy)?;
    control
        .activate()
        .map_err(|error| DiagnosisError::failed("turn on heap profiling", error))?;
    std::thread::sleep(span);
    let dumped = control.dump_profile();
    // Whatever came of it: samples cost memory.
    let stopped = control.deactivate();
    let dumped = dumped.map_err(|error| DiagnosisError::failed("write a heap profile", error))?;
    stopped.map_err(|error| DiagnosisError::failed("turn off heap profiling", error))?;
    let pprof = dumped.to_pprof(("inuse_space", "bytes"), ("space", "bytes"), None);
    let shares = shares(&dumped);
    // What names were found in is tens of megabytes, and would stay.
    backtrace::clear_symbol_cache();
    Ok(Profile::new(&pprof, String::new(), "bytes", shares))
}

/// Bytes by the function that asked for them: the first one above the allocator and the standard collections.
fn shares(profile: &StackProfile) -> HashMap<String, u64> {
    let mut names: HashMap<usize, String> = HashMap::new();
    let mut shares = HashMap::new();
    for (stack, _) in &profile.stacks {
        let mut owner = None;
        for &address in &stack.addrs {
            let name = names.entry(address).or_insert_with(|| name(address));
            if !ALLOCATORS
                .iter()
                .any(|prefix| name.trim_start_matches('<').starts_with(prefix))
            {
                owner = Some(name.clone());
                break;
            }
        }
        *shares.entry(owner.unwrap_or_else(|| "unknown".to_owned())).or_default() += stack.weight.max(0.0) as u64;
    }
    shares
}

fn name(address: usize) -> String {
    let mut name = None;
    backtrace::resolve(address as *mut std::ffi::c_void, |symbol| {
        name = name.take().or_else(|| symbol.name().map(|it| format!("{it:#}")));
    });
    name.unwrap_or_else(|| format!("{address:#x}"))
}
