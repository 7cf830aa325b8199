//! The access of connections over IAM Roles Anywhere: how the members of a request become what is stored.

use super::cloud::{PRIVATE_KEY, owner};
use super::failure::{Failure, invalid};
use super::secrets::Secrets;
use crate::aws::roles_anywhere::{self as aws, WrongText, check_identity};
use crate::domain::connection::roles_anywhere::{PROFILE, ROLE, RolesAnywhere, TRUST_ANCHOR, check};
use crate::domain::connection::{Connection, ConnectionSettings};
use crate::domain::place::{Arn, RoleArn};
use crate::domain::refusal::Refusal;
use zeroize::Zeroizing;

const IS_ROLE_ANYWHERE: &str = "is_role_anywhere";
const CERTIFICATE: &str = "iam_role_anywhere.certificate";
const PRIVATE_KEY_MEMBER: &str = "iam_role_anywhere.private_key";

/// The members of a request. A member that is `None` keeps its value.
#[derive(Clone, Default)]
pub struct RolesAnywhereRequest {
    /// `is_role_anywhere`
    pub wanted: Option<bool>,
    /// `iam_role_anywhere`
    pub members: Option<RolesAnywhereMembers>,
}

/// The members of `iam_role_anywhere`.
#[derive(Clone, Default)]
pub struct RolesAnywhereMembers {
    pub role: Option<RoleArn>,
    pub profile: Option<Arn>,
    pub trust_anchor: Option<Arn>,
    pub certificate: Option<String>,
    pub private_key: Option<Zeroizing<String>>,
}

/// What a request asks of a connection.
pub(super) enum Wanted {
    /// The access key, or what the connection has already.
    Unchanged,
    /// The access key in place of the certificate.
    AccessKey,
    Certificate(Box<aws::RolesAnywhere>),
}

impl RolesAnywhereRequest {
    /// The access of a new connection; `None` if it uses an access key.
    ///
    /// # Errors
    /// When a member is missing or wrong.
    pub fn of_new(self, settings: &ConnectionSettings) -> Result<Option<aws::RolesAnywhere>, Refusal> {
        match (self.wanted, self.members) {
            (Some(true), members) => members.unwrap_or_default().complete(None, settings).map(Some),
            (_, None) => Ok(None),
            (_, Some(_)) => Err(invalid(IS_ROLE_ANYWHERE, "must be true, since iam_role_anywhere is given")),
        }
    }

    /// What the request asks of an existing connection, whose settings will be `settings`.
    ///
    /// # Errors
    /// When a member is missing or wrong.
    pub(super) fn of_existing(
        self,
        connection: &Connection,
        settings: &ConnectionSettings,
        secrets: &Secrets,
    ) -> Result<Wanted, Failure> {
        let now = connection.roles_anywhere.as_deref();
        match (self.wanted, self.members, now) {
            (Some(false), None, Some(_)) => Ok(Wanted::AccessKey),
            (None | Some(true), None, Some(now)) => {
                now.check(settings)?;
                Ok(Wanted::Unchanged)
            }
            (None | Some(false), None, None) => Ok(Wanted::Unchanged),
            (Some(true), members, None) => {
                Ok(Wanted::Certificate(Box::new(members.unwrap_or_default().complete(None, settings)?)))
            }
            // The vendor's Terraform provider sends false with every update of such a connection.
            (_, Some(members), Some(now)) => {
                let now = stored(connection, now, secrets)?;
                Ok(Wanted::Certificate(Box::new(members.complete(Some(now), settings)?)))
            }
            (_, Some(_), None) => {
                Err(invalid(IS_ROLE_ANYWHERE, "must be true, since iam_role_anywhere is given").into())
            }
        }
    }
}

impl RolesAnywhereMembers {
    /// The complete access, of these members and of those that the connection has.
    fn complete(
        self,
        now: Option<aws::RolesAnywhere>,
        settings: &ConnectionSettings,
    ) -> Result<aws::RolesAnywhere, Refusal> {
        let (role, profile, trust_anchor, certificate, private_key) = match now {
            Some(now) => (
                Some(now.role),
                Some(now.profile),
                Some(now.trust_anchor),
                Some(now.certificate),
                Some(now.private_key),
            ),
            None => (None, None, None, None, None),
        };
        let access = aws::RolesAnywhere {
            role: given(ROLE, self.role.or(role))?,
            certificate: given(CERTIFICATE, self.certificate.or(certificate))?,
            profile: given(PROFILE, self.profile.or(profile))?,
            trust_anchor: given(TRUST_ANCHOR, self.trust_anchor.or(trust_anchor))?,
            private_key: given(PRIVATE_KEY_MEMBER, self.private_key.or(private_key))?,
        };
        check(settings, &access.role, &access.profile, &access.trust_anchor)?;
        match check_identity(&access.certificate, &access.private_key) {
            Ok(()) => Ok(access),
            Err(WrongText::Certificate(why)) => Err(invalid(CERTIFICATE, why)),
            Err(WrongText::PrivateKey(why)) => Err(invalid(PRIVATE_KEY_MEMBER, why)),
        }
    }
}

fn given<T>(member: &'static str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| invalid(member, "must be given, and not be empty"))
}

/// The stored access of a connection, with its private key unsealed.
pub(super) fn stored(
    connection: &Connection,
    access: &RolesAnywhere,
    secrets: &Secrets,
) -> Result<aws::RolesAnywhere, Failure> {
    let key = secrets.unseal(&owner(connection.id), PRIVATE_KEY, &access.private_key)?;
    let key = std::str::from_utf8(&key).map_err(|_| Failure::Internal("a sealed private key is not text"))?;
    Ok(aws::RolesAnywhere {
        role: access.role.clone(),
        profile: access.profile.clone(),
        trust_anchor: access.trust_anchor.clone(),
        certificate: access.certificate.clone(),
        private_key: Zeroizing::new(key.to_owned()),
    })
}
