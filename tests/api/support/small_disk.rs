//! A small disk, which a test fills, enlarges, or makes read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory; unmounted when dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts the file system; `None`, with a message that says why, where the container does not permit it.
    pub(crate) fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(at).expect("a directory");
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "claviger-test"], at);
        mounted.map_err(|why| eprintln!("skipped: nothing can be mounted here: {why}")).ok()?;
        Some(Self(at.to_owned()))
    }

    pub(crate) fn resize(&self, size: &str) {
        mount(&["-o", &format!("remount,size={size}")], &self.0).expect("a larger disk");
    }
}

impl SmallDisk {
    /// Lets nobody write any more, or again. No file may be open for writing.
    pub(crate) fn allow_writes(&self, is_allowed: bool) {
        let options = if is_allowed { "remount,rw" } else { "remount,ro" };
        mount(&["-o", options], &self.0).expect("a disk of this kind");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The unmount is lazy: a process of a failed test may still have a file open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> Result<(), String> {
    let output = Command::new("mount").args(arguments).arg(at).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
