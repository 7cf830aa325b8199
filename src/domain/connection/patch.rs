//! A change of a connection's settings. A member that is `None` stays as it is.

use super::{ConnectionSettings, StsEndpoints};
use crate::domain::kms::{AssumedRole, RoleRequest};
use crate::domain::name::JsonText;
use crate::domain::patch::{invalid, merged};
use crate::domain::place::{Partition, Region};
use crate::domain::refusal::Refusal;

#[derive(Clone, Debug, Default)]
pub struct ConnectionPatch {
    pub description: Option<String>,
    pub access_key_id: Option<String>,
    pub cloud: Option<Partition>,
    /// Another role, another external id, or both.
    pub role: RoleRequest,
    pub region: Option<Region>,
    pub sts_endpoints: Option<StsEndpoints>,
    pub products: Option<Vec<String>>,
    /// Members to set, and with `null` to remove.
    pub labels: Option<JsonText>,
    /// Members to set, and with `null` to remove.
    pub meta: Option<JsonText>,
}

impl ConnectionSettings {
    /// Returns default settings with this access key id.
    pub fn new(access_key_id: String) -> Self {
        Self {
            description: String::new(),
            access_key_id,
            cloud: Partition::Aws,
            role: None,
            region: None,
            sts_endpoints: StsEndpoints::default(),
            products: vec!["cckm".to_owned()],
            labels: None,
            meta: None,
        }
    }

    /// Returns the settings after the patch.
    ///
    /// # Errors
    /// When the region or the role is not in the partition, or an external id is given without a role.
    pub fn patched(&self, patch: ConnectionPatch) -> Result<Self, Refusal> {
        let now = self.clone();
        let after = Self {
            role: self.patched_role(patch.role)?,
            description: patch.description.unwrap_or(now.description),
            access_key_id: patch.access_key_id.unwrap_or(now.access_key_id),
            cloud: patch.cloud.unwrap_or(now.cloud),
            region: patch.region.or(now.region),
            sts_endpoints: patch.sts_endpoints.unwrap_or(now.sts_endpoints),
            products: patch.products.unwrap_or(now.products),
            labels: merged("labels", now.labels, patch.labels)?,
            meta: merged("meta", now.meta, patch.meta)?,
        };
        after.refuse_elsewhere()?;
        Ok(after)
    }

    fn patched_role(&self, RoleRequest { arn, external_id }: RoleRequest) -> Result<Option<AssumedRole>, Refusal> {
        let (now_arn, now_id) = match self.role.clone() {
            Some(role) => (Some(role.arn), role.external_id),
            None => (None, None),
        };
        match (arn.or(now_arn), external_id.or(now_id)) {
            (Some(arn), external_id) => Ok(Some(AssumedRole { arn, external_id })),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(invalid("assume_role_external_id", "can be given only together with assume_role_arn"))
            }
        }
    }

    fn refuse_elsewhere(&self) -> Result<(), Refusal> {
        let named = self.cloud.as_str();
        if let Some(region) = self.region.as_ref().filter(|region| region.partition() != self.cloud) {
            return Err(invalid("aws_region", format!("`{region}` is not a region of partition `{named}`")));
        }
        if let Some(role) = self.role.as_ref().filter(|role| role.arn.partition() != self.cloud) {
            let problem = format!("`{}` is not in partition `{named}`", role.arn.as_arn());
            return Err(invalid("assume_role_arn", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::{ExternalId, RoleArn};

    fn arn(text: &str) -> RoleArn {
        RoleArn::parse(text).expect("a role")
    }

    #[test]
    fn the_half_of_a_role_that_is_not_given_stays() {
        let (one, two) = (arn("arn:aws:iam::123456789012:role/one"), arn("arn:aws:iam::123456789012:role/two"));
        let id = ExternalId::parse("an-id").expect("an external id");
        let role = |arn: Option<&RoleArn>, external_id: Option<&ExternalId>| ConnectionPatch {
            role: RoleRequest { arn: arn.cloned(), external_id: external_id.cloned() },
            ..ConnectionPatch::default()
        };
        let blank = ConnectionSettings::new("AKIA".to_owned());
        let alone = blank.patched(role(None, Some(&id)));
        assert!(matches!(alone, Err(Refusal::Invalid { member: "assume_role_external_id", .. })), "{alone:?}");
        let with_one = blank.patched(role(Some(&one), Some(&id))).expect("settings");
        let with_two = with_one.patched(role(Some(&two), None)).expect("settings");
        assert_eq!(with_two.role, Some(AssumedRole { arn: two, external_id: Some(id) }));
        assert_eq!(with_two.patched(ConnectionPatch::default()), Ok(with_two.clone()));
    }

    #[test]
    fn region_and_role_stay_in_the_partition_whichever_of_them_changes() {
        let region = Region::parse("eu-west-3").expect("a region");
        let patch = ConnectionPatch { region: Some(region), ..ConnectionPatch::default() };
        let here = ConnectionSettings::new("AKIA".to_owned()).patched(patch).expect("settings");
        let moved = here.patched(ConnectionPatch { cloud: Some(Partition::AwsCn), ..ConnectionPatch::default() });
        assert!(matches!(moved, Err(Refusal::Invalid { member: "aws_region", .. })), "{moved:?}");
    }
}
