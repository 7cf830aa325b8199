//! The exceptions of KMS, with AWS's messages where they are known.

use super::super::refusal::Refusal;

fn special(code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::Special { status: 400, code, message: message.into() }
}

macro_rules! exceptions {
    ($($name:ident => $code:literal),* $(,)?) => {
        $(
            #[doc = concat!("`", $code, "`.")]
            pub(crate) fn $name(message: impl Into<String>) -> Refusal {
                special($code, message)
            }
        )*
    };
}

exceptions! {
    access_denied => "AccessDeniedException",
    already_exists => "AlreadyExistsException",
    cluster_in_use => "CloudHsmClusterInUseException",
    cluster_invalid_configuration => "CloudHsmClusterInvalidConfigurationException",
    cluster_not_active => "CloudHsmClusterNotActiveException",
    cluster_not_found => "CloudHsmClusterNotFoundException",
    cluster_not_related => "CloudHsmClusterNotRelatedException",
    conflict => "ConflictException",
    custom_key_store_has_keys => "CustomKeyStoreHasCMKsException",
    custom_key_store_invalid_state => "CustomKeyStoreInvalidStateException",
    custom_key_store_name_in_use => "CustomKeyStoreNameInUseException",
    custom_key_store_not_found => "CustomKeyStoreNotFoundException",
    disabled => "DisabledException",
    dry_run => "DryRunOperationException",
    expired_import_token => "ExpiredImportTokenException",
    incorrect_key => "IncorrectKeyException",
    incorrect_trust_anchor => "IncorrectTrustAnchorException",
    incorrect_key_material => "IncorrectKeyMaterialException",
    invalid_alias_name => "InvalidAliasNameException",
    invalid_arn => "InvalidArnException",
    invalid_ciphertext => "InvalidCiphertextException",
    invalid_grant_token => "InvalidGrantTokenException",
    invalid_import_token => "InvalidImportTokenException",
    invalid_key_usage => "InvalidKeyUsageException",
    invalid_mac => "KMSInvalidMacException",
    invalid_marker => "InvalidMarkerException",
    invalid_signature => "KMSInvalidSignatureException",
    invalid_state => "KMSInvalidStateException",
    limit_exceeded => "LimitExceededException",
    malformed_policy => "MalformedPolicyDocumentException",
    not_found => "NotFoundException",
    serialization => "SerializationException",
    tag => "TagException",
    unsupported => "UnsupportedOperationException",
    xks_key_already_in_use => "XksKeyAlreadyInUseException",
    xks_key_invalid_configuration => "XksKeyInvalidConfigurationException",
    xks_key_not_found => "XksKeyNotFoundException",
    xks_proxy_incorrect_credential => "XksProxyIncorrectAuthenticationCredentialException",
    xks_proxy_invalid_configuration => "XksProxyInvalidConfigurationException",
    xks_proxy_invalid_response => "XksProxyInvalidResponseException",
    xks_proxy_uri_endpoint_in_use => "XksProxyUriEndpointInUseException",
    xks_proxy_uri_in_use => "XksProxyUriInUseException",
    xks_proxy_uri_unreachable => "XksProxyUriUnreachableException",
    xks_proxy_vpc_endpoint_service_in_use => "XksProxyVpcEndpointServiceInUseException",
    xks_proxy_vpc_endpoint_service_not_found => "XksProxyVpcEndpointServiceNotFoundException",
}

/// The refusal for a key that does not exist.
pub(super) fn no_such_key(arn: &str) -> Refusal {
    not_found(format!("Key '{arn}' does not exist"))
}
