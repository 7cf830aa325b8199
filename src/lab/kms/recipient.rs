//! `Recipient`: the Nitro enclave for which KMS encrypts a plaintext instead of returning it.
//!
//! The attestation document of an enclave is signed by AWS's hardware. The lab cannot check it, and refuses it: a
//! plaintext that was asked for an enclave alone must not be in an answer.

use super::request::Request;
use crate::lab::refusal::Refusal;

const ALGORITHMS: [&str; 1] = ["RSAES_OAEP_SHA_256"];
const DOCUMENT: (usize, usize) = (1, 262_144);

/// The recipient of a request, which may be missing.
#[derive(Debug, Default)]
pub(super) struct Recipient {
    given: bool,
}

impl Recipient {
    pub(super) fn read(request: &mut Request<'_>) -> Recipient {
        let Some(members) = request.structure("Recipient") else { return Recipient::default() };
        let mut recipient = Request::new(members);
        recipient.choice("KeyEncryptionAlgorithm", &ALGORITHMS);
        recipient.bytes("AttestationDocument", DOCUMENT);
        request.include("recipient", recipient);
        Recipient { given: true }
    }

    /// Refuses a request that has a recipient.
    ///
    /// # Errors
    /// `ValidationException`.
    pub(super) fn refuse(&self) -> Result<(), Refusal> {
        if self.given {
            let why = "The attestation document of the Recipient cannot be verified.";
            return Err(Refusal::Invalid(why.to_owned()));
        }
        Ok(())
    }
}
