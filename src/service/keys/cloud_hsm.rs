//! Keys in CloudHSM key stores. AWS creates them in the cluster of the store; otherwise they are keys like any other.

use super::creation::{PolicyChoice, refuse_dry_run};
use super::operations::OperationRequest;
use super::{KeySeen, Keys, shown};
use crate::domain::id::KeyId;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::name::AliasName;
use crate::domain::key::operation::{NewKey, Operation};
use crate::domain::key::policy::PolicyContext;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::key_store::StoreKind;
use crate::domain::refusal::KeyStoreRefusal;
use crate::service::access::{CreateCloudHsmKey, KeyStorePermit};
use crate::service::caller::RequestContext;
use crate::service::failure::Failure;
use uuid::Uuid;

/// A key to create in a CloudHSM key store. AWS has only symmetric encryption keys there.
pub struct CloudHsmKeyRequest {
    pub aliases: Vec<AliasName>,
    pub description: String,
    pub policy: PolicyChoice,
    /// Skip AWS's check that the policy lets the caller change it later.
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

impl Keys {
    /// Creates a key in a CloudHSM key store.
    ///
    /// # Errors
    /// When the store is another one or is not connected, or AWS refuses the key.
    pub async fn create_in_store(
        &self,
        permit: &KeyStorePermit<CreateCloudHsmKey>,
        context: &RequestContext,
        request: CloudHsmKeyRequest,
    ) -> Result<KeySeen, Failure> {
        let (store, caller) = (permit.store(), permit.caller());
        if store.kind() != StoreKind::CloudHsm {
            return Err(KeyStoreRefusal::NotCloudHsm(store.name.clone()).into());
        }
        store.refuse_disconnected()?;
        refuse_dry_run(context)?;
        let kms = caller.published.state.kms(store.kms)?;
        let usage = KeyUsage::EncryptDecrypt;
        let policy_context = PolicyContext { partition: kms.cloud, account: kms.account, usage: usage.clone() };
        let mut tags = request.tags;
        let policy = self.policy(request.policy, &policy_context, &mut tags)?;
        let new = NewKey {
            aliases: request.aliases,
            spec: KeySpec::SymmetricDefault,
            usage,
            origin: Origin::AwsCloudHsm,
            description: request.description,
            multi_region: false,
            policy,
            bypass_lockout_check: request.bypass_lockout_check,
            tags,
        };
        self.check_aliases(caller, store.kms, &store.region, &new.aliases).await?;
        let id = KeyId::new(Uuid::new_v4());
        let wanted = Operation::CreateInStore { new, store: store.id };
        let request = OperationRequest { key: id, kms: store.kms, region: store.region.clone(), wanted };
        let committed = self.operations.request(&caller.change(context), request).await?;
        shown(&committed, id)
    }
}
