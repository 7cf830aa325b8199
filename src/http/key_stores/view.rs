//! Custom key stores in answers. All members are always there: clients of the vendor decode them into plain texts.

use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::key_store::{KeyStore, LocalStore};
use crate::domain::state::State;
use crate::http::envelope::Envelope;
use crate::service::key_stores::WithSecret;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A custom key store.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomKeyStore)]
pub struct KeyStoreView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the store.
    name: String,
    /// The name of the KMS.
    kms: String,
    /// The id of the KMS.
    kms_id: String,
    /// The region of the store.
    region: String,
    /// The AWS partition.
    cloud_name: &'static str,
    /// Who serves the store: `LOCAL` (this manager), `REMOTE` (another proxy) or `CloudHSM`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Whether AWS no longer has the store.
    gone: bool,
    /// `job_config_id` is the schedule that rotates the credentials; empty without one.
    labels: BTreeMap<&'static str, String>,
    /// Whether requests that were served are recorded too.
    enable_success_audit_event: bool,
    /// The access key id of the newest credential.
    access_key_id: String,
    /// The number of the newest credential.
    credential_version: u32,
    /// The number of valid credentials.
    credential_count: u32,
    /// The number of credentials that were ever made.
    version_count: u32,
    /// The id of the oldest valid credential.
    oldest_credentials_id: String,
    /// The callers that the store serves.
    caller_rules: CallerRulesView,
    /// The values that AWS knows.
    aws_param: AwsView,
    /// The values that only this manager knows.
    local_hosted_params: LocalView,
}

/// A custom key store, with the secret of its newest credential.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomKeyStoreWithSecret)]
pub struct KeyStoreWithSecretView {
    #[serde(flatten)]
    store: KeyStoreView,
    /// The secret access key of the newest credential, which is not shown again. A store in a CloudHSM cluster has
    /// none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shown_once")]
    #[schema(value_type = String, required = false)]
    secret_access_key: Option<Zeroizing<String>>,
}

/// The values of a store that AWS knows.
#[derive(Serialize, Default, ToSchema)]
#[schema(as = CustomKeyStoreAws)]
pub(super) struct AwsView {
    /// AWS's id of the store; empty for an unlinked one.
    custom_key_store_id: String,
    /// The name of the store at AWS.
    custom_key_store_name: String,
    /// `EXTERNAL_KEY_STORE` or `AWS_CLOUDHSM`.
    custom_key_store_type: &'static str,
    /// The state of the connection, as AWS names it.
    connection_state: String,
    /// AWS's code of the failure and what it means, while the connection has failed.
    connection_error_details: String,
    /// The AWS account.
    aws_account_id: String,
    /// Always empty: AWS gives key stores no ARN.
    arn: &'static str,
    /// `PUBLIC_ENDPOINT` or `VPC_ENDPOINT_SERVICE`.
    xks_proxy_connectivity: String,
    /// The host that AWS calls.
    xks_proxy_uri_endpoint: String,
    /// The path that AWS calls.
    xks_proxy_uri_path: String,
    /// The name of the VPC endpoint service.
    xks_proxy_vpc_endpoint_service_name: String,
    /// The account that owns the VPC endpoint service.
    xks_proxy_vpc_endpoint_service_owner: String,
    /// The CloudHSM cluster.
    cloud_hsm_cluster_id: String,
    /// The number of active HSMs in the cluster.
    number_of_hsms_in_cloudhsm_cluster: u32,
    /// The certificate of the cluster.
    trust_anchor_certificate: String,
}

/// The values of a store that only this manager knows.
#[derive(Serialize, Default, ToSchema)]
#[schema(as = CustomKeyStoreLocal)]
pub(super) struct LocalView {
    /// Whether the store refuses all requests.
    blocked: bool,
    /// Whether AWS knows the store.
    linked_state: bool,
    /// The most credentials that the store can have at once.
    max_credentials: u16,
    /// Whether AWS also authenticates with a certificate.
    mtls_enabled: bool,
    /// The source key of health checks.
    health_check_key_id: String,
    /// A ciphertext of that key.
    health_check_ciphertext: String,
    /// The path of health checks.
    health_check_uri_path: String,
    /// The tier of the source keys.
    source_key_tier: String,
    /// Always empty: local source keys have no container.
    source_container_id: &'static str,
    /// `local` for a store that this manager serves.
    source_container_type: &'static str,
    /// As given.
    partition_id: String,
    /// Always empty.
    partition_label: &'static str,
}

/// The callers that a store or key serves.
#[derive(Serialize, Default, ToSchema)]
#[schema(as = CallerRules)]
pub(in crate::http) struct CallerRulesView {
    /// ARNs of principals.
    principals: Vec<String>,
    /// Ids of VPCs.
    source_vpcs: Vec<String>,
    /// Ids of VPC endpoints.
    source_vpces: Vec<String>,
    /// AWS services on whose behalf KMS calls.
    via_services: Vec<String>,
    /// Operations of KMS.
    operations: Vec<String>,
}

impl KeyStoreView {
    /// The view of a store, whose KMS is in the state.
    pub(super) fn of(store: &KeyStore, state: &State) -> Self {
        let kms = state.kms.get(&store.kms);
        let local = store.local.as_deref();
        let newest = local.and_then(LocalStore::newest_credential);
        let oldest = local.and_then(|local| local.credentials.first());
        let remote = store.at_aws.as_ref().filter(|_| local.is_none()).and_then(|seen| seen.proxy.as_ref());
        let access_key_id = newest.map(|newest| &newest.access_key_id).or(remote.map(|proxy| &proxy.access_key_id));
        Self {
            envelope: Envelope::new(store.id, "cckm:aws-custom-key-store", store.id, store.created, store.updated),
            name: store.name.to_string(),
            kms: kms.map(|kms| kms.name.to_string()).unwrap_or_default(),
            kms_id: store.kms.to_string(),
            region: store.region.to_string(),
            cloud_name: kms.map(|kms| kms.cloud.as_str()).unwrap_or_default(),
            kind: store.kind().name(),
            gone: store.gone,
            labels: local
                .and_then(|local| local.rotation_schedule)
                .map(|id| ("job_config_id", id.to_string()))
                .into_iter()
                .collect(),
            enable_success_audit_event: local.is_some_and(|local| local.settings.reports_success),
            access_key_id: access_key_id.cloned().unwrap_or_default(),
            credential_version: newest.map(|newest| newest.version).unwrap_or_default(),
            credential_count: local.map_or(0, |local| u32::try_from(local.credentials.len()).unwrap_or(u32::MAX)),
            version_count: local.map_or(0, |local| local.credentials_made),
            oldest_credentials_id: oldest.map(|oldest| oldest.id.to_string()).unwrap_or_default(),
            caller_rules: local.map(|local| CallerRulesView::of(&local.settings.caller_rules)).unwrap_or_default(),
            aws_param: AwsView::of(store, kms.map(|kms| kms.account.to_string()).unwrap_or_default()),
            local_hosted_params: local.map_or_else(
                || LocalView { linked_state: true, ..LocalView::default() },
                |local| LocalView::of(store, local),
            ),
        }
    }
}

impl AwsView {
    fn of(store: &KeyStore, aws_account_id: String) -> Self {
        let seen = store.at_aws.as_deref();
        let mut view = Self {
            custom_key_store_id: seen.map(|seen| seen.id.clone()).unwrap_or_default(),
            custom_key_store_name: store.name.to_string(),
            custom_key_store_type: store.aws_type(),
            connection_state: store.connection_state().to_owned(),
            connection_error_details: seen.and_then(StoreAtAws::connection_failure).unwrap_or_default(),
            aws_account_id,
            ..Self::default()
        };
        if let Some(settings) = store.local.as_ref().map(|local| &local.settings) {
            view.xks_proxy_connectivity = settings.connectivity.name().to_owned();
            view.xks_proxy_uri_endpoint = settings.endpoint.clone();
            view.xks_proxy_uri_path = KeyStore::proxy_path(store.id);
            view.xks_proxy_vpc_endpoint_service_name = settings.vpc_service.clone();
            view.xks_proxy_vpc_endpoint_service_owner = settings.vpc_service_owner.clone();
        } else if let Some(proxy) = seen.and_then(|seen| seen.proxy.as_ref()) {
            view.xks_proxy_connectivity = proxy.connectivity.clone();
            view.xks_proxy_uri_endpoint = proxy.endpoint.clone();
            view.xks_proxy_uri_path = proxy.path.clone();
            view.xks_proxy_vpc_endpoint_service_name = proxy.vpc_service.clone();
            view.xks_proxy_vpc_endpoint_service_owner = proxy.vpc_service_owner.clone();
        } else if let Some(known) = &store.cloud_hsm {
            let hsms = seen.and_then(|seen| seen.cloud_hsm.as_ref()?.hsms);
            view.cloud_hsm_cluster_id = known.cluster.clone();
            view.number_of_hsms_in_cloudhsm_cluster = hsms.unwrap_or_default();
            view.trust_anchor_certificate = known.trust_anchor.clone();
        }
        view
    }
}

impl LocalView {
    fn of(store: &KeyStore, local: &LocalStore) -> Self {
        let settings = &local.settings;
        Self {
            blocked: local.blocked,
            linked_state: store.is_linked(),
            max_credentials: settings.max_credentials,
            mtls_enabled: settings.mtls_enabled,
            health_check_key_id: settings.health_check_key.to_string(),
            health_check_ciphertext: settings.health_check_ciphertext.clone(),
            health_check_uri_path: format!("{}/health", KeyStore::proxy_path(store.id)),
            source_key_tier: settings.source_key_tier.clone(),
            source_container_id: "",
            source_container_type: "local",
            partition_id: settings.partition_id.clone(),
            partition_label: "",
        }
    }
}

impl CallerRulesView {
    pub(in crate::http) fn of(rules: &CallerRules) -> Self {
        let CallerRules { principals, source_vpcs, source_vpces, via_services, operations } = rules.clone();
        Self { principals, source_vpcs, source_vpces, via_services, operations }
    }
}

impl KeyStoreWithSecretView {
    pub(super) fn of(seen: &WithSecret, state: &State) -> Self {
        Self { store: KeyStoreView::of(&seen.store, state), secret_access_key: Some(seen.secret.clone()) }
    }

    pub(super) fn without(store: &KeyStore, state: &State) -> Self {
        Self { store: KeyStoreView::of(store, state), secret_access_key: None }
    }
}

fn shown_once<S: serde::Serializer>(secret: &Option<Zeroizing<String>>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.as_deref().map_or("", String::as_str))
}
