//! The format of backups, and their encryption. A backup is a stream that is written and read from the beginning to the
//! end; nothing in it needs a seek. `service/backups` decides what is in one. This module uses no other module of the
//! program.
//!
//! - `format.rs` the frames: a header, records, files, and a trailer with the counts and the SHA-256 of all before it
//! - `encryption.rs` the encryption around it, in the format of age (<https://age-encryption.org/v1>)

mod encryption;
mod format;
#[cfg(test)]
mod tests;

pub use encryption::{EncryptionError, Key, Lock, Sealed};
pub use format::{BackupReader, BackupWriter, FormatError, Header, Part, Trailer, hex};
