//! The wrapping keys of GetParametersForImport.
//!
//! AWS answers that call in milliseconds. Generating an RSA key of 4096 bits takes a second, and many times that on a
//! busy machine, so that callers would give up and ask again. The process therefore generates two keys of each size and
//! hands them out in turn: no call gets the key of the call before.

use super::asymmetric;
use super::crypto::Slot;
use super::spec::Spec;
use crate::lab::refusal::Refusal;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

const KEYS_OF_A_SIZE: usize = 2;

static KEYS: LazyLock<Mutex<HashMap<Spec, Vec<Slot>>>> = LazyLock::new(Mutex::default);

/// The next wrapping key of a size.
///
/// # Errors
/// As for [`asymmetric::generate`].
pub(super) fn next(size: Spec) -> Result<Slot, Refusal> {
    // The lock is held while a key is generated, so that calls at the same time do not generate more than two.
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = keys.entry(size).or_default();
    if keys.len() < KEYS_OF_A_SIZE {
        keys.push(Slot::of(asymmetric::generate(size)?));
    } else {
        keys.rotate_left(1);
    }
    keys.last().cloned().ok_or(Refusal::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_gets_another_key_than_the_call_before() {
        // No other test asks for keys of this size.
        let keys = [(); 5].map(|()| next(Spec::Rsa3072).expect("a key"));
        let secrets = keys.each_ref().map(|key| key.get().expect("a secret"));
        assert_ne!(secrets[0], secrets[1]);
        assert_eq!((secrets[0], secrets[1], secrets[0]), (secrets[2], secrets[3], secrets[4]));
    }
}
