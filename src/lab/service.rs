//! The AWS services of the lab, and the selection of the service for a request.

use super::refusal::Dialect;
use super::wire::json;

/// A service of the lab cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Sts,
    /// Only DescribeRegions.
    Ec2,
    /// Only lists of principals and the policy simulator.
    Iam,
    Kms,
}

impl Service {
    pub(super) const ALL: [Service; 4] = [Service::Sts, Service::Ec2, Service::Iam, Service::Kms];

    /// The name in the scope of signatures, and before the colon of an action.
    pub(super) fn name(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Ec2 => "ec2",
            Service::Iam => "iam",
            Service::Kms => "kms",
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Service::Sts | Service::Iam => Dialect::Query,
            Service::Ec2 => Dialect::Ec2,
            Service::Kms => Dialect::Json,
        }
    }

    /// The version of the API, which requests of the query protocol contain.
    pub(super) fn version(self) -> &'static str {
        match self {
            Service::Sts => "2011-06-15",
            Service::Ec2 => "2016-11-15",
            Service::Iam => "2010-05-08",
            Service::Kms => "2014-11-01",
        }
    }

    /// The XML namespace of the answers; empty for JSON services.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Service::Kms => "",
        }
    }

    /// The service with a name.
    pub(super) fn named(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The service of a request. AWS selects it by the host name. The lab has one port for all services and uses the
    /// target or the version, then the scope of the signature, then STS.
    pub(super) fn addressed(target: Option<&str>, version: Option<&str>, scope: Option<&str>) -> Service {
        if let Some((prefix, _)) = target.and_then(json::target)
            && prefix == "TrentService"
        {
            return Service::Kms;
        }
        let in_xml = Service::ALL.into_iter().filter(|service| service.dialect() != Dialect::Json);
        let by_version = in_xml.into_iter().find(|service| version == Some(service.version()));
        by_version.or_else(|| Service::named(scope?)).unwrap_or(Service::Sts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_determines_the_service() {
        let addressed = Service::addressed;
        assert_eq!(addressed(Some("TrentService.ListKeys"), None, Some("sts")), Service::Kms);
        assert_eq!(addressed(None, Some("2016-11-15"), Some("sts")), Service::Ec2);
        assert_eq!(addressed(None, Some("2010-05-08"), None), Service::Iam);
        assert_eq!(addressed(None, Some("2009-01-01"), Some("ec2")), Service::Ec2);
        assert_eq!(addressed(None, None, Some("s3")), Service::Sts);
        assert_eq!(addressed(None, None, None), Service::Sts);
    }
}
