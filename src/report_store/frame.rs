//! Frames: the length of the payload (4 bytes), a CRC-32 of the kind and the payload (4), the kind (1), the payload.

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Row = 1,
    Checkpoint = 2,
}

/// The bytes before the payload.
pub(super) const HEAD: usize = 9;
/// The longest payload.
pub(super) const PAYLOAD_MAX: usize = 1 << 20;

/// Appends a frame to a buffer. A longer payload than [`PAYLOAD_MAX`] would be read as damage, so it is left out.
pub(super) fn write(kind: Kind, payload: &[u8], to: &mut Vec<u8>) {
    let Some(length) = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_MAX) else { return };
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&checksum(kind as u8, payload).to_le_bytes());
    to.push(kind as u8);
    to.extend_from_slice(payload);
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) length: usize,
    checksum: u32,
}

impl Head {
    /// Reads the head of a frame; `None` if it is damaged.
    pub(super) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, kind] = *bytes;
        let kind = match kind {
            1 => Kind::Row,
            2 => Kind::Checkpoint,
            _ => return None,
        };
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok().filter(|length| *length <= PAYLOAD_MAX)?;
        Some(Self { kind, length, checksum: u32::from_le_bytes([e, f, g, h]) })
    }

    pub(super) fn fits(&self, payload: &[u8]) -> bool {
        checksum(self.kind as u8, payload) == self.checksum
    }
}

fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}
