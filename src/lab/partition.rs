//! AWS's partitions: separate clouds that share their protocols and nothing else.
//!
//! The lab serves all of them on one port; which one a request is meant for follows from the region it is signed for.

use std::fmt;

/// One of the three partitions that the lab can shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Partition {
    Aws,
    /// The regions for the government of the United States.
    UsGov,
    China,
}

impl Partition {
    /// All of them, in the order in which they are searched.
    pub(super) const ALL: [Partition; 3] = [Partition::Aws, Partition::UsGov, Partition::China];

    /// The partition with this name, as it stands in an ARN.
    pub(super) fn parse(text: &str) -> Option<Partition> {
        Partition::ALL.into_iter().find(|partition| partition.as_str() == text)
    }

    /// Its name in an ARN.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::UsGov => "aws-us-gov",
            Partition::China => "aws-cn",
        }
    }

    /// What its service addresses end in.
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
