//! A custom key store in a CloudHSM cluster. AWS KMS logs in to the cluster as the user `kmsuser`, whose password it is
//! told once and changes then.

use crate::domain::id::{KeyStoreId, KmsId, OperationId};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::refusal::{Bounds, Refusal};
use crate::domain::sealed::Sealed;

/// What is known here of a store in a CloudHSM cluster.
#[derive(Clone, PartialEq, Debug)]
pub struct CloudHsmStore {
    /// AWS's id of the cluster.
    pub cluster: String,
    /// The certificate of the cluster.
    pub trust_anchor: String,
    /// A keyed hash of the password that AWS was last told, sealed; `None` if it is not known which one that was.
    pub told: Option<Sealed>,
}

/// A store in a CloudHSM cluster to create, at AWS at once.
#[derive(Clone, Debug)]
pub struct NewCloudHsmStore {
    pub id: KeyStoreId,
    pub kms: KmsId,
    pub region: Region,
    pub name: KeyStoreName,
    pub cluster: String,
    pub trust_anchor: String,
    /// A keyed hash of the password of `kmsuser`, sealed.
    pub password: Sealed,
    pub operation: OperationId,
}

pub const CLUSTER: &str = "aws_param.cloud_hsm_cluster_id";
pub const PASSWORD: &str = "aws_param.key_store_password";
pub const TRUST_ANCHOR: &str = "aws_param.trust_anchor_certificate";

/// Checks the id of a cluster by AWS's rule: `cluster-[2-7a-zA-Z]{11,16}`.
///
/// # Errors
/// When AWS does not accept it.
pub fn check_cluster(id: &str) -> Result<(), Refusal> {
    let rest = id.strip_prefix("cluster-").unwrap_or_default();
    let is_known = |b: u8| b.is_ascii_alphabetic() || (b'2'..=b'7').contains(&b);
    match (11..=16).contains(&rest.len()) && rest.bytes().all(is_known) {
        true => Ok(()),
        false => Err(Refusal::Invalid {
            member: CLUSTER,
            problem:
                "must be the id of a CloudHSM cluster, such as cluster-1a23b4cdefg; AWS's ids have no 0, 1, 8 and 9 \
                      after `cluster-`"
                    .to_owned(),
        }),
    }
}

/// Checks the length of a password by AWS's rule. The refusal does not show the password.
///
/// # Errors
/// When AWS does not accept it.
pub fn check_password(member: &'static str, password: &str) -> Result<(), Refusal> {
    check_length(member, password, 7, 32)
}

/// Checks the length of a certificate by AWS's rule.
///
/// # Errors
/// When AWS does not accept it.
pub fn check_trust_anchor(certificate: &str) -> Result<(), Refusal> {
    check_length(TRUST_ANCHOR, certificate, 1, 5_000)
}

fn check_length(member: &'static str, text: &str, least: u16, most: u16) -> Result<(), Refusal> {
    match (usize::from(least)..=usize::from(most)).contains(&text.chars().count()) {
        true => Ok(()),
        false => Err(Refusal::OutOfRange {
            member,
            problem: format!("must have {least} to {most} characters"),
            limit: Bounds::between(least.into(), most.into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clusters_passwords_and_certificates_are_checked_as_aws_does() {
        for id in ["cluster-2a34b5cdefg", "cluster-ABCDEFGHIJKLMNOP", "cluster-lab2only3abc"] {
            assert!(check_cluster(id).is_ok(), "{id}");
        }
        for id in
            ["", "cluster-", "cluster-2a34b5cdef", "cluster-0a34b5cdefg", "cluster-ABCDEFGHIJKLMNOPQ", "x-2a34b5cdefg"]
        {
            assert!(check_cluster(id).is_err(), "{id}");
        }
        for (password, is_valid) in
            [("secret", false), ("secret7", true), (&*"é".repeat(32), true), (&*"x".repeat(33), false)]
        {
            let checked = check_password(PASSWORD, password);
            assert_eq!(checked.is_ok(), is_valid, "{password}");
            assert!(checked.err().is_none_or(|refusal| !refusal.to_string().contains(password)));
        }
        assert!(check_trust_anchor("PEM").is_ok() && check_trust_anchor(&"x".repeat(5_001)).is_err());
    }
}
