//! The library `file_calls.c` between the program and the kernel: how it is built, its journal, and the faults that it
//! makes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The library, built for this run, with the files through which it is used.
pub(crate) struct Interposer {
    directory: TempDir,
}

/// An error that calls of the program get from now on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The write that fails, counted from now on; 0 for none.
    pub writes: i32,
    /// The sync that fails, counted from now on; 0 for none.
    pub syncs: i32,
    pub error: nix::errno::Errno,
    /// Whether all later ones fail too.
    pub forever: bool,
}

/// An entry of the journal.
#[derive(Debug)]
pub(crate) enum Entry {
    Create { inode: u64, path: String },
    Write { inode: u64, at: u64, bytes: Vec<u8> },
    Truncate { inode: u64, length: u64 },
    SyncBegin { inode: u64, number: u64 },
    SyncEnd { number: u64 },
    SyncFailed { number: u64 },
    MakeDirectory { inode: u64, path: String },
    Rename { from: String, to: String },
    Unlink { path: String },
}

/// The length of an entry without the bytes that follow.
const ENTRY: usize = 24;

impl Interposer {
    pub(crate) fn build() -> Self {
        let directory = TempDir::new().expect("a directory");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/torture/file_calls.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-shared", "-fPIC", "-pthread", "-o"]).arg(directory.path().join("file_calls.so"));
        let status = compiler.arg(source).status().expect("a C compiler");
        assert!(status.success(), "the library is not built");
        let interposer = Self { directory };
        File::create(interposer.faults()).and_then(|file| file.set_len(4096)).expect("a file");
        interposer.forget();
        interposer
    }

    fn library(&self) -> PathBuf {
        self.directory.path().join("file_calls.so")
    }

    fn journal(&self) -> PathBuf {
        self.directory.path().join("journal")
    }

    fn faults(&self) -> PathBuf {
        self.directory.path().join("faults")
    }

    /// The environment of a program whose calls below a directory are seen. Without the journal they only fail on
    /// demand.
    pub(crate) fn environment(&self, root: &Path, with_journal: bool) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let mut environment = vec![
            ("LD_PRELOAD", text(&self.library())),
            ("TORTURE_ROOT", text(root)),
            ("TORTURE_FAULTS", text(&self.faults())),
        ];
        if with_journal {
            environment.push(("TORTURE_JOURNAL", text(&self.journal())));
        }
        environment
    }

    /// Empties the journal.
    pub(crate) fn forget(&self) {
        File::create(self.journal()).expect("a journal");
    }

    /// The journal. The program may have died while it wrote the last entry.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let bytes = std::fs::read(self.journal()).expect("the journal");
        let (mut rest, mut entries) = (bytes.as_slice(), Vec::new());
        while let Some((head, after)) = rest.split_at_checked(ENTRY) {
            let (kind, size) = (number(&head[..4]), number(&head[4..8]));
            let (inode, at) = (number(&head[8..16]), number(&head[16..]));
            let Some((bytes, after)) = after.split_at_checked(usize::try_from(size).expect("a size")) else { break };
            rest = after;
            let path = || String::from_utf8(bytes.to_vec()).expect("UTF-8");
            entries.push(match kind {
                1 => Entry::Create { inode, path: path() },
                2 => Entry::Write { inode, at, bytes: bytes.to_vec() },
                3 => Entry::Truncate { inode, length: at },
                4 => Entry::SyncBegin { inode, number: at },
                5 => Entry::SyncEnd { number: at },
                6 => Entry::SyncFailed { number: at },
                7 => Entry::MakeDirectory { inode, path: path() },
                8 => {
                    let path = path();
                    let (from, to) = path.split_once('\0').expect("two names");
                    Entry::Rename { from: from.to_owned(), to: to.to_owned() }
                }
                9 | 10 => Entry::Unlink { path: path() },
                _ => panic!("no such kind of entry: {kind}"),
            });
        }
        entries
    }

    /// Makes calls of the program fail from now on; `None`: no more of them.
    pub(crate) fn fail(&self, fault: Option<Fault>) {
        let fields =
            fault.map_or([0; 5], |fault| [fault.writes, fault.syncs, fault.error as i32, i32::from(fault.forever), 0]);
        let bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_ne_bytes()).collect();
        let file = File::options().write(true).open(self.faults()).expect("the file");
        // The counts come last: the program may read while this is written.
        file.write_all_at(&bytes[8..], 8).and_then(|()| file.write_all_at(&bytes[..8], 0)).expect("written");
    }

    /// The calls that have failed since [`Interposer::fail`].
    pub(crate) fn failed_calls(&self) -> u64 {
        number(&std::fs::read(self.faults()).expect("the file")[16..20])
    }
}

/// A number of four or eight bytes, in the machine's order.
fn number(bytes: &[u8]) -> u64 {
    match bytes.len() {
        4 => u32::from_ne_bytes(bytes.try_into().expect("four bytes")).into(),
        _ => u64::from_ne_bytes(bytes.try_into().expect("eight bytes")),
    }
}
