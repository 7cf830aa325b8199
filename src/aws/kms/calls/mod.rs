//! The calls to KMS. Each file defines the parameters, the request, the retry condition and the answer of one call. A
//! call uses `rusoto_kms` if rusoto knows the operation with all its members, and a signed JSON request otherwise.
//!
//! A new call needs a file here, its `mod` line, and its row in [`kms_calls!`]. A call with a paginated answer also
//! needs a row in [`paged_calls!`].

use std::sync::Arc;

use super::custom_key_store::CustomKeyStore;
use super::port::{KmsCall, PagedCall};
use crate::aws::call::AwsCall;
use crate::aws::client::Client;
use crate::aws::failure::AwsFailure;
use crate::aws::fault::RetryPolicy;
use crate::aws::operation::AwsOperation;
use crate::aws::page::Paging;
use crate::aws::port::Access;
use crate::domain::key::grant::KeyGrant;
use crate::domain::key::metadata::Rotation;
use crate::domain::key::name::KeyArn;
use crate::domain::key::tag::Tag;
use crate::domain::place::Region;

mod cancel_key_deletion;
mod connect_custom_key_store;
mod create_alias;
mod create_custom_key_store;
mod create_key;
mod delete_alias;
mod delete_custom_key_store;
mod delete_imported_key_material;
mod describe_custom_key_stores;
mod describe_key;
mod disable_key;
mod disable_key_rotation;
mod disconnect_custom_key_store;
mod enable_key;
mod enable_key_rotation;
mod get_key_last_usage;
mod get_key_policy;
mod get_key_rotation_status;
mod get_parameters_for_import;
mod get_public_key;
mod import_key_material;
mod list_aliases;
mod list_grants;
mod list_key_rotations;
mod list_keys;
mod list_resource_tags;
mod put_key_policy;
mod replicate_key;
mod rotate_key_on_demand;
mod schedule_key_deletion;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_custom_key_store;
mod update_key_description;
mod update_primary_region;

pub use create_custom_key_store::NewKeyStoreBacking;
pub use describe_custom_key_stores::WhichKeyStores;
pub use describe_key::KeyOrAlias;
pub use get_parameters_for_import::{ImportParameters, WrappingAlgorithm};
pub use list_aliases::Alias;
pub use schedule_key_deletion::DeletionScheduled;

/// Defines [`Request`] and [`Answer`], the types of the `dyn` port, from the list of calls.
macro_rules! kms_calls {
    ($($file:ident::$call:ident,)*) => {
        $(pub use $file::$call;)*

        #[derive(Debug, Clone, PartialEq)]
        pub enum Request {
            $($call($call),)*
        }

        #[derive(Debug, Clone, PartialEq)]
        pub enum Answer {
            $($call(<$call as AwsCall>::Answer),)*
        }

        /// The operations of all calls with their retry conditions.
        const ALL: &[(AwsOperation, RetryPolicy)] = &[$(($call::OPERATION, $call::RETRY),)*];

        impl Request {
            pub fn operation(&self) -> AwsOperation {
                match self {
                    $(Self::$call(_) => $call::OPERATION,)*
                }
            }

            pub(in crate::aws) async fn send(
                &self,
                client: &Arc<Client>,
                access: &Access,
                region: &Region,
            ) -> Result<Answer, AwsFailure> {
                match self {
                    $(Self::$call(call) => client.call_in_region(access, region, call).await.map(Answer::$call),)*
                }
            }
        }

        $(
            impl From<$call> for Request {
                fn from(call: $call) -> Self {
                    Self::$call(call)
                }
            }

            impl KmsCall for $call {
                fn answer_of(answer: Answer) -> Option<Self::Answer> {
                    let Answer::$call(answer) = answer else { return None };
                    Some(answer)
                }
            }
        )*
    };
}

kms_calls! {
    cancel_key_deletion::CancelKeyDeletion,
    connect_custom_key_store::ConnectCustomKeyStore,
    create_alias::CreateAlias,
    create_custom_key_store::CreateCustomKeyStore,
    create_key::CreateKey,
    delete_alias::DeleteAlias,
    delete_custom_key_store::DeleteCustomKeyStore,
    delete_imported_key_material::DeleteImportedKeyMaterial,
    describe_custom_key_stores::DescribeCustomKeyStores,
    describe_key::DescribeKey,
    disable_key::DisableKey,
    disable_key_rotation::DisableKeyRotation,
    disconnect_custom_key_store::DisconnectCustomKeyStore,
    enable_key::EnableKey,
    enable_key_rotation::EnableKeyRotation,
    get_key_last_usage::GetKeyLastUsage,
    get_key_policy::GetKeyPolicy,
    get_key_rotation_status::GetKeyRotationStatus,
    get_parameters_for_import::GetParametersForImport,
    get_public_key::GetPublicKey,
    import_key_material::ImportKeyMaterial,
    list_aliases::ListAliases,
    list_grants::ListGrants,
    list_key_rotations::ListKeyRotations,
    list_keys::ListKeys,
    list_resource_tags::ListResourceTags,
    put_key_policy::PutKeyPolicy,
    replicate_key::ReplicateKey,
    rotate_key_on_demand::RotateKeyOnDemand,
    schedule_key_deletion::ScheduleKeyDeletion,
    tag_resource::TagResource,
    untag_resource::UntagResource,
    update_alias::UpdateAlias,
    update_custom_key_store::UpdateCustomKeyStore,
    update_key_description::UpdateKeyDescription,
    update_primary_region::UpdatePrimaryRegion,
}

/// Whether the calls of ours to an operation change something; `None` if we never call it.
pub fn changes(operation: &str) -> Option<bool> {
    let (_, policy) = ALL.iter().find(|(ours, _)| ours.name == operation)?;
    Some(*policy != RetryPolicy::ReadOnly)
}

/// The operations of all calls.
#[cfg(test)]
pub fn operations() -> impl Iterator<Item = AwsOperation> {
    ALL.iter().map(|(operation, _)| *operation)
}

/// Implements [`PagedCall`] for the calls with a member `paging`.
macro_rules! paged_calls {
    ($($call:ident: $item:ty,)*) => {
        $(
            impl PagedCall for $call {
                type Item = $item;

                fn paging(&mut self) -> &mut Paging {
                    &mut self.paging
                }
            }
        )*
    };
}

paged_calls! {
    DescribeCustomKeyStores: CustomKeyStore,
    ListAliases: Alias,
    ListGrants: KeyGrant,
    ListKeyRotations: Rotation,
    ListKeys: KeyArn,
    ListResourceTags: Tag,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_read_or_are_idempotent_are_repeated() {
        let by =
            |policy: RetryPolicy| ALL.iter().filter(move |(_, of)| *of == policy).map(|(operation, _)| operation.name);
        let is_read = |name: &str| ["Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb));
        assert!(by(RetryPolicy::ReadOnly).all(is_read));
        let once = [
            "CancelKeyDeletion",
            "CreateAlias",
            "CreateCustomKeyStore",
            "CreateKey",
            "DeleteAlias",
            "DeleteCustomKeyStore",
            "DisconnectCustomKeyStore",
            "ImportKeyMaterial",
            "ReplicateKey",
            "RotateKeyOnDemand",
            "ScheduleKeyDeletion",
            "UpdatePrimaryRegion",
        ];
        assert_eq!(by(RetryPolicy::IfNotExecuted).collect::<Vec<_>>(), once);
        assert!(!by(RetryPolicy::Idempotent).any(is_read));
    }
}
