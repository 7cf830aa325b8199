//! A machine whose power can be cut, and whose disk can fail.

use crate::support::appliance::{Appliance, lab, program, run_to_end};
use crate::torture::Random;
use crate::torture::disk::{Disk, Left, Losses};
use crate::torture::interposer::Interposer;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// A machine whose power can be cut: the directory of the appliance, and the model of its disk.
pub(crate) struct Machine {
    pub interposer: Interposer,
    home: PathBuf,
    pub random: Random,
    pub losses: Losses,
    pub cuts: usize,
}

impl Machine {
    pub(crate) fn new(home: &Path, random: Random) -> Self {
        let interposer = Interposer::build();
        Self { interposer, home: home.to_owned(), random, losses: Losses::default(), cuts: 0 }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = self.interposer.environment(&self.data(), true);
        environment.push(("CLAVIGER_LIMITS_GROUPS", "100000".to_owned()));
        environment
    }

    /// The disk before the program starts.
    pub(crate) fn on(&self) -> Disk {
        self.interposer.forget();
        Disk::of(&self.data())
    }

    /// Replaces the data directory by what a disk may have after a cut now.
    pub(crate) fn cut(&mut self, mut disk: Disk, left: Left) {
        disk.replay(self.interposer.entries());
        let (data, image) = (self.data(), self.home.join("image"));
        let losses = disk.write(left, &mut self.random, &image);
        // The lab's AWS goes on.
        if data.join("lab-cloud").exists() {
            fs::rename(data.join("lab-cloud"), image.join("lab-cloud")).expect("moved");
        }
        fs::remove_dir_all(&data).expect("removed");
        fs::rename(&image, &data).expect("moved");
        self.cuts += 1;
        self.losses.kept += losses.kept;
        self.losses.lost += losses.lost;
        self.losses.zeroed += losses.zeroed;
        self.losses.names_lost += losses.names_lost;
    }

    /// Starts the program and cuts the power before it is ready, or soon after.
    pub(crate) fn cut_a_start(&mut self) {
        let disk = self.on();
        let mut starting = lab(&self.data());
        let starting = starting.envs(self.environment()).env("CLAVIGER_PASSWORDS_MEMORY_KIB", "1024");
        let mut starting = starting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        sleep(Duration::from_millis(self.random.below(700)));
        starting.kill().expect("a process to kill");
        starting.wait().expect("its end");
        self.cut(disk, Left::Anything);
    }

    /// Asserts that the log is complete and that its records belong together.
    pub(crate) fn assert_whole(&self) {
        let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(self.data()));
        assert_eq!(code, Some(0), "after {} cuts: {said}{problem}", self.cuts);
        assert!(said.contains("the chain is whole"), "{said}");
    }

    /// Starts the program in the directory of this machine.
    pub(crate) fn start(&self, home: TempDir) -> Appliance {
        let environment = self.environment();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Appliance::start_in(home, &environment)
    }
}
