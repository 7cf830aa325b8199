//! The access of a connection over IAM Roles Anywhere: a certificate and its private key in place of an access key.

use super::ConnectionSettings;
use crate::domain::patch::invalid;
use crate::domain::place::{Arn, RoleArn};
use crate::domain::refusal::Refusal;
use crate::domain::sealed::Sealed;

/// The certificate of a connection, and what AWS gives for it.
#[derive(Clone, PartialEq, Debug)]
pub struct RolesAnywhere {
    /// The role of the sessions.
    pub role: RoleArn,
    pub profile: Arn,
    pub trust_anchor: Arn,
    /// The certificate in PEM, followed by its chain if it has one.
    pub certificate: String,
    /// The private key in PEM, sealed.
    pub private_key: Sealed,
}

/// A change of a connection's access over IAM Roles Anywhere.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum RolesAnywhereChange {
    #[default]
    Keep,
    Set(Box<RolesAnywhere>),
    /// The connection uses its access key.
    Remove,
}

/// The names of the members in the API.
pub const ROLE: &str = "iam_role_anywhere.anywhere_role_arn";
pub const PROFILE: &str = "iam_role_anywhere.profile_arn";
pub const TRUST_ANCHOR: &str = "iam_role_anywhere.trust_anchor_arn";

/// Checks that the ARNs are of the right kind and fit together and to the connection.
///
/// # Errors
/// When an ARN is not that of a profile or trust anchor, or is in another partition, account or region than the others.
pub fn check(settings: &ConnectionSettings, role: &RoleArn, profile: &Arn, trust_anchor: &Arn) -> Result<(), Refusal> {
    for (member, arn, kind) in [(TRUST_ANCHOR, trust_anchor, "trust-anchor"), (PROFILE, profile, "profile")] {
        let id = arn.resource().strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        let complete = arn.region().is_some() && arn.account().is_some() && !id.is_empty();
        if arn.service() != "rolesanywhere" || !complete {
            let expected = format!("`arn:aws:rolesanywhere:<region>:<account>:{kind}/<id>` is expected");
            return Err(invalid(member, format!("`{arn}`: {expected}")));
        }
    }
    for (member, arn) in [(ROLE, role.as_arn()), (TRUST_ANCHOR, trust_anchor), (PROFILE, profile)] {
        if arn.partition() != settings.cloud {
            return Err(invalid(member, format!("`{arn}` is not in partition `{}`", settings.cloud.as_str())));
        }
    }
    if profile.region() != trust_anchor.region() {
        return Err(invalid(PROFILE, format!("`{profile}` is not in the region of the trust anchor")));
    }
    for (member, account) in [(PROFILE, profile.account()), (ROLE, Some(role.account()))] {
        if account != trust_anchor.account() {
            return Err(invalid(member, "must be in the account of the trust anchor"));
        }
    }
    Ok(())
}

impl RolesAnywhere {
    /// Checks the ARNs against the settings of the connection.
    ///
    /// # Errors
    /// As for [`check`].
    pub fn check(&self, settings: &ConnectionSettings) -> Result<(), Refusal> {
        check(settings, &self.role, &self.profile, &self.trust_anchor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::Partition;

    fn checked(cloud: Partition, role: &str, profile: &str, anchor: &str) -> Result<(), Refusal> {
        let settings = ConnectionSettings { cloud, ..ConnectionSettings::new(String::new()) };
        let arn = |text: &str| Arn::parse(text).expect("an ARN");
        check(&settings, &RoleArn::parse(role).expect("a role"), &arn(profile), &arn(anchor))
    }

    #[test]
    fn the_arns_fit_together() {
        let role = "arn:aws:iam::123456789012:role/team/keys";
        let profile = "arn:aws:rolesanywhere:eu-west-3:123456789012:profile/a";
        let anchor = "arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/b";
        assert_eq!(checked(Partition::Aws, role, profile, anchor), Ok(()));
        for (refused, member) in [
            (checked(Partition::AwsCn, role, profile, anchor), ROLE),
            (checked(Partition::Aws, role, anchor, anchor), PROFILE),
            (checked(Partition::Aws, role, profile, profile), TRUST_ANCHOR),
            (checked(Partition::Aws, role, &profile.replace("eu-west-3", ""), anchor), PROFILE),
            (checked(Partition::Aws, role, profile, &anchor.replace("rolesanywhere", "iam")), TRUST_ANCHOR),
            (checked(Partition::Aws, role, &profile.replace("eu-west-3", "eu-west-1"), anchor), PROFILE),
            (checked(Partition::Aws, role, &profile.replace("1234", "9934"), anchor), PROFILE),
            (checked(Partition::Aws, &role.replace("1234", "9934"), profile, anchor), ROLE),
        ] {
            assert!(
                matches!(refused, Err(Refusal::Invalid { member: of, .. }) if of == member),
                "{member} {refused:?}"
            );
        }
    }
}
