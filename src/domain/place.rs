//! Where things are in AWS: partition, region, account, ARN. Parsed once, trusted afterwards.
