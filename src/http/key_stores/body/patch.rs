//! The body of a change of a custom key store, which may repeat what cannot be changed.

use super::{CallerRulesBody, KeyStoreBody, MAX_CREDENTIALS};
use crate::domain::key_store::cloud_hsm::{CLUSTER, PASSWORD, TRUST_ANCHOR, check_password};
use crate::domain::key_store::patch::KeyStorePatch;
use crate::domain::key_store::{KeyStore, StoreKind};
use crate::domain::name::KeyStoreName;
use crate::domain::refusal::{KeyStoreRefusal, Refusal};
use crate::domain::state::State;
use crate::http::body::{optional, read_name};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A change of a custom key store. A member that is absent, empty or 0 keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = CustomKeyStorePatch)]
pub struct KeyStorePatchBody {
    #[serde(flatten)]
    given: KeyStoreBody,
    /// The id of the store; cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    id: Option<Value>,
}

impl KeyStorePatchBody {
    /// The change of a store, whose fixed members may be repeated, and the password of `kmsuser`.
    pub(in crate::http::key_stores) fn patch(
        self,
        store: &KeyStore,
        state: &State,
    ) -> Result<(KeyStorePatch, Option<Zeroizing<String>>), Refusal> {
        self.refuse_fixed(store, state)?;
        if store.kind() != StoreKind::Local {
            self.given.refuse_of_proxy()?;
        }
        let given = self.given;
        let (aws, local) = (given.aws_param.unwrap_or_default(), given.local_hosted_params.unwrap_or_default());
        let password = aws.key_store_password.clone().filter(|_| store.kind() == StoreKind::CloudHsm);
        password.iter().try_for_each(|password| check_password(PASSWORD, password))?;
        let patch = KeyStorePatch {
            name: given.name.map(|text| read_name("name", &text, KeyStoreName::parse)).transpose()?,
            connectivity: aws.connectivity()?,
            health_check: local.health_check_key()?.map(|key| (key, String::new())),
            endpoint: aws.xks_proxy_uri_endpoint,
            vpc_service: aws.xks_proxy_vpc_endpoint_service_name,
            vpc_service_owner: aws.xks_proxy_vpc_endpoint_service_owner,
            mtls_enabled: local.mtls_enabled,
            reports_success: given.enable_success_audit_event,
            caller_rules: given.caller_rules.map(CallerRulesBody::rules),
            cluster: aws.cloud_hsm_cluster_id.filter(|_| store.kind() == StoreKind::CloudHsm),
        };
        Ok((patch, password))
    }

    fn refuse_fixed(&self, store: &KeyStore, state: &State) -> Result<(), Refusal> {
        const CANNOT: &str = "cannot be changed";
        let given = &self.given;
        let id = store.id.to_string();
        let kms = state.kms(store.kms)?;
        let local = given.local_hosted_params.as_ref();
        let settings = store.local.as_ref().map(|local| &local.settings);
        let type_given = given.aws_param.as_ref().and_then(|aws| aws.custom_key_store_type.as_deref());
        let differs = |given: Option<&str>, known: &[&str]| given.is_some_and(|given| !known.contains(&given));
        let fixed = |member: &'static str, problem| Err(Refusal::from(KeyStoreRefusal::Fixed(problem)).of(member));
        if self.id.as_ref().is_some_and(|given| given.as_str().is_none_or(|given| given != id)) {
            return fixed("id", CANNOT);
        }
        if differs(given.kms.as_deref(), &[kms.name.as_str(), &kms.id.to_string()]) {
            return fixed("kms", CANNOT);
        }
        if differs(given.region.as_deref(), &[store.region.as_str()]) {
            return fixed("region", CANNOT);
        }
        if differs(type_given, &[store.aws_type()]) {
            return fixed("aws_param.custom_key_store_type", CANNOT);
        }
        self.refuse_fixed_at_aws(store)?;
        if given.linked_state == Some(true) && !store.is_linked() {
            return fixed("linked_state", "is changed with POST /v1/cckm/aws/custom-key-stores/{id}/link");
        }
        let Some(local) = local else { return Ok(()) };
        if local.blocked == Some(true) && !store.local.as_ref().is_some_and(|local| local.blocked) {
            let problem = "is changed with POST /v1/cckm/aws/custom-key-stores/{id}/block";
            return fixed("local_hosted_params.blocked", problem);
        }
        let Some(settings) = settings else { return Ok(()) };
        if local.max_credentials()?.is_some_and(|given| given != settings.max_credentials) {
            return fixed(MAX_CREDENTIALS, CANNOT);
        }
        if differs(local.source_key_tier.as_deref(), &[&settings.source_key_tier]) {
            return fixed("local_hosted_params.source_key_tier", CANNOT);
        }
        match differs(local.partition_id.as_deref(), &[&settings.partition_id]) {
            true => fixed("local_hosted_params.partition_id", CANNOT),
            false => Ok(()),
        }
    }
}

impl KeyStorePatchBody {
    /// Refuses other values of what a store of another kind has.
    fn refuse_fixed_at_aws(&self, store: &KeyStore) -> Result<(), Refusal> {
        let Some(given) = &self.given.aws_param else { return Ok(()) };
        let differs = |given: &Option<String>, known: Option<&str>| given.is_some() && given.as_deref() != known;
        let proxy = store.at_aws.as_ref().and_then(|seen| seen.proxy.as_ref());
        let cloud_hsm = store.cloud_hsm.as_ref();
        let is_local = store.kind() == StoreKind::Local;
        let trust_anchor = cloud_hsm.map(|known| known.trust_anchor.as_str());
        let asked = [
            (CLUSTER, cloud_hsm.is_none() && given.cloud_hsm_cluster_id.is_some()),
            (TRUST_ANCHOR, differs(&given.trust_anchor_certificate, trust_anchor)),
            (
                "aws_param.xks_proxy_uri_endpoint",
                !is_local && differs(&given.xks_proxy_uri_endpoint, proxy.map(|proxy| proxy.endpoint.as_str())),
            ),
            (
                "aws_param.xks_proxy_connectivity",
                !is_local && differs(&given.xks_proxy_connectivity, proxy.map(|proxy| proxy.connectivity.as_str())),
            ),
            (
                "aws_param.xks_proxy_vpc_endpoint_service_name",
                !is_local
                    && differs(
                        &given.xks_proxy_vpc_endpoint_service_name,
                        proxy.map(|proxy| proxy.vpc_service.as_str()),
                    ),
            ),
        ];
        match asked.into_iter().find(|(_, asked)| *asked) {
            Some((member, _)) => {
                Err(Refusal::from(KeyStoreRefusal::Fixed("cannot be changed for a store of this type")).of(member))
            }
            None => Ok(()),
        }
    }
}
