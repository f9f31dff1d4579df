//! Which CPUs there are, and pinning threads to them.

use core_affinity::CoreId;

/// Numbers of the CPUs that this process may run on, ascending; empty where the system does not say.
pub fn allowed_cpus() -> Vec<usize> {
    let mut cpus: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    cpus.sort_unstable();
    cpus
}

/// Pins the calling thread to a CPU. `false` when the system refuses: the thread then runs wherever it did.
#[must_use]
pub fn pin_current_thread(cpu: usize) -> bool {
    core_affinity::set_for_current(CoreId { id: cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_pinned_to_a_cpu_may_run_only_there() {
        let cpu = *allowed_cpus().last().expect("at least one CPU");
        let seen = std::thread::spawn(move || {
            assert!(pin_current_thread(cpu));
            allowed_cpus()
        });
        assert_eq!(seen.join().expect("the thread ends"), [cpu]);
    }
}
