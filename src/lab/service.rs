//! The AWS services of the lab, and how a request is told to be for one of them.

use super::refusal::Dialect;
use super::wire::json;

/// A service of the lab cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Sts,
    /// Of EC2 only the regions.
    Ec2,
    /// Of IAM the listings and the policy simulator.
    Iam,
    Kms,
}

impl Service {
    pub(super) const ALL: [Service; 4] = [Service::Sts, Service::Ec2, Service::Iam, Service::Kms];

    /// Its name in a signature's scope, and before the colon of an action.
    pub(super) fn name(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Ec2 => "ec2",
            Service::Iam => "iam",
            Service::Kms => "kms",
        }
    }

    /// How it words its errors.
    pub(super) fn dialect(self) -> Dialect {
        match self {
            Service::Sts | Service::Iam => Dialect::Query,
            Service::Ec2 => Dialect::Ec2,
            Service::Kms => Dialect::Json,
        }
    }

    /// The version of its API: the one that SDKs name in the query protocol.
    pub(super) fn version(self) -> &'static str {
        match self {
            Service::Sts => "2011-06-15",
            Service::Ec2 => "2016-11-15",
            Service::Iam => "2010-05-08",
            Service::Kms => "2014-11-01",
        }
    }

    /// The XML namespace of its answers.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Service::Kms => "",
        }
    }

    /// The service with this name in a signature's scope.
    pub(super) fn named(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The service that a request addresses: at AWS the host name says so, here, with one port for all, what it asks.
    /// A request that gives no hint is for the service that it is signed for, and for STS if that helps no further.
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
    fn what_is_asked_tells_the_service() {
        let told = Service::addressed;
        assert_eq!(told(Some("TrentService.ListKeys"), None, Some("sts")), Service::Kms);
        assert_eq!(told(None, Some("2016-11-15"), Some("sts")), Service::Ec2);
        assert_eq!(told(None, Some("2010-05-08"), None), Service::Iam);
        assert_eq!(told(None, Some("2009-01-01"), Some("ec2")), Service::Ec2);
        assert_eq!(told(None, None, Some("s3")), Service::Sts);
        assert_eq!(told(None, None, None), Service::Sts);
    }
}
