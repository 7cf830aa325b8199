//! The AWS services of the lab, and the selection of the service for a request.

use super::refusal::Dialect;
use super::wire::json;

/// A service of the lab cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Sts,
    /// Only DescribeRegions.
    Ec2,
    /// Only principals, their policies and the policy simulator.
    Iam,
    Kms,
    /// IAM Roles Anywhere; only CreateSession.
    RolesAnywhere,
    /// Only DescribeClusters.
    CloudHsm,
    /// CloudWatch Logs; only DescribeLogGroups and FilterLogEvents.
    Logs,
}

impl Service {
    pub(super) const ALL: [Service; 7] = [
        Service::Sts,
        Service::Ec2,
        Service::Iam,
        Service::Kms,
        Service::RolesAnywhere,
        Service::CloudHsm,
        Service::Logs,
    ];

    /// The name in the scope of signatures, and before the colon of an action.
    pub(super) fn name(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Ec2 => "ec2",
            Service::Iam => "iam",
            Service::Kms => "kms",
            Service::RolesAnywhere => "rolesanywhere",
            Service::CloudHsm => "cloudhsm",
            Service::Logs => "logs",
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Service::Sts | Service::Iam => Dialect::Query,
            Service::Ec2 => Dialect::Ec2,
            Service::Kms | Service::CloudHsm | Service::Logs => Dialect::Json,
            Service::RolesAnywhere => Dialect::RestJson,
        }
    }

    /// The version of the API, which requests of the query protocol contain.
    pub(super) fn version(self) -> &'static str {
        match self {
            Service::Sts => "2011-06-15",
            Service::Ec2 => "2016-11-15",
            Service::Iam => "2010-05-08",
            Service::Kms => "2014-11-01",
            Service::RolesAnywhere => "2018-05-10",
            Service::CloudHsm => "2017-04-28",
            Service::Logs => "2014-03-28",
        }
    }

    /// The XML namespace of the answers; empty for JSON services.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Service::Kms | Service::RolesAnywhere | Service::CloudHsm | Service::Logs => "",
        }
    }

    /// The service with a name.
    pub(super) fn named(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The service of a request. AWS selects it by the host name. The lab has one port for all services and uses the
    /// target or the version, then the scope of the signature, then STS.
    ///
    /// # Errors
    /// [`Absent`] if the target or the scope names a service that the lab does not have.
    pub(super) fn addressed(
        target: Option<&str>,
        version: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Service, Absent> {
        let prefix = target.and_then(json::target).map(|(prefix, _)| prefix);
        match prefix {
            Some("TrentService") => return Ok(Service::Kms),
            Some("BaldrApiService") => return Ok(Service::CloudHsm),
            Some("Logs_20140328") => return Ok(Service::Logs),
            _ => {}
        }
        let in_xml = |service: &Service| matches!(service.dialect(), Dialect::Query | Dialect::Ec2);
        let by_version = Service::ALL.into_iter().find(|one| in_xml(one) && version == Some(one.version()));
        match (by_version, scope, prefix) {
            (Some(service), _, _) => Ok(service),
            (None, Some(scope), _) => Service::named(scope).ok_or_else(|| Absent(scope.to_owned())),
            (None, None, Some(prefix)) => Err(Absent(prefix.to_owned())),
            (None, None, None) => Ok(Service::Sts),
        }
    }
}

/// The name of a service that the lab does not have, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absent(pub String);

impl Absent {
    pub(super) fn message(&self) -> String {
        let names: Vec<&str> = Service::ALL.into_iter().map(Service::name).collect();
        let name: String = self.0.chars().take(100).collect();
        format!("The lab cloud has no service {name}. It has: {}.", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_determines_the_service() {
        let addressed = Service::addressed;
        let absent = |name: &str| Err(Absent(name.to_owned()));
        assert_eq!(addressed(Some("TrentService.ListKeys"), None, Some("sts")), Ok(Service::Kms));
        assert_eq!(addressed(None, Some("2016-11-15"), Some("sts")), Ok(Service::Ec2));
        assert_eq!(addressed(None, Some("2010-05-08"), None), Ok(Service::Iam));
        assert_eq!(addressed(None, Some("2009-01-01"), Some("ec2")), Ok(Service::Ec2));
        assert_eq!(addressed(None, None, Some("rolesanywhere")), Ok(Service::RolesAnywhere));
        assert_eq!(addressed(None, None, None), Ok(Service::Sts));
        assert_eq!(addressed(None, None, Some("s3")), absent("s3"));
        assert_eq!(addressed(None, Some("2012-11-05"), Some("sqs")), absent("sqs"));
        assert_eq!(addressed(Some("DynamoDB_20120810.ListTables"), None, Some("dynamodb")), absent("dynamodb"));
        assert_eq!(addressed(Some("DynamoDB_20120810.ListTables"), None, None), absent("DynamoDB_20120810"));
    }

    #[test]
    fn an_absent_service_is_named_with_those_that_are_there() {
        assert_eq!(
            Absent("s3".to_owned()).message(),
            "The lab cloud has no service s3. It has: sts, ec2, iam, kms, rolesanywhere, cloudhsm, logs."
        );
    }
}
