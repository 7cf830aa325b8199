//! Request bodies of custom key stores. Clients of the vendor send every member that they know, the ones that their
//! user did not give as empty texts, 0 or false.

mod patch;

pub(super) use patch::KeyStorePatchBody;

use crate::domain::id::SourceKeyId;
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::key_store::cloud_hsm::{
    CLUSTER, PASSWORD, TRUST_ANCHOR, check_cluster, check_password, check_trust_anchor,
};
use crate::domain::key_store::patch::KeyStorePatch;
use crate::domain::key_store::{Connectivity, KeyStore, StoreKind, StoreSettings};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyStoreRefusal, Refusal};
use crate::http::body::{excerpt, one_of, optional, optional_object, read_as, read_name, required, secret};
use crate::service::failure::invalid;
use crate::service::key_stores::KeyStoreRequest;
use crate::service::key_stores::cloud_hsm::CloudHsmRequest;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A custom key store to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = CustomKeyStoreRequest)]
pub struct KeyStoreBody {
    /// The name of the store.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "xks-production")]
    name: Option<String>,
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// The region, which the KMS manages.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "us-east-1")]
    region: Option<String>,
    /// Whether the store is made at AWS at once; false by default.
    #[serde(default, deserialize_with = "optional")]
    linked_state: Option<bool>,
    /// Whether requests that were served are recorded too, beside those that were refused.
    #[serde(default, deserialize_with = "optional")]
    enable_success_audit_event: Option<bool>,
    /// The values that AWS knows.
    #[serde(default, deserialize_with = "optional_object")]
    aws_param: Option<AwsBody>,
    /// The values that only this manager knows.
    #[serde(default, deserialize_with = "optional")]
    local_hosted_params: Option<LocalBody>,
    /// The callers that the store serves; everybody by default.
    #[serde(default, deserialize_with = "optional")]
    caller_rules: Option<CallerRulesBody>,
}

/// The values of a store that AWS knows.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CustomKeyStoreAwsParam)]
pub(super) struct AwsBody {
    /// `EXTERNAL_KEY_STORE` (default) or `AWS_CLOUDHSM`.
    #[serde(default, deserialize_with = "optional")]
    custom_key_store_type: Option<String>,
    /// `https://` and the host that AWS calls.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "https://xks.example.com")]
    xks_proxy_uri_endpoint: Option<String>,
    /// `PUBLIC_ENDPOINT` (default) or `VPC_ENDPOINT_SERVICE`.
    #[serde(default, deserialize_with = "optional")]
    xks_proxy_connectivity: Option<String>,
    /// The name of the VPC endpoint service; required for that connectivity.
    #[serde(default, deserialize_with = "optional")]
    xks_proxy_vpc_endpoint_service_name: Option<String>,
    /// The account that owns the VPC endpoint service.
    #[serde(default, deserialize_with = "optional")]
    xks_proxy_vpc_endpoint_service_owner: Option<String>,
    /// The CloudHSM cluster; required for the type `AWS_CLOUDHSM`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "cluster-1a23b4cdefg")]
    cloud_hsm_cluster_id: Option<String>,
    /// The password of `kmsuser` on the cluster, 7 to 32 characters; required for that type. It is not stored. For
    /// another store it is ignored.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>)]
    key_store_password: Option<Zeroizing<String>>,
    /// The certificate of the cluster; required for that type.
    #[serde(default, deserialize_with = "optional")]
    trust_anchor_certificate: Option<String>,
}

/// The values of a store that only this manager knows.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CustomKeyStoreLocalParams)]
pub(super) struct LocalBody {
    /// The id of the source key with which a health check encrypts and decrypts: AES-256, unexportable, undeletable.
    #[serde(default, deserialize_with = "optional")]
    health_check_key_id: Option<String>,
    /// The most credentials that the store can have at once, 2 to 20. A number, or its text.
    #[serde(default, deserialize_with = "number")]
    #[schema(value_type = Option<u16>, example = 8)]
    max_credentials: Option<u64>,
    /// The tier of the source keys: `local`.
    #[serde(default, deserialize_with = "optional")]
    source_key_tier: Option<String>,
    /// Whether the store refuses all requests.
    #[serde(default, deserialize_with = "optional")]
    blocked: Option<bool>,
    /// Whether AWS also authenticates with a certificate; kept, and deprecated by AWS.
    #[serde(default, deserialize_with = "optional")]
    mtls_enabled: Option<bool>,
    /// Kept.
    #[serde(default, deserialize_with = "optional")]
    partition_id: Option<String>,
}

/// The callers that a store or key serves. `*` and `?` are wildcards; an empty list admits everybody, and all other
/// lists must match.
#[derive(Deserialize, ToSchema)]
#[schema(as = CallerRulesRequest)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CallerRulesBody {
    /// ARNs of principals.
    #[serde(default, deserialize_with = "optional")]
    principals: Option<Vec<String>>,
    /// Ids of VPCs.
    #[serde(default, deserialize_with = "optional")]
    source_vpcs: Option<Vec<String>>,
    /// Ids of VPC endpoints.
    #[serde(default, deserialize_with = "optional")]
    source_vpces: Option<Vec<String>>,
    /// AWS services on whose behalf KMS calls.
    #[serde(default, deserialize_with = "optional")]
    via_services: Option<Vec<String>>,
    /// Operations of KMS.
    #[serde(default, deserialize_with = "optional")]
    operations: Option<Vec<String>>,
}

/// A link of a custom key store to AWS.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CustomKeyStoreLinkRequest)]
pub struct LinkBody {
    /// The address that AWS calls; the stored one by default.
    #[serde(default, deserialize_with = "optional_object")]
    aws_param: Option<AwsBody>,
    /// Cannot be changed by this call.
    #[serde(default)]
    local_hosted_params: Value,
    /// Cannot be changed by this call.
    #[serde(default)]
    caller_rules: Value,
    /// Cannot be changed by this call.
    #[serde(default)]
    enable_success_audit_event: Value,
}

/// A connection of a custom key store.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CustomKeyStoreConnectRequest)]
pub struct ConnectBody {
    /// The password of `kmsuser`, of a store in a CloudHSM cluster. AWS is told it first, unless it is the last one
    /// that AWS was told. For another store it is ignored.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>)]
    key_store_password: Option<Zeroizing<String>>,
}

impl ConnectBody {
    pub(super) fn password(self, store: &KeyStore) -> Result<Option<Zeroizing<String>>, Refusal> {
        let password = self.key_store_password.filter(|_| store.kind() == StoreKind::CloudHsm);
        password.iter().try_for_each(|password| check_password("key_store_password", password))?;
        Ok(password)
    }
}

/// AWS's types of custom key stores.
const EXTERNAL: &str = "EXTERNAL_KEY_STORE";
const CLOUD_HSM: &str = "AWS_CLOUDHSM";
const LOCAL_TIER: &str = "local";
const CONNECTIVITIES: &[(&str, Connectivity)] =
    &[("PUBLIC_ENDPOINT", Connectivity::PublicEndpoint), ("VPC_ENDPOINT_SERVICE", Connectivity::VpcEndpointService)];

/// A store to create.
pub(super) enum Requested {
    External(Box<KeyStoreRequest>),
    CloudHsm(Box<CloudHsmRequest>),
}

impl KeyStoreBody {
    pub(super) fn request(self) -> Result<Requested, Refusal> {
        let type_given = self.aws_param.as_ref().and_then(|aws| aws.custom_key_store_type.as_deref());
        Ok(match type_given {
            Some(CLOUD_HSM) => Requested::CloudHsm(Box::new(self.cloud_hsm()?)),
            _ => Requested::External(Box::new(self.external()?)),
        })
    }

    /// A store in a CloudHSM cluster. The values that ask for protection by the proxy cannot be honoured; clients send
    /// the other ones of external key stores as they are.
    fn cloud_hsm(self) -> Result<CloudHsmRequest, Refusal> {
        self.refuse_of_proxy()?;
        let name = read_name("name", &required("name", self.name)?, KeyStoreName::parse)?;
        let kms = required("kms", self.kms)?;
        let region = read_as("region", &required("region", self.region)?, Region::parse)?;
        let aws = self.aws_param.unwrap_or_default();
        let cluster = required(CLUSTER, aws.cloud_hsm_cluster_id)?;
        check_cluster(&cluster)?;
        let password = aws.key_store_password.ok_or_else(|| invalid(PASSWORD, "is required"))?;
        check_password(PASSWORD, &password)?;
        let trust_anchor = required(TRUST_ANCHOR, aws.trust_anchor_certificate)?;
        check_trust_anchor(&trust_anchor)?;
        Ok(CloudHsmRequest { name, kms, region, cluster, trust_anchor, password })
    }

    /// Refuses what only a store that this manager serves can have.
    fn refuse_of_proxy(&self) -> Result<(), Refusal> {
        const PROBLEM: &str = "is for external key stores that this manager serves";
        let local = self.local_hosted_params.as_ref();
        let has_rules = self.caller_rules.as_ref().is_some_and(|rules| !rules.is_empty());
        let asked = [
            ("caller_rules", has_rules),
            ("enable_success_audit_event", self.enable_success_audit_event == Some(true)),
            ("local_hosted_params.blocked", local.is_some_and(|local| local.blocked == Some(true))),
            ("local_hosted_params.mtls_enabled", local.is_some_and(|local| local.mtls_enabled == Some(true))),
        ];
        match asked.into_iter().find(|(_, asked)| *asked) {
            Some((member, _)) => Err(Refusal::from(KeyStoreRefusal::Fixed(PROBLEM)).of(member)),
            None => Ok(()),
        }
    }

    fn external(self) -> Result<KeyStoreRequest, Refusal> {
        let name = read_name("name", &required("name", self.name)?, KeyStoreName::parse)?;
        let kms = required("kms", self.kms)?;
        let region = read_as("region", &required("region", self.region)?, Region::parse)?;
        let (aws, local) = (self.aws_param.unwrap_or_default(), self.local_hosted_params.unwrap_or_default());
        aws.check_type()?;
        let settings = StoreSettings {
            connectivity: aws.connectivity()?.unwrap_or_default(),
            endpoint: required("aws_param.xks_proxy_uri_endpoint", aws.xks_proxy_uri_endpoint)?,
            vpc_service: aws.xks_proxy_vpc_endpoint_service_name.unwrap_or_default(),
            vpc_service_owner: aws.xks_proxy_vpc_endpoint_service_owner.unwrap_or_default(),
            health_check_key: required(HEALTH_KEY, local.health_check_key()?)?,
            health_check_ciphertext: String::new(),
            source_key_tier: tier(TIER, local.source_key_tier.clone())?.unwrap_or_else(|| LOCAL_TIER.to_owned()),
            max_credentials: required(MAX_CREDENTIALS, local.max_credentials()?)?,
            mtls_enabled: local.mtls_enabled.unwrap_or_default(),
            partition_id: local.partition_id.unwrap_or_default(),
            reports_success: self.enable_success_audit_event.unwrap_or_default(),
            caller_rules: self.caller_rules.map(CallerRulesBody::rules).unwrap_or_default(),
        };
        let (linked, blocked) = (self.linked_state.unwrap_or_default(), local.blocked.unwrap_or_default());
        Ok(KeyStoreRequest { name, kms, region, settings, linked, blocked })
    }
}

const HEALTH_KEY: &str = "local_hosted_params.health_check_key_id";
const MAX_CREDENTIALS: &str = "local_hosted_params.max_credentials";
const TIER: &str = "local_hosted_params.source_key_tier";

/// Reads the tier of a source key.
///
/// # Errors
/// When it is not `local`.
pub(in crate::http) fn tier(member: &'static str, given: Option<String>) -> Result<Option<String>, Refusal> {
    match given.as_deref() {
        None | Some(LOCAL_TIER) => Ok(given),
        Some("luna-hsm" | "hsm-luna") => Err(Refusal::from(KeyStoreRefusal::NoHsm).of(member)),
        Some(other) => {
            Err(invalid(member, format!("`{}` is not a tier of source keys here: `local` is", excerpt(other))))
        }
    }
}

impl AwsBody {
    fn check_type(&self) -> Result<(), Refusal> {
        match self.custom_key_store_type.as_deref() {
            None | Some(EXTERNAL) => Ok(()),
            Some(other) => Err(invalid(
                "aws_param.custom_key_store_type",
                format!("`{}` is not a type of store here: {EXTERNAL} and {CLOUD_HSM} are", excerpt(other)),
            )),
        }
    }

    fn connectivity(&self) -> Result<Option<Connectivity>, Refusal> {
        let given = self.xks_proxy_connectivity.as_deref();
        given.map(|text| one_of("aws_param.xks_proxy_connectivity", text, CONNECTIVITIES)).transpose()
    }
}

impl LinkBody {
    /// The changes of the address that precede the link.
    pub(super) fn patch(self) -> Result<KeyStorePatch, Refusal> {
        self.refuse_protection()?;
        let aws = self.aws_param.unwrap_or_default();
        aws.check_type()?;
        Ok(KeyStorePatch {
            connectivity: aws.connectivity()?,
            endpoint: aws.xks_proxy_uri_endpoint,
            vpc_service: aws.xks_proxy_vpc_endpoint_service_name,
            vpc_service_owner: aws.xks_proxy_vpc_endpoint_service_owner,
            ..KeyStorePatch::default()
        })
    }
}

impl LinkBody {
    /// Refuses members that ask for protection, which the link does not bring.
    fn refuse_protection(&self) -> Result<(), Refusal> {
        const BLOCK: &str = "is not changed by a link; POST /v1/cckm/aws/custom-key-stores/{id}/block blocks the store";
        const PATCH: &str = "is not changed by a link; PATCH /v1/cckm/aws/custom-key-stores/{id} changes it";
        let local = |member: &str| self.local_hosted_params.get(member).is_some_and(|given| !is_empty(given));
        let asked = [
            ("local_hosted_params.blocked", BLOCK, local("blocked")),
            ("local_hosted_params.mtls_enabled", PATCH, local("mtls_enabled")),
            ("caller_rules", PATCH, !is_empty(&self.caller_rules)),
            ("enable_success_audit_event", PATCH, !is_empty(&self.enable_success_audit_event)),
        ];
        match asked.into_iter().find(|(.., asked)| *asked) {
            Some((member, problem, _)) => Err(invalid(member, problem)),
            None => Ok(()),
        }
    }
}

/// Whether a value is what clients send for a member that their user did not give.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(given) => !given,
        Value::Number(given) => given.as_f64() == Some(0.0),
        Value::String(given) => given.is_empty(),
        Value::Array(given) => given.is_empty(),
        Value::Object(given) => given.values().all(is_empty),
    }
}

impl LocalBody {
    fn health_check_key(&self) -> Result<Option<SourceKeyId>, Refusal> {
        let given = self.health_check_key_id.as_deref();
        given.map(|text| read_as(HEALTH_KEY, text, SourceKeyId::parse)).transpose()
    }

    /// The tier as the client named it.
    fn max_credentials(&self) -> Result<Option<u16>, Refusal> {
        let given = self.max_credentials.filter(|given| *given != 0);
        let parsed = given.map(|given| u16::try_from(given).map_err(|_| invalid(MAX_CREDENTIALS, "must be 2 to 20")));
        parsed.transpose()
    }
}

impl CallerRulesBody {
    fn is_empty(&self) -> bool {
        let Self { principals, source_vpcs, source_vpces, via_services, operations } = self;
        let all = [principals, source_vpcs, source_vpces, via_services, operations];
        all.into_iter().all(|list| list.as_ref().is_none_or(Vec::is_empty))
    }

    pub(in crate::http) fn rules(self) -> CallerRules {
        CallerRules {
            principals: self.principals.unwrap_or_default(),
            source_vpcs: self.source_vpcs.unwrap_or_default(),
            source_vpces: self.source_vpces.unwrap_or_default(),
            via_services: self.via_services.unwrap_or_default(),
            operations: self.operations.unwrap_or_default(),
        }
    }
}

/// Reads a whole number, or a text of one; absent, `null` and the empty text give `None`.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let wrong = || D::Error::custom("expected a whole number from 0 on, or a text of one");
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => text.parse().map(Some).map_err(|_| wrong()),
        Value::Number(number) => number.as_u64().map(Some).ok_or_else(wrong),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
    }
}
