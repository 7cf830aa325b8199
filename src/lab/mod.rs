//! The embedded lab cloud: an AWS of our own on a loopback port.
