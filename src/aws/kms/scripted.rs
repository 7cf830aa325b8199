//! A KMS for tests of the services, with a small model of keys: it does what AWS would, or fails or hangs on cue.
