//! One attempt, and its form in the files.

use crate::segment_files::{first_frame, write_frame};
use serde::{Deserialize, Serialize};

/// The reason of a record that only counts attempts that were not recorded.
pub const NOT_RECORDED: &str = "not_recorded";

/// The form that is written. Members can be added only in another form.
const FORM: u8 = 1;
/// The longest text, in bytes.
const TEXT_MAX: usize = 256;

/// A request that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAttempt {
    /// The time in nanoseconds since 1970.
    pub nanos: i64,
    /// The status of the answer.
    pub status: u16,
    /// The stable name of the cause.
    pub reason: String,
    pub method: String,
    pub path: String,
    /// The address of the client.
    pub source: String,
    /// The user, if a token or a known name said who it is.
    pub user: Option<String>,
    pub user_id: Option<String>,
    /// A keyed hash of the name that was given, if it is no user's. People type passwords as names.
    pub name_hash: Option<String>,
    pub request_id: String,
}

/// A request that was refused, as it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The number in this log, from 1.
    pub number: u64,
    /// How many attempts this stands for: from one source, for one reason, in one minute. 1 for most.
    pub times: u64,
    pub what: NewAttempt,
}

/// The form of a record.
type Stored<W> = (u64, u64, W);

impl NewAttempt {
    /// Cuts what a client could make long.
    pub(super) fn cut(&mut self) {
        let texts = [&mut self.reason, &mut self.method, &mut self.path, &mut self.source, &mut self.request_id];
        let optional = [&mut self.user, &mut self.user_id, &mut self.name_hash];
        for text in texts.into_iter().chain(optional.into_iter().flatten()) {
            text.truncate(text.floor_char_boundary(TEXT_MAX));
            text.shrink_to_fit();
        }
    }
}

impl Attempt {
    /// Appends the record to a buffer.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let stored: Stored<&NewAttempt> = (self.number, self.times, &self.what);
        write_frame(to, |to| {
            to.push(FORM);
            if let Ok(bytes) = bincode::serde::encode_to_vec(stored, bincode::config::standard()) {
                to.extend_from_slice(&bytes);
            }
        });
    }

    /// The first record, and what follows it; `None` if it is cut or damaged, or has another form.
    pub(super) fn first(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (body, rest) = first_frame(bytes)?;
        let (form, body) = body.split_first()?;
        if *form != FORM {
            return None;
        }
        let ((number, times, what), _): (Stored<NewAttempt>, usize) =
            bincode::serde::decode_from_slice(body, bincode::config::standard()).ok()?;
        Some((Self { number, times, what }, rest))
    }
}
