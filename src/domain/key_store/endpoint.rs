//! The rules for the address at which AWS reaches the proxy. AWS's own rules hold once a store is linked. Before that
//! any host is accepted, so that a store can be prepared before its name in the DNS exists.

use super::{Connectivity, StoreSettings};
use crate::domain::refusal::Refusal;

const ENDPOINT: &str = "aws_param.xks_proxy_uri_endpoint";
const SERVICE: &str = "aws_param.xks_proxy_vpc_endpoint_service_name";
const OWNER: &str = "aws_param.xks_proxy_vpc_endpoint_service_owner";

impl StoreSettings {
    /// Checks the address of an unlinked store.
    ///
    /// # Errors
    /// When the endpoint is not `https://` and a host, or the name of the VPC endpoint service is missing.
    pub fn check_address(&self) -> Result<(), Refusal> {
        let host = self.endpoint.strip_prefix("https://").unwrap_or_default();
        let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if host.is_empty() || self.endpoint.len() > 255 || !host.bytes().all(is_host) {
            return Err(invalid(ENDPOINT, "must be `https://` and a host, without a path"));
        }
        match self.connectivity {
            Connectivity::VpcEndpointService if self.vpc_service.is_empty() => {
                Err(invalid(SERVICE, "must be given for the connectivity VPC_ENDPOINT_SERVICE"))
            }
            Connectivity::PublicEndpoint if !self.vpc_service.is_empty() => {
                Err(invalid(SERVICE, "must not be given for the connectivity PUBLIC_ENDPOINT"))
            }
            Connectivity::PublicEndpoint | Connectivity::VpcEndpointService if self.vpc_service.len() > 255 => {
                Err(invalid(SERVICE, "must not be longer than 255 characters"))
            }
            Connectivity::PublicEndpoint | Connectivity::VpcEndpointService => self.check_owner(),
        }
    }

    /// Checks the address of a store that is or becomes linked, by AWS's rules.
    ///
    /// # Errors
    /// When AWS does not accept the address.
    pub fn check_linked_address(&self) -> Result<(), Refusal> {
        self.check_address()?;
        let host = self.endpoint.strip_prefix("https://").unwrap_or_default();
        let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        if !(10..=128).contains(&self.endpoint.len()) || !host.bytes().all(is_host) {
            let problem = "AWS accepts `https://` and a host of letters, digits, `.` and `-`, 10 to 128 characters \
                           together, without a port: it calls port 443";
            return Err(invalid(ENDPOINT, problem));
        }
        match self.connectivity {
            Connectivity::VpcEndpointService if !is_vpc_service(&self.vpc_service) => Err(invalid(
                SERVICE,
                "AWS accepts names such as com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
            )),
            Connectivity::PublicEndpoint | Connectivity::VpcEndpointService => Ok(()),
        }
    }

    fn check_owner(&self) -> Result<(), Refusal> {
        let owner = &self.vpc_service_owner;
        match owner.is_empty() || (owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit())) {
            true => Ok(()),
            false => Err(invalid(OWNER, "must be the 12 digits of an AWS account")),
        }
    }
}

/// Whether a text is the name of a VPC endpoint service:
/// `^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$`, 20 to 64 characters.
fn is_vpc_service(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let ["com" | "eu", "amazonaws", "vpce", region, service] = parts.as_slice() else { return false };
    let words: Vec<&str> = region.split('-').collect();
    let Some((number, words)) = words.split_last() else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let id = service.strip_prefix("vpce-svc-").unwrap_or_default();
    (20..=64).contains(&text.len())
        && (2..=3).contains(&words.len())
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && !id.is_empty()
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn invalid(member: &'static str, problem: &str) -> Refusal {
    Refusal::Invalid { member, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key_store::tests::settings;

    fn checked(connectivity: Connectivity, endpoint: &str, service: &str) -> (bool, bool) {
        let (endpoint, vpc_service) = (endpoint.to_owned(), service.to_owned());
        let settings = StoreSettings { connectivity, endpoint, vpc_service, ..settings() };
        (settings.check_address().is_ok(), settings.check_linked_address().is_ok())
    }

    #[test]
    fn an_unlinked_store_may_have_an_address_that_aws_refuses() {
        const PUBLIC: Connectivity = Connectivity::PublicEndpoint;
        const VPC: Connectivity = Connectivity::VpcEndpointService;
        let aws_service = "com.amazonaws.vpce.us-east-1.vpce-svc-0e3d8b8c2f6f3c1a0";
        for (connectivity, endpoint, service, expected) in [
            (PUBLIC, "https://xks.example.com", "", (true, true)),
            (PUBLIC, "https://192.0.2.7", "", (true, true)),
            (PUBLIC, "https://192.0.2.7:8443", "", (true, false)),
            (PUBLIC, "https://a", "", (true, false)),
            (PUBLIC, "https://xks.example.com/", "", (false, false)),
            (PUBLIC, "https://user@xks.example.com", "", (false, false)),
            (PUBLIC, "http://xks.example.com", "", (false, false)),
            (PUBLIC, "https://", "", (false, false)),
            (PUBLIC, "https://xks.example.com", "svc", (false, false)),
            (VPC, "https://xks.example.com", "", (false, false)),
            (VPC, "https://xks.example.com", "testEndpointServiceName", (true, false)),
            (VPC, "https://xks.example.com", aws_service, (true, true)),
            (VPC, "https://xks.example.com", "com.amazonaws.vpce.us-east.vpce-svc-0e3d8b8c2", (true, false)),
        ] {
            assert_eq!(checked(connectivity, endpoint, service), expected, "{endpoint} {service}");
        }
    }
}
