//! Maps partition, service and region to the URL of the endpoint and to the region of the signature.
//!
//! Endpoints use `https`, unless the configuration overrides them.

use super::operation::Service;
use super::port::Access;
use super::settings::EndpointOverride;
use crate::domain::connection::StsEndpoints;
use crate::domain::place::{Partition, Region};

/// The URL that a call is sent to, and the region that it is signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Scheme, host, port and path, without a trailing slash.
    pub(super) url: String,
    /// The region that the signature names.
    pub(super) signing_region: Region,
}

impl Endpoint {
    /// Converts the endpoint to rusoto's type.
    pub(super) fn as_rusoto(&self) -> rusoto_core::Region {
        rusoto_core::Region::Custom { name: self.signing_region.to_string(), endpoint: self.url.clone() }
    }
}

/// All endpoints: those of AWS, and the overrides of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    overrides: Vec<EndpointOverride>,
}

impl Endpoints {
    /// Takes overrides that have passed `AwsSettings::check`.
    pub(super) fn new(overrides: &[EndpointOverride]) -> Self {
        let normalized = |entry: &EndpointOverride| EndpointOverride {
            url: entry.url.trim_end_matches('/').to_owned(),
            ..entry.clone()
        };
        Self { overrides: overrides.iter().map(normalized).collect() }
    }

    /// The endpoint of a service in a region. The region of the access is ignored.
    pub(super) fn in_region(&self, service: Service, region: &Region) -> Endpoint {
        let (partition, region) = (region.partition(), region.clone());
        match self.overriding(service, partition, &region) {
            Some(url) => Endpoint { url: url.to_owned(), signing_region: region },
            None => regional(service, partition, region),
        }
    }

    /// The endpoint of a service for an access.
    pub(super) fn find(&self, service: Service, access: &Access) -> Endpoint {
        let partition = access.partition;
        let region = match service {
            Service::Iam => iam_region(partition),
            Service::RolesAnywhere => {
                let anchor = access.roles_anywhere.as_ref().and_then(|access| access.trust_anchor.region().cloned());
                anchor.unwrap_or_else(|| partition.default_region())
            }
            Service::Sts | Service::Ec2 | Service::Kms | Service::Logs | Service::CloudHsm => access.region.clone(),
        };
        if let Some(url) = self.overriding(service, partition, &region) {
            // The legacy rule of STS does not apply: a VPC endpoint is regional and expects a signature for its region.
            return Endpoint { url: url.to_owned(), signing_region: region };
        }
        match service {
            Service::Iam => iam(partition, region),
            Service::Sts if access.sts == StsEndpoints::Legacy && is_legacy_sts_region(&region) => Endpoint {
                url: "https://sts.amazonaws.com".to_owned(),
                signing_region: Partition::Aws.default_region(),
            },
            Service::Sts | Service::Ec2 | Service::Kms | Service::Logs | Service::RolesAnywhere | Service::CloudHsm => {
                regional(service, partition, region)
            }
        }
    }

    fn overriding(&self, service: Service, partition: Partition, region: &Region) -> Option<&str> {
        let fits = |entry: &&EndpointOverride| {
            entry.partition.is_none_or(|only| only == partition)
                && entry.service.is_none_or(|only| only == service)
                && entry.region.as_ref().is_none_or(|only| only == region)
        };
        let rank =
            |entry: &&EndpointOverride| (entry.service.is_some(), entry.region.is_some(), entry.partition.is_some());
        self.overrides.iter().filter(fits).max_by_key(rank).map(|entry| entry.url.as_str())
    }
}

fn regional(service: Service, partition: Partition, region: Region) -> Endpoint {
    let host = service.host();
    Endpoint { url: format!("https://{host}.{region}.{}", partition.dns_suffix()), signing_region: region }
}

/// IAM has one endpoint for each partition. Its requests are signed for the default region of the partition.
fn iam_region(partition: Partition) -> Region {
    partition.default_region()
}

fn iam(partition: Partition, home: Region) -> Endpoint {
    let url = match partition {
        Partition::Aws => "https://iam.amazonaws.com",
        Partition::AwsUsGov => "https://iam.us-gov.amazonaws.com",
        Partition::AwsCn => "https://iam.cn-north-1.amazonaws.com.cn",
    };
    Endpoint { url: url.to_owned(), signing_region: home }
}

/// Whether a session of the global endpoint of STS is valid in the region.
pub(super) fn is_legacy_sts_region(region: &Region) -> bool {
    STS_LEGACY.contains(&region.as_str())
}

/// The regions for which AWS's SDKs use the global endpoint in legacy mode. The list is closed: newer regions and the
/// other partitions always use regional endpoints.
const STS_LEGACY: [&str; 15] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::port::AccessKeys;
    use crate::aws::roles_anywhere::RolesAnywhere;

    fn access(partition: Partition, region: Option<&str>, sts: StsEndpoints) -> Access {
        let keys = AccessKeys { id: "AKIA".to_owned(), secret: "s".to_owned().into(), session_token: None };
        let region = region.map_or(partition.default_region(), |name| Region::parse(name).expect("a region"));
        Access { region, sts, ..Access::with_keys(partition, keys) }
    }

    fn found(endpoints: &Endpoints, service: Service, access: &Access) -> String {
        let Endpoint { url, signing_region } = endpoints.find(service, access);
        format!("{url} {signing_region}")
    }

    #[test]
    fn every_partition_has_its_own_endpoints() {
        use Partition::{Aws, AwsCn, AwsUsGov};
        use StsEndpoints::{Legacy, Regional};
        let endpoints = Endpoints::new(&[]);
        for (service, partition, region, sts, expected) in [
            (Service::Sts, Aws, None, Legacy, "https://sts.amazonaws.com us-east-1"),
            (Service::Sts, Aws, Some("eu-west-1"), Legacy, "https://sts.amazonaws.com us-east-1"),
            (Service::Sts, Aws, Some("af-south-1"), Legacy, "https://sts.af-south-1.amazonaws.com af-south-1"),
            (
                Service::Sts,
                Aws,
                Some("ap-northeast-2"),
                Legacy,
                "https://sts.ap-northeast-2.amazonaws.com ap-northeast-2",
            ),
            (Service::Sts, Aws, None, Regional, "https://sts.us-east-1.amazonaws.com us-east-1"),
            (Service::Sts, Aws, Some("eu-west-1"), Regional, "https://sts.eu-west-1.amazonaws.com eu-west-1"),
            (Service::Sts, AwsUsGov, None, Legacy, "https://sts.us-gov-west-1.amazonaws.com us-gov-west-1"),
            (
                Service::Sts,
                AwsUsGov,
                Some("us-gov-east-1"),
                Regional,
                "https://sts.us-gov-east-1.amazonaws.com us-gov-east-1",
            ),
            (Service::Sts, AwsCn, None, Legacy, "https://sts.cn-north-1.amazonaws.com.cn cn-north-1"),
            (
                Service::Sts,
                AwsCn,
                Some("cn-northwest-1"),
                Regional,
                "https://sts.cn-northwest-1.amazonaws.com.cn cn-northwest-1",
            ),
            (Service::Ec2, Aws, None, Legacy, "https://ec2.us-east-1.amazonaws.com us-east-1"),
            (Service::Ec2, Aws, Some("mx-central-1"), Legacy, "https://ec2.mx-central-1.amazonaws.com mx-central-1"),
            (Service::Ec2, AwsUsGov, None, Legacy, "https://ec2.us-gov-west-1.amazonaws.com us-gov-west-1"),
            (Service::Ec2, AwsCn, None, Legacy, "https://ec2.cn-north-1.amazonaws.com.cn cn-north-1"),
            (Service::Iam, Aws, Some("eu-west-1"), Legacy, "https://iam.amazonaws.com us-east-1"),
            (Service::Iam, AwsUsGov, Some("us-gov-east-1"), Legacy, "https://iam.us-gov.amazonaws.com us-gov-west-1"),
            (Service::Iam, AwsCn, Some("cn-northwest-1"), Legacy, "https://iam.cn-north-1.amazonaws.com.cn cn-north-1"),
            (
                Service::Kms,
                AwsCn,
                Some("cn-northwest-1"),
                Legacy,
                "https://kms.cn-northwest-1.amazonaws.com.cn cn-northwest-1",
            ),
            (Service::Logs, Aws, Some("eu-west-3"), Legacy, "https://logs.eu-west-3.amazonaws.com eu-west-3"),
            (Service::CloudHsm, Aws, Some("eu-west-3"), Legacy, "https://cloudhsmv2.eu-west-3.amazonaws.com eu-west-3"),
        ] {
            assert_eq!(found(&endpoints, service, &access(partition, region, sts)), expected, "{service} {region:?}");
            if let (Service::Kms | Service::Logs | Service::CloudHsm, Some(region)) = (service, region) {
                let Endpoint { url, signing_region } =
                    endpoints.in_region(service, &Region::parse(region).expect("a region"));
                assert_eq!(format!("{url} {signing_region}"), expected);
            }
        }
    }

    #[test]
    fn roles_anywhere_is_called_in_the_region_of_the_trust_anchor() {
        let roles_anywhere = Some(RolesAnywhere::example());
        let access = Access { roles_anywhere, ..access(Partition::Aws, Some("eu-west-1"), StsEndpoints::Legacy) };
        assert_eq!(
            found(&Endpoints::new(&[]), Service::RolesAnywhere, &access),
            "https://rolesanywhere.eu-west-3.amazonaws.com eu-west-3"
        );
    }

    #[test]
    fn the_most_specific_override_wins() {
        let entry = |partition: Option<Partition>, service: Option<Service>, region: Option<&str>, url: &str| {
            let region = region.map(|name| Region::parse(name).expect("a region"));
            EndpointOverride { partition, service, region, url: url.to_owned() }
        };
        let endpoints = Endpoints::new(&[
            entry(None, None, None, "http://any/"),
            entry(Some(Partition::AwsCn), None, None, "http://cn"),
            entry(None, None, Some("eu-west-1"), "http://eu-west-1"),
            entry(None, Some(Service::Sts), None, "http://sts/base/"),
            entry(None, Some(Service::Sts), Some("eu-west-1"), "http://sts.eu-west-1"),
        ]);
        let legacy = StsEndpoints::Legacy;
        for (service, partition, region, expected) in [
            (Service::Ec2, Partition::Aws, None, "http://any us-east-1"),
            (Service::Ec2, Partition::AwsCn, None, "http://cn cn-north-1"),
            (Service::Ec2, Partition::Aws, Some("eu-west-1"), "http://eu-west-1 eu-west-1"),
            (Service::Sts, Partition::Aws, Some("eu-west-2"), "http://sts/base eu-west-2"),
            (Service::Sts, Partition::AwsCn, None, "http://sts/base cn-north-1"),
            (Service::Sts, Partition::Aws, Some("eu-west-1"), "http://sts.eu-west-1 eu-west-1"),
            (Service::Iam, Partition::Aws, Some("eu-west-1"), "http://any us-east-1"),
        ] {
            assert_eq!(found(&endpoints, service, &access(partition, region, legacy)), expected);
        }
    }
}
