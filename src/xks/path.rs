//! The paths of the proxy.

use uuid::Uuid;

pub(super) const BEFORE_STORE: &str = "/api/v1/cckm/aws/xks-proxy-endpoints/";
pub(super) const AFTER_STORE: &str = "/kms/xks/v1";
const UUID_CHARACTERS: usize = 36;

/// An operation of the XKS proxy API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    Health,
    Metadata,
    Encrypt,
    Decrypt,
}

impl Operation {
    pub const ALL: [Operation; 4] = [Operation::Health, Operation::Metadata, Operation::Encrypt, Operation::Decrypt];
    pub const NAMES: [&'static str; 4] =
        [Self::Health.name(), Self::Metadata.name(), Self::Encrypt.name(), Self::Decrypt.name()];

    /// The last part of the path.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Health => "health",
            Operation::Metadata => "metadata",
            Operation::Encrypt => "encrypt",
            Operation::Decrypt => "decrypt",
        }
    }
}

/// What a path names: the store, and its operation if the rest of the path is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'p> {
    pub store: Uuid,
    pub call: Option<(Operation, &'p str)>,
}

impl<'p> Target<'p> {
    /// Parses a path as it was sent: an escape makes it another path. The key's id is empty for `health`.
    pub(super) fn parse(path: &'p str) -> Option<Target<'p>> {
        let rest = path.strip_prefix(BEFORE_STORE)?;
        let (id, rest) = rest.split_at_checked(UUID_CHARACTERS)?;
        let canonical = id.bytes().all(|byte| !byte.is_ascii_uppercase());
        let store = Uuid::try_parse(id).ok().filter(|_| canonical)?;
        Some(Target { store, call: rest.strip_prefix(AFTER_STORE).and_then(call) })
    }
}

fn call(rest: &str) -> Option<(Operation, &str)> {
    if rest == "/health" {
        return Some((Operation::Health, ""));
    }
    let (key, operation) = rest.strip_prefix("/keys/")?.split_once('/')?;
    let operation = Operation::ALL.into_iter().find(|known| known.name() == operation)?;
    (operation != Operation::Health && !key.is_empty()).then_some((operation, key))
}
