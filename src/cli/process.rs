//! What the process asks of the operating system: memory that reaches no file, and many open files.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Disables core dumps, even without the systemd unit, and keeps other programs of the same user from reading this
/// process: it has keys in its memory.
pub(super) fn protect_memory() {
    keep_from_others();
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be refused");
    }
    lock_memory();
}

fn keep_from_others() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the memory of the process could not be kept from other programs of the user");
    }
}

/// Keeps the memory out of swap space, where the limit of locked memory allows it. Under a finite limit, later
/// allocations beyond it would fail, so nothing is locked.
fn lock_memory() {
    if getrlimit(Resource::Memlock).current.is_some() {
        tracing::debug!("the memory is not locked: the limit of locked memory is finite");
        return;
    }
    // A page is locked when it is first used: reserved address space takes no memory.
    if let Err(error) = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT) {
        tracing::warn!(%error, "the memory could not be locked, and may reach swap space");
    }
}

/// The limit of open files, as in config/claviger.service. A connection takes two, and shells allow 1024.
const OPEN_FILES: u64 = 65_536;

/// Raises the limit of open files to [`OPEN_FILES`], or to the hard limit if that is lower.
pub(super) fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::dumpable_behavior;

    #[test]
    fn other_programs_of_the_user_cannot_read_the_memory() {
        let before = dumpable_behavior().expect("a behaviour");
        keep_from_others();
        assert_eq!(dumpable_behavior().expect("a behaviour"), DumpableBehavior::NotDumpable);
        set_dumpable_behavior(before).expect("as it was");
    }
}
