//! AWS's partitions: separate clouds with the same protocols.
//!
//! The lab serves all partitions on one port. The region of the signature determines the partition of a request.

use std::fmt;

/// A partition that the lab supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Partition {
    Aws,
    /// GovCloud (US).
    UsGov,
    China,
}

impl Partition {
    /// All partitions, in the order in which they are searched.
    pub(super) const ALL: [Partition; 3] = [Partition::Aws, Partition::UsGov, Partition::China];

    /// The partition with a name as in ARNs.
    pub(super) fn parse(text: &str) -> Option<Partition> {
        Partition::ALL.into_iter().find(|partition| partition.as_str() == text)
    }

    /// The name in ARNs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::UsGov => "aws-us-gov",
            Partition::China => "aws-cn",
        }
    }

    /// The suffix of the service endpoints.
    pub(super) fn dns_suffix(self) -> &'static str {
        match self {
            Partition::Aws | Partition::UsGov => "amazonaws.com",
            Partition::China => "amazonaws.com.cn",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
