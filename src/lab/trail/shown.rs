//! What an event shows of the parameters and the answer of a call: members that are named here, and no others.
//!
//! Plaintexts, ciphertexts, key material, credentials, passwords and tokens are therefore never shown.

use serde_json::{Map, Value, json};

/// The largest size of a part of an event, as at AWS. What is larger is omitted.
const MOST_BYTES: usize = 100_000;

#[rustfmt::skip]
const PARAMETERS: &[&str] = &[
    "AliasName", "BypassPolicyLockoutSafetyCheck", "Constraints", "CustomKeyStoreId", "CustomKeyStoreName",
    "CustomKeyStoreType", "CustomerMasterKeySpec", "Description", "DestinationEncryptionAlgorithm",
    "DestinationEncryptionContext", "DestinationKeyId", "DryRun", "EncryptionAlgorithm", "EncryptionContext",
    "ExpirationModel", "GrantId", "GranteePrincipal", "ImportType", "IncludeKeyMaterial", "KeyAgreementAlgorithm",
    "KeyId", "KeyMaterialDescription", "KeyMaterialId", "KeyPairSpec", "KeySpec", "KeyUsage", "Limit",
    "MacAlgorithm", "Marker", "MessageType", "MultiRegion", "Name", "NewCustomKeyStoreName", "NumberOfBytes",
    "Operations", "Origin", "PendingWindowInDays", "Policy", "PolicyName", "PrimaryRegion", "ReplicaRegion",
    "RetiringPrincipal", "RotationPeriodInDays", "SigningAlgorithm", "SourceEncryptionAlgorithm",
    "SourceEncryptionContext", "SourceKeyId", "TagKeys", "Tags", "TargetKeyId", "ValidTo", "WrappingAlgorithm",
    "WrappingKeySpec", "XksKeyId", "XksProxyConnectivity", "XksProxyUriEndpoint", "XksProxyUriPath",
    "XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner",
];
#[rustfmt::skip]
const RESULTS: &[&str] = &[
    "CustomKeyStoreId", "DeletionDate", "GrantId", "KeyId", "KeyMaterialId", "KeyMetadata", "KeyState",
    "PendingWindowInDays", "ReplicaKeyMetadata", "ReplicaPolicy", "ReplicaTags",
];
const STS_PARAMETERS: &[&str] = &[
    "AccessKeyId",
    "DurationSeconds",
    "ExternalId",
    "Name",
    "Policy",
    "ProviderId",
    "RoleArn",
    "RoleSessionName",
    "SourceIdentity",
];
const STS_RESULTS: &[&str] = &[
    "AssumedRoleUser",
    "Audience",
    "FederatedUser",
    "PackedPolicySize",
    "Provider",
    "SourceIdentity",
    "SubjectFromWebIdentityToken",
];
/// Structures whose members are names that the caller chose.
const AS_GIVEN: &[&str] = &["EncryptionContextEquals", "EncryptionContextSubset"];

/// The parameters of an operation of KMS.
pub(in crate::lab) fn kms_parameters(operation: &str, body: &Map<String, Value>) -> Value {
    let mut shown = chosen(body, PARAMETERS);
    if matches!(operation, "Encrypt" | "Decrypt") {
        shown.entry("encryptionAlgorithm").or_insert_with(|| json!("SYMMETRIC_DEFAULT"));
    }
    if let Some(cluster) = body.get("CloudHsmClusterId").filter(|cluster| cluster.is_string()) {
        shown.insert("clusterId".to_owned(), cluster.clone());
    }
    bounded(shown)
}

/// The answer of an operation of KMS that changes something.
pub(in crate::lab) fn kms_result(answer: &Value, key: Option<&str>) -> Value {
    let mut shown = answer.as_object().map(|answer| chosen(answer, RESULTS)).unwrap_or_default();
    if let Some(arn) = key.filter(|_| answer.is_null()) {
        shown.insert("keyId".to_owned(), json!(arn));
    }
    bounded(shown)
}

/// The parameters of an operation of STS.
pub(in crate::lab) fn sts_parameters<'p>(get: impl Fn(&'static str) -> Option<&'p str>) -> Value {
    let given = STS_PARAMETERS.iter().filter_map(|name| {
        let text = get(name)?;
        let number = (*name == "DurationSeconds").then(|| text.parse::<i64>().ok()).flatten();
        Some((lower_camel(name), number.map_or_else(|| json!(text), |number| json!(number))))
    });
    bounded(given.collect())
}

/// The answer of an operation of STS: of credentials only the id of the access key and the expiry.
pub(in crate::lab) fn sts_result(answer: &Value) -> Value {
    let mut shown = answer.as_object().map(|answer| chosen(answer, STS_RESULTS)).unwrap_or_default();
    if let Some(given) = answer["Credentials"].as_object() {
        let parts = chosen(given, &["AccessKeyId", "Expiration"]);
        shown.insert("credentials".to_owned(), Value::Object(parts));
    }
    bounded(shown)
}

fn chosen(members: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let shown = members.iter().filter(|(name, value)| names.contains(&name.as_str()) && !value.is_null());
    shown
        .map(|(name, value)| {
            let as_given = name.ends_with("EncryptionContext");
            (lower_camel(name), if as_given { value.clone() } else { in_camel_case(value) })
        })
        .collect()
}

fn in_camel_case(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(in_camel_case).collect(),
        Value::Object(members) => {
            let renamed = members.iter().map(|(name, value)| {
                let as_given = AS_GIVEN.contains(&name.as_str());
                (lower_camel(name), if as_given { value.clone() } else { in_camel_case(value) })
            });
            Value::Object(renamed.collect())
        }
        other => other.clone(),
    }
}

/// A name with a small first letter.
pub(in crate::lab) fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn bounded(shown: Map<String, Value>) -> Value {
    if shown.is_empty() {
        return Value::Null;
    }
    let shown = Value::Object(shown);
    let size = shown.to_string().len();
    if size <= MOST_BYTES {
        return shown;
    }
    json!({ "omitted": true, "originalSize": size, "reasonOmitted": "the value is larger than 100 KB" })
}
