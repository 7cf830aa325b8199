//! Forwarding of audit records.

mod syslogs;
