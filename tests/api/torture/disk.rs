//! The model of a disk below one directory: what was synced, and what was only written. From it come the contents that
//! the disk may have after a power cut.
//!
//! The content of a file is durable after a sync of that file, and a name after a sync of its directory. Of all other
//! writes a cut leaves any of their sectors, written, as they were, or zeroed, and of the changes of names in a
//! directory the first ones. A write whose sync has failed is not made durable by a later sync.

use crate::torture::Random;
use crate::torture::interposer::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The lab's AWS, which is on another disk.
const CLOUD: &str = "lab-cloud";
/// What a disk writes entirely or not at all.
const SECTOR: usize = 512;
const ROOT: usize = 0;

type Names = BTreeMap<String, usize>;

/// The disk, replayed from the journal.
pub(crate) struct Disk {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, usize>,
    /// The syncs that have begun: the file or directory, and the entry before which its changes are covered.
    syncs: HashMap<u64, (usize, usize)>,
    /// The end of the path of a file whose syncs the disk ignores.
    ignored: Option<&'static str>,
}

#[derive(Default)]
struct Node {
    path: String,
    is_directory: bool,
    content: Vec<u8>,
    names: Names,
    /// The names in a directory now, durable or not.
    now: Names,
    pending: Vec<Pending>,
}

/// A change that is not durable.
struct Pending {
    entry: usize,
    /// Whether a sync of it has failed.
    is_lost: bool,
    change: Change,
}

enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
    Name(String, Option<usize>),
    Move(String, String, usize),
}

/// What became of the changes that were not synced.
#[derive(Default, Debug)]
pub(crate) struct Losses {
    pub kept: usize,
    pub lost: usize,
    pub zeroed: usize,
    pub names_lost: usize,
}

/// What a cut leaves of the changes that were not synced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    Everything,
    Anything,
}

impl Disk {
    /// The disk as it is now, all of it durable.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self { nodes: Vec::new(), by_inode: HashMap::new(), syncs: HashMap::new(), ignored: None };
        disk.add(Node { is_directory: true, ..Node::default() }, None);
        if root.exists() {
            disk.read(root, ROOT);
        }
        disk
    }

    /// The same disk, which ignores the syncs of files whose path ends so.
    pub(crate) fn ignoring_syncs_of(self, end: &'static str) -> Self {
        Self { ignored: Some(end), ..self }
    }

    fn add(&mut self, node: Node, inode: Option<u64>) -> usize {
        self.nodes.push(node);
        let at = self.nodes.len() - 1;
        if let Some(inode) = inode {
            self.by_inode.insert(inode, at);
        }
        at
    }

    fn read(&mut self, directory: &Path, at: usize) {
        self.by_inode.insert(fs::metadata(directory).expect("a directory").ino(), at);
        for entry in fs::read_dir(directory).expect("a directory") {
            let entry = entry.expect("an entry");
            let (name, kind) = (entry.file_name().into_string().expect("UTF-8"), entry.file_type().expect("a kind"));
            if at == ROOT && name == CLOUD || !(kind.is_dir() || kind.is_file()) {
                continue;
            }
            let path = format!("{}/{name}", self.nodes[at].path);
            let mut node = Node { path, is_directory: kind.is_dir(), ..Node::default() };
            if kind.is_file() {
                node.content = fs::read(entry.path()).expect("a file");
            }
            let child = self.add(node, Some(entry.metadata().expect("its inode").ino()));
            self.nodes[at].names.insert(name.clone(), child);
            self.nodes[at].now.insert(name, child);
            if kind.is_dir() {
                self.read(&entry.path(), child);
            }
        }
    }

    /// The directory of a path, and the name in it.
    fn place(&self, path: &str) -> (usize, String) {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = ROOT;
        for part in directory.split('/').filter(|part| !part.is_empty()) {
            at = *self.nodes[at].now.get(part).unwrap_or_else(|| panic!("{path} is in an unknown directory"));
        }
        (at, name.to_owned())
    }

    fn change(&mut self, node: usize, entry: usize, change: Change) {
        self.nodes[node].pending.push(Pending { entry, is_lost: false, change });
    }

    /// Names a node, or removes its name.
    fn name(&mut self, entry: usize, path: &str, node: Option<usize>) {
        let (directory, name) = self.place(path);
        match node {
            Some(node) => drop(self.nodes[directory].now.insert(name.clone(), node)),
            None => drop(self.nodes[directory].now.remove(&name)),
        }
        self.change(directory, entry, Change::Name(name, node));
    }

    /// Follows the program until the cut.
    pub(crate) fn replay(&mut self, entries: Vec<Entry>) {
        for (number, entry) in entries.into_iter().enumerate() {
            self.follow(number, entry);
        }
    }

    fn follow(&mut self, at: usize, entry: Entry) {
        match entry {
            Entry::MakeDirectory { inode, path } if path.is_empty() => drop(self.by_inode.insert(inode, ROOT)),
            Entry::Create { inode, path } => {
                let node = self.add(Node { path: format!("/{path}"), ..Node::default() }, Some(inode));
                self.name(at, &path, Some(node));
            }
            Entry::MakeDirectory { inode, path } => {
                let node = Node { path: format!("/{path}"), is_directory: true, ..Node::default() };
                let node = self.add(node, Some(inode));
                self.name(at, &path, Some(node));
            }
            Entry::Write { inode, at: offset, bytes } => {
                let offset = usize::try_from(offset).expect("an offset");
                self.change(self.by_inode[&inode], at, Change::Write(offset, bytes));
            }
            Entry::Truncate { inode, length } => {
                let length = usize::try_from(length).expect("a length");
                self.change(self.by_inode[&inode], at, Change::Truncate(length));
            }
            Entry::Unlink { path } => self.name(at, &path, None),
            Entry::Rename { from, to } => self.rename(at, &from, &to),
            Entry::SyncBegin { inode, number } => drop(self.syncs.insert(number, (self.by_inode[&inode], at))),
            Entry::SyncEnd { number } => self.synced(number, true),
            Entry::SyncFailed { number } => self.synced(number, false),
        }
    }

    fn rename(&mut self, at: usize, from: &str, to: &str) {
        let ((old, old_name), (new, new_name)) = (self.place(from), self.place(to));
        let node = self.nodes[old].now.remove(&old_name).unwrap_or_else(|| panic!("{from} is unknown"));
        self.nodes[new].now.insert(new_name.clone(), node);
        self.nodes[node].path = format!("/{to}");
        if old == new {
            self.change(new, at, Change::Move(old_name, new_name, node));
        } else {
            self.change(new, at, Change::Name(new_name, Some(node)));
            self.change(old, at, Change::Name(old_name, None));
        }
    }

    fn synced(&mut self, number: u64, is_done: bool) {
        let (node, before) = self.syncs.remove(&number).expect("a sync that has begun");
        let node = &mut self.nodes[node];
        if is_done && self.ignored.is_some_and(|end| node.path.ends_with(end)) {
            return;
        }
        for mut pending in std::mem::take(&mut node.pending) {
            if pending.entry < before && is_done && !pending.is_lost {
                node.apply(&pending.change);
            } else {
                pending.is_lost |= pending.entry < before;
                node.pending.push(pending);
            }
        }
    }

    /// Writes to an empty or missing directory what the disk may have after a cut now.
    pub(crate) fn write(&self, left: Left, random: &mut Random, to: &Path) -> Losses {
        let mut losses = Losses::default();
        self.write_node(ROOT, left, random, to, &mut losses);
        losses
    }

    fn write_node(&self, node: usize, left: Left, random: &mut Random, to: &Path, losses: &mut Losses) {
        let node = &self.nodes[node];
        if !node.is_directory {
            fs::write(to, node.content_after(left, random, losses)).expect("written");
            return fs::set_permissions(to, Permissions::from_mode(0o600)).expect("permissions");
        }
        DirBuilder::new().recursive(true).mode(0o700).create(to).expect("a directory");
        for (name, child) in node.names_after(left, random, losses) {
            self.write_node(child, left, random, &to.join(name), losses);
        }
    }
}

impl Node {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write(at, bytes) => put(&mut self.content, *at, bytes),
            Change::Truncate(length) => self.content.resize(*length, 0),
            Change::Name(..) | Change::Move(..) => rename(&mut self.names, change),
        }
    }

    fn names_after(&self, left: Left, random: &mut Random, losses: &mut Losses) -> Names {
        let kept = match left {
            Left::Nothing => 0,
            Left::Everything => self.pending.len(),
            Left::Anything => match random.below(3) {
                0 => 0,
                1 => self.pending.len(),
                _ => random.below(self.pending.len() as u64 + 1) as usize,
            },
        };
        losses.names_lost += self.pending.len() - kept;
        let mut names = self.names.clone();
        self.pending[..kept].iter().for_each(|pending| rename(&mut names, &pending.change));
        names
    }

    fn content_after(&self, left: Left, random: &mut Random, losses: &mut Losses) -> Vec<u8> {
        // Of ten sectors, so many are written.
        let kept = match left {
            Left::Nothing => 0,
            Left::Everything => 10,
            Left::Anything => [0, 3, 5, 9, 10][random.below(5) as usize],
        };
        let may_be_zeroed = left == Left::Anything && random.below(2) == 0;
        let mut content = self.content.clone();
        for pending in &self.pending {
            match &pending.change {
                Change::Write(at, bytes) => {
                    for (at, bytes) in sectors(*at, bytes) {
                        if random.below(10) < kept {
                            losses.kept += 1;
                            put(&mut content, at, bytes);
                        } else if may_be_zeroed && random.below(3) == 0 {
                            losses.zeroed += 1;
                            put(&mut content, at, &vec![0; bytes.len()]);
                        } else {
                            losses.lost += 1;
                        }
                    }
                }
                Change::Truncate(length) if random.below(10) < kept => content.resize(*length, 0),
                Change::Truncate(_) | Change::Name(..) | Change::Move(..) => {}
            }
        }
        content
    }
}

fn rename(names: &mut Names, change: &Change) {
    match change {
        Change::Name(name, Some(node)) => drop(names.insert(name.clone(), *node)),
        Change::Name(name, None) => drop(names.remove(name)),
        Change::Move(from, to, node) => {
            names.remove(from);
            names.insert(to.clone(), *node);
        }
        Change::Write(..) | Change::Truncate(_) => {}
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

/// The parts of a write that are in one sector each.
fn sectors(at: usize, bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    while begin < bytes.len() {
        let end = bytes.len().min(begin + SECTOR - (at + begin) % SECTOR);
        parts.push((at + begin, &bytes[begin..end]));
        begin = end;
    }
    parts
}
