//! Ids as types. Past `http` an id is never a bare `Uuid` or `String`.

use std::fmt;
use uuid::Uuid;

/// A text that is not an id of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct NotAnId {
    text: String,
    expected: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that was generated for this type.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Parses a UUID in any of its usual forms.
            ///
            /// # Errors
            /// When `text` is not a UUID.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| NotAnId { text: text.chars().take(64).collect(), expected: $expected })
            }

            pub const fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

uuid_id!(
    /// One installation of the product: the audience of its tokens.
    InstallationId, "the id of an installation (a UUID)");
uuid_id!(
    /// A KMS: an AWS account with some of its regions.
    KmsId, "the id of a KMS (a UUID)");
uuid_id!(ConnectionId, "the id of a connection (a UUID)");
uuid_id!(
    /// One session: a sign-in opens it, a revocation closes it.
    SessionId, "the id of a session (a UUID)");
uuid_id!(
    /// One refresh token, by which its owner can name and revoke it.
    RefreshTokenId, "the id of a refresh token (a UUID)");
uuid_id!(
    /// One AWS key. AWS itself knows it by another id ([`super::key::name::AwsKeyId`]).
    KeyId, "the id of a key (a UUID)");
uuid_id!(
    /// One operation on a key at AWS: an intent and its outcome.
    OperationId, "the id of an operation (a UUID)");
uuid_id!(
    /// One source key: material that can be imported into AWS keys.
    SourceKeyId, "the id of a source key (a UUID)");
uuid_id!(
    /// One custom key store. AWS itself knows it by another id.
    KeyStoreId, "the id of a custom key store (a UUID)");
uuid_id!(
    /// One credential with which AWS signs its requests to the XKS proxy.
    CredentialId, "the id of a credential (a UUID)");
uuid_id!(ReportId, "the id of a report (a UUID)");
uuid_id!(BackupId, "the id of a backup (a UUID)");
uuid_id!(
    /// One webhook, to which alarms are delivered.
    WebhookId, "the id of a webhook (a UUID)");
uuid_id!(
    /// One forwarder, which sends audit records to a syslog receiver.
    ForwarderId, "the id of a syslog receiver (a UUID)");
uuid_id!(TemplateId, "the id of a policy template (a UUID)");
uuid_id!(ScheduleId, "the id of a schedule (a UUID)");
uuid_id!(
    /// One job: a synchronisation, a bulk job, or a schedule's run.
    JobId, "the id of a job (a UUID)");
uuid_id!(
    /// One record of the log.
    EventId, "the id of an event (a UUID)");
uuid_id!(
    /// One user. Clients see it as `local|<uuid>`.
    UserId, "the id of a user (`local|<uuid>`)");

impl UserId {
    /// Reads `local|<uuid>` or the bare UUID, both of which clients send.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse_subject(text: &str) -> Result<Self, NotAnId> {
        Self::parse(text.strip_prefix("local|").unwrap_or(text))
    }

    /// The form that clients see: `local|<uuid>`.
    pub fn subject(&self) -> String {
        format!("local|{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_read_with_and_without_its_prefix() {
        let id = UserId::new(Uuid::from_u128(7));
        assert_eq!(UserId::parse_subject(&id.subject()), Ok(id));
        assert_eq!(UserId::parse_subject(&id.to_string()), Ok(id));
        assert!(UserId::parse_subject("local|ann").is_err());
    }
}
