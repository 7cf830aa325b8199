//! The parameters of a store: their forms as in AWS's model, and the rules between them and between the stores.

use super::super::call::Call;
use super::super::exception;
use super::super::request::Request;
use super::super::state::State;
use super::super::xks::ProxyAccess;
use super::{CustomKeyStore, NAME, Proxy, VpcEndpointService};
use crate::lab::plan::is_cluster_id;
use crate::lab::refusal::Refusal;
use crate::lab::secret::Secret;

const ENDPOINT: (usize, usize) = (10, 128);
const ENDPOINT_PATTERN: &str = "^https://[a-zA-Z0-9.-]+$";
const PATH: (usize, usize) = (10, 128);
const PATH_PATTERN: &str = r"^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$";
const VPC_NAME: (usize, usize) = (20, 64);
const VPC_NAME_PATTERN: &str = r"^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$";
const OWNER: (usize, usize) = (12, 12);
const CLUSTER: (usize, usize) = (19, 24);
const CLUSTER_PATTERN: &str = "cluster-[2-7a-zA-Z]{11,16}";
const PASSWORD: (usize, usize) = (7, 32);
const ACCESS_KEY_ID: (usize, usize) = (20, 30);
const SECRET: (usize, usize) = (43, 64);

/// The settings in a request to create or update a store. Missing ones are `None`.
pub(super) struct Settings<'r> {
    pub name: Option<&'r str>,
    pub cluster: Option<&'r str>,
    pub password: Option<&'r str>,
    pub endpoint: Option<&'r str>,
    pub path: Option<&'r str>,
    pub connectivity: Option<&'r str>,
    /// Empty if the request removes it.
    pub vpc_name: Option<&'r str>,
    pub vpc_owner: Option<&'r str>,
    pub credential: Option<(&'r str, &'r str)>,
}

impl<'r> Settings<'r> {
    /// Reads the settings. The member with the name is called `name`.
    pub(super) fn read(request: &mut Request<'r>, name: &str) -> Settings<'r> {
        let cluster = request.text("CloudHsmClusterId", CLUSTER);
        if let Some(id) = cluster.filter(|id| !is_cluster_id(id)) {
            request.pattern_mismatch("CloudHsmClusterId", id, CLUSTER_PATTERN);
        }
        let endpoint = request.text("XksProxyUriEndpoint", ENDPOINT);
        if let Some(text) = endpoint.filter(|text| !is_endpoint(text)) {
            request.pattern_mismatch("XksProxyUriEndpoint", text, ENDPOINT_PATTERN);
        }
        let path = request.text("XksProxyUriPath", PATH);
        if let Some(text) = path.filter(|text| !is_path(text)) {
            request.pattern_mismatch("XksProxyUriPath", text, PATH_PATTERN);
        }
        let given = request.text("XksProxyVpcEndpointServiceName", (0, VPC_NAME.1));
        // An empty name removes the service of a store that changes to a public endpoint.
        if let Some(text) = given.filter(|text| !text.is_empty() && vpc_region(text).is_none()) {
            request.pattern_mismatch("XksProxyVpcEndpointServiceName", text, VPC_NAME_PATTERN);
        }
        let owner = request.text("XksProxyVpcEndpointServiceOwner", OWNER);
        if let Some(text) = owner.filter(|text| !text.bytes().all(|b| b.is_ascii_digit())) {
            request.pattern_mismatch("XksProxyVpcEndpointServiceOwner", text, "[0-9]{12}");
        }
        Settings {
            name: request.text(name, NAME),
            cluster,
            password: request.secret_text("KeyStorePassword", PASSWORD, |_| true),
            endpoint,
            path,
            connectivity: request.choice("XksProxyConnectivity", &["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"]),
            vpc_name: given,
            vpc_owner: owner,
            credential: read_credential(request),
        }
    }

    /// Whether the request contains settings of an external key store.
    pub(super) fn are_of_xks(&self) -> bool {
        self.endpoint.is_some()
            || self.path.is_some()
            || self.connectivity.is_some()
            || self.vpc_name.is_some_and(|name| !name.is_empty())
            || self.vpc_owner.is_some()
            || self.credential.is_some()
    }

    /// Whether the request contains settings of a CloudHSM key store.
    pub(super) fn are_of_cluster(&self) -> bool {
        self.cluster.is_some() || self.password.is_some()
    }

    /// Whether KMS has to ask the proxy of an existing store for its health before the settings apply.
    pub(super) fn change_the_proxy(&self) -> bool {
        self.endpoint.is_some() || self.path.is_some() || self.connectivity.is_some() || self.credential.is_some()
    }

    /// The proxy with these settings; those of `old`, if it has any, for the missing ones.
    ///
    /// # Errors
    /// `ValidationException`.
    pub(super) fn proxy(&self, old: Option<&Proxy>) -> Result<Proxy, Refusal> {
        let was_vpc = old.is_some_and(|old| old.vpc.is_some());
        let is_vpc = match self.connectivity {
            Some(connectivity) => connectivity == "VPC_ENDPOINT_SERVICE",
            None if old.is_some() => was_vpc,
            None => return Err(required("XksProxyConnectivity")),
        };
        if old.is_some() && was_vpc != is_vpc && self.endpoint.is_none() {
            return Err(required("XksProxyUriEndpoint"));
        }
        let endpoint = self.endpoint.or(old.map(|old| old.access.endpoint.as_str()));
        let path = self.path.or(old.map(|old| old.access.path.as_str()));
        let stored = |old: &Proxy| (old.access.access_key_id.clone(), old.access.secret_access_key.clone());
        let given = self.credential.map(|(id, secret)| (id.to_owned(), Secret::new(secret.to_owned())));
        let (access_key_id, secret_access_key) =
            given.or_else(|| old.map(stored)).ok_or_else(|| required("XksProxyAuthenticationCredential"))?;
        Ok(Proxy {
            access: ProxyAccess {
                endpoint: endpoint.ok_or_else(|| required("XksProxyUriEndpoint"))?.to_owned(),
                path: path.ok_or_else(|| required("XksProxyUriPath"))?.to_owned(),
                access_key_id,
                secret_access_key,
            },
            vpc: self.vpc(is_vpc, old.and_then(|old| old.vpc.as_ref()))?,
        })
    }

    fn vpc(&self, is_vpc: bool, old: Option<&VpcEndpointService>) -> Result<Option<VpcEndpointService>, Refusal> {
        let name = self.vpc_name.filter(|name| !name.is_empty());
        if !is_vpc {
            return match name.or(self.vpc_owner) {
                None => Ok(None),
                Some(_) => Err(Refusal::Invalid(
                    "A VPC endpoint service is not valid for the connectivity PUBLIC_ENDPOINT.".to_owned(),
                )),
            };
        }
        let name = match (name, self.vpc_name, old) {
            (Some(name), _, _) => name.to_owned(),
            (None, None, Some(old)) => old.name.clone(),
            _ => return Err(required("XksProxyVpcEndpointServiceName")),
        };
        let owner = self.vpc_owner.map(str::to_owned).or_else(|| old.and_then(|old| old.owner.clone()));
        Ok(Some(VpcEndpointService { name, owner }))
    }
}

/// The refusal of a request without a member that the type of the store requires.
pub(super) fn required(member: &str) -> Refusal {
    Refusal::Invalid(format!("{member} is required for a custom key store of this type."))
}

fn read_credential<'r>(request: &mut Request<'r>) -> Option<(&'r str, &'r str)> {
    const MEMBER: &str = "XksProxyAuthenticationCredential";
    let members = request.structure(MEMBER)?;
    let mut inner = Request::new(members);
    let id = inner.secret_text("AccessKeyId", ACCESS_KEY_ID, |text| {
        text.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
    });
    let secret = inner.secret_text("RawSecretAccessKey", SECRET, |text| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+=".contains(&b))
    });
    for (name, given) in [("AccessKeyId", id), ("RawSecretAccessKey", secret)] {
        if given.is_none() {
            inner.missing(name);
        }
    }
    request.include("xksProxyAuthenticationCredential", inner);
    id.zip(secret)
}

impl Call<'_> {
    /// Requires that no other store in the region uses the same proxy, as AWS requires it.
    ///
    /// # Errors
    /// `XksProxyUriInUseException`, `XksProxyUriEndpointInUseException` or
    /// `XksProxyVpcEndpointServiceInUseException`.
    pub(super) fn require_free_proxy(
        &self,
        state: &State,
        proxy: &Proxy,
        except: Option<&CustomKeyStore>,
    ) -> Result<(), Refusal> {
        let others = state.custom_key_stores.of(self.account(), self.region);
        let others = others.filter(|store| except.is_none_or(|except| store.id != except.id));
        for other in others.filter_map(CustomKeyStore::proxy) {
            let same_endpoint = other.access.host() == proxy.access.host();
            if same_endpoint && other.access.path == proxy.access.path {
                let why = "The XksProxyUriEndpoint and XksProxyUriPath are associated with another external key store.";
                return Err(exception::xks_proxy_uri_in_use(why));
            }
            if same_endpoint && (other.vpc.is_some() || proxy.vpc.is_some()) {
                let why = "The XksProxyUriEndpoint is associated with another external key store, and one of the two \
                           has VPC_ENDPOINT_SERVICE connectivity.";
                return Err(exception::xks_proxy_uri_endpoint_in_use(why));
            }
            if let (Some(theirs), Some(ours)) = (&other.vpc, &proxy.vpc)
                && theirs.name == ours.name
            {
                let why = "The VPC endpoint service is associated with another external key store.";
                return Err(exception::xks_proxy_vpc_endpoint_service_in_use(why));
            }
        }
        Ok(())
    }

    /// Requires that no other store in the region has a name.
    ///
    /// # Errors
    /// `CustomKeyStoreNameInUseException`.
    pub(super) fn require_free_name(
        &self,
        state: &State,
        name: &str,
        except: Option<&CustomKeyStore>,
    ) -> Result<(), Refusal> {
        let mut others = state.custom_key_stores.of(self.account(), self.region);
        if others.any(|store| store.name == name && except.is_none_or(|except| store.id != except.id)) {
            let why = format!("A custom key store named {name} exists already.");
            return Err(exception::custom_key_store_name_in_use(why));
        }
        Ok(())
    }

    /// Requires the VPC endpoint service of a proxy.
    ///
    /// # Errors
    /// `XksProxyVpcEndpointServiceNotFoundException`.
    pub(super) fn require_vpc_endpoint_service(&self, proxy: &Proxy) -> Result<(), Refusal> {
        match proxy.vpc.as_ref().filter(|vpc| !self.finds_vpc_endpoint_service(&vpc.name)) {
            None => Ok(()),
            Some(vpc) => Err(exception::xks_proxy_vpc_endpoint_service_not_found(format!(
                "The VPC endpoint service {} does not exist in this Region, or does not allow KMS.",
                vpc.name
            ))),
        }
    }

    pub(super) fn finds_vpc_endpoint_service(&self, name: &str) -> bool {
        let unknown = &self.plan.custom_key_stores().unknown_vpc_endpoint_services;
        vpc_region(name) == Some(self.region) && !unknown.iter().any(|other| other == name)
    }
}

fn is_endpoint(text: &str) -> bool {
    let host = text.strip_prefix("https://").unwrap_or_default();
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

fn is_path(text: &str) -> bool {
    let Some((prefix, version)) = text.rsplit_once("/kms/xks/v") else { return false };
    let is_version = (1..=2).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit());
    let mut rest = prefix.bytes();
    let is_prefix = match rest.next() {
        None => true,
        Some(first) => {
            first == b'/' && rest.len() > 0 && rest.all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
        }
    };
    is_version && is_prefix
}

/// The region in the name of a VPC endpoint service; `None` if the name has another form.
fn vpc_region(name: &str) -> Option<&str> {
    if !(VPC_NAME.0..=VPC_NAME.1).contains(&name.len()) {
        return None;
    }
    let rest = ["com", "eu"].iter().find_map(|top| name.strip_prefix(top)?.strip_prefix(".amazonaws.vpce."))?;
    let (region, id) = rest.split_once(".vpce-svc-")?;
    let parts: Vec<&str> = region.split('-').collect();
    let (number, words) = parts.split_last()?;
    let is_region = (2..=3).contains(&words.len())
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit());
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (is_region && is_id).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_endpoints_paths_and_services_are_those_of_the_model() {
        for text in ["https://xks.example.com", "https://192.0.2.7", "https://A-b.c"] {
            assert!(is_endpoint(text), "{text}");
        }
        for text in ["https://", "http://xks.example.com", "https://a:8443", "https://a/b", "xks.example.com"] {
            assert!(!is_endpoint(text), "{text}");
        }
        for text in ["/kms/xks/v1", "/a/kms/xks/v12", "/api/v1/x_y-z/kms/xks/v1"] {
            assert!(is_path(text), "{text}");
        }
        for text in ["kms/xks/v1", "a/kms/xks/v1", "//kms/xks/v123", "/a.b/kms/xks/v1", "/kms/xks/v1/", "/kms/xks/v"] {
            assert!(!is_path(text), "{text}");
        }
        assert_eq!(vpc_region("com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d"), Some("us-east-1"));
        assert_eq!(vpc_region("eu.amazonaws.vpce.eusc-de-east-1.vpce-svc-0a1b2c3d"), Some("eusc-de-east-1"));
        for text in
            ["testEndpointServiceName", "com.amazonaws.vpce.us-east.vpce-svc-0a", "com.amazonaws.us-east-1.kms1"]
        {
            assert_eq!(vpc_region(text), None, "{text}");
        }
    }
}
