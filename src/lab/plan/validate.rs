//! Validates the TOML form of a plan and converts it. All mistakes are collected.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_lc_rs::digest;

use super::file::{AccountFile, PlanFile, RoleFile, UserFile};
use super::mistake::{Mistake, Mistakes, Problem};
use super::{
    Account, Identity, LabKeys, LabPlan, Offer, OptIn, Region, Role, Trust, User, cloudtrail, custom_key_stores,
    federation, trust,
};
use crate::lab::partition::Partition;
use crate::lab::permission::{Permissions, is_action_pattern};

/// IAM's minimum, and default, of a role's maximum session duration, in seconds.
const MIN_SESSION_LIMIT: i64 = 3600;
const MAX_SESSION_LIMIT: i64 = 43_200;

/// Validates a plan, or returns all its mistakes.
pub(super) fn validate(file: PlanFile) -> Result<LabPlan, Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    let partitions = offers(&file, &mut mistakes);
    let (mut ids, mut key_ids) = (HashSet::new(), HashSet::new());
    let mut accounts = Vec::new();
    for (n, account) in file.accounts.into_iter().enumerate() {
        let place = format!("accounts[{n}]");
        if !is_account_id(&account.id) {
            mistakes.add(format!("{place}.id"), Problem::AccountMalformed(account.id.clone()));
        } else if !ids.insert(account.id.clone()) {
            mistakes.add(format!("{place}.id"), Problem::AccountRepeated(account.id.clone()));
        }
        accounts.extend(validate_account(&place, account, &partitions, &mut key_ids, &mut mistakes));
    }
    trust::check(&accounts, &mut mistakes);
    let keys = accounts.iter().flat_map(|account| &account.users).find_map(|user| user.keys.clone());
    if keys.is_none() {
        mistakes.add("accounts", Problem::NoAccessKey);
    }
    let custom_key_stores = custom_key_stores::rules(file.custom_key_stores, &mut mistakes);
    let trail = cloudtrail::rules(file.cloudtrail, &mut mistakes);
    let mistakes = mistakes.into_list();
    match keys {
        Some(keys) if mistakes.is_empty() => Ok(LabPlan { partitions, accounts, keys, custom_key_stores, trail }),
        _ => Err(mistakes),
    }
}

fn offers(file: &PlanFile, mistakes: &mut Mistakes) -> HashMap<Partition, Offer> {
    let mut seen = HashSet::new();
    let mut offers = HashMap::new();
    for (name, regions) in &file.partitions {
        let place = format!("partitions.{name}");
        let Some(partition) = Partition::parse(name) else {
            mistakes.add(place, Problem::PartitionUnknown(name.clone()));
            continue;
        };
        for (list, regions) in [("enabled", &regions.enabled), ("opt_in", &regions.opt_in)] {
            for (n, region) in regions.iter().enumerate() {
                if !is_region_name(region) {
                    mistakes.add(format!("{place}.{list}[{n}]"), Problem::RegionMalformed(region.clone()));
                } else if !seen.insert(region.clone()) {
                    mistakes.add(format!("{place}.{list}[{n}]"), Problem::RegionRepeated(region.clone()));
                }
            }
        }
        offers.insert(partition, Offer { enabled: regions.enabled.clone(), opt_in: regions.opt_in.clone() });
    }
    offers
}

fn validate_account(
    place: &str,
    file: AccountFile,
    offers: &HashMap<Partition, Offer>,
    key_ids: &mut HashSet<String>,
    mistakes: &mut Mistakes,
) -> Option<Account> {
    let name = file.partition.as_deref().unwrap_or(Partition::Aws.as_str());
    let Some(partition) = Partition::parse(name) else {
        mistakes.add(format!("{place}.partition"), Problem::PartitionUnknown(name.to_owned()));
        return None;
    };
    let Some(offer) = offers.get(&partition).filter(|offer| !offer.enabled.is_empty()) else {
        mistakes.add(format!("{place}.partition"), Problem::PartitionEmpty(partition.as_str()));
        return None;
    };
    let regions = validate_regions(place, &file, partition, offer, mistakes);
    let owner = Owner { partition, account: &file.id };
    let mut names = HashSet::new();
    let mut users = Vec::new();
    for (n, user) in file.users.into_iter().enumerate() {
        let place = format!("{place}.users[{n}]");
        if !names.insert(user.name.clone()) {
            mistakes.add(format!("{place}.name"), Problem::NameRepeated(user.name.clone()));
        }
        users.push(validate_user(&place, user, &owner, key_ids, mistakes));
    }
    names.clear();
    let mut roles = Vec::new();
    for (n, role) in file.roles.into_iter().enumerate() {
        let place = format!("{place}.roles[{n}]");
        if !names.insert(role.name.clone()) {
            mistakes.add(format!("{place}.name"), Problem::NameRepeated(role.name.clone()));
        }
        roles.push(validate_role(&place, role, &owner, mistakes));
    }
    let policies = federation::policies(place, file.policies, &owner, mistakes);
    let oidc_providers = federation::oidc_providers(place, file.oidc_providers, &owner, mistakes);
    let trust_anchors = federation::trust_anchors(place, file.trust_anchors, &owner, &regions, mistakes);
    let profiles = federation::profiles(place, file.profiles, &owner, &regions, &roles, mistakes);
    let clusters = custom_key_stores::clusters(place, file.cloudhsm_clusters, &owner, &regions, mistakes);
    let id = file.id;
    Some(Account { id, partition, regions, users, roles, policies, oidc_providers, trust_anchors, profiles, clusters })
}

fn validate_regions(
    place: &str,
    file: &AccountFile,
    partition: Partition,
    offer: &Offer,
    mistakes: &mut Mistakes,
) -> Vec<Region> {
    for (n, region) in file.opted_in_regions.iter().enumerate() {
        if !offer.opt_in.contains(region) {
            mistakes.add_unknown_region(format!("{place}.opted_in_regions[{n}]"), region, partition, "opt_in");
        }
    }
    for (n, region) in file.disabled_regions.iter().enumerate() {
        if !offer.enabled.contains(region) {
            mistakes.add_unknown_region(format!("{place}.disabled_regions[{n}]"), region, partition, "enabled");
        }
    }
    let status = |region: &String, of_its_own: OptIn| match of_its_own {
        _ if file.disabled_regions.contains(region) => OptIn::NotOptedIn,
        _ if file.opted_in_regions.contains(region) => OptIn::OptedIn,
        unchanged => unchanged,
    };
    let enabled = offer.enabled.iter().map(|region| (region, OptIn::NotRequired));
    let opt_in = offer.opt_in.iter().map(|region| (region, OptIn::NotOptedIn));
    enabled.chain(opt_in).map(|(region, own)| Region { name: region.clone(), opt_in: status(region, own) }).collect()
}

/// The account of a user or role.
pub(super) struct Owner<'a> {
    pub partition: Partition,
    pub account: &'a str,
}

fn validate_user(
    place: &str,
    file: UserFile,
    owner: &Owner<'_>,
    key_ids: &mut HashSet<String>,
    mistakes: &mut Mistakes,
) -> User {
    let keys = match (file.access_key_id, file.secret_access_key) {
        (Some(id), Some(secret)) => {
            if !is_access_key_id(&id) {
                mistakes.add(format!("{place}.access_key_id"), Problem::KeyMalformed(id.clone()));
            } else if !key_ids.insert(id.clone()) {
                mistakes.add(format!("{place}.access_key_id"), Problem::KeyRepeated(id.clone()));
            }
            let text = secret.reveal();
            if !(16..=128).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
                mistakes.add(format!("{place}.secret_access_key"), Problem::SecretMalformed);
            }
            Some(LabKeys { access_key_id: id, secret_access_key: secret })
        }
        (None, None) => None,
        _ => {
            mistakes.add(place, Problem::KeyIncomplete);
            None
        }
    };
    let permissions = validate_permissions(place, file.allow, file.deny, mistakes);
    let tags = validate_tags(place, file.tags, mistakes);
    let identity = validate_identity(place, owner, "user", file.name, file.path, permissions, mistakes);
    User { identity: Identity { tags, ..identity }, keys }
}

fn validate_role(place: &str, file: RoleFile, owner: &Owner<'_>, mistakes: &mut Mistakes) -> Role {
    if let Some(id) = file.external_id.as_ref().filter(|id| !is_external_id(id)) {
        mistakes.add(format!("{place}.external_id"), Problem::ExternalIdMalformed(id.clone()));
    }
    let max_session = file.max_session_seconds.unwrap_or(MIN_SESSION_LIMIT);
    if !(MIN_SESSION_LIMIT..=MAX_SESSION_LIMIT).contains(&max_session) {
        mistakes.add(format!("{place}.max_session_seconds"), Problem::SessionLength(max_session));
    }
    let mut trusts = Vec::new();
    for (n, text) in file.trusts.into_iter().enumerate() {
        match Trust::parse(&text) {
            Some(trust) => trusts.push(trust),
            None => mistakes.add(format!("{place}.trusts[{n}]"), Problem::TrustMalformed(text)),
        }
    }
    let permissions = validate_permissions(place, file.allow, file.deny, mistakes);
    let tags = validate_tags(place, file.tags, mistakes);
    let identity = validate_identity(place, owner, "role", file.name, file.path, permissions, mistakes);
    Role {
        identity: Identity { tags, ..identity },
        description: file.description,
        external_id: file.external_id,
        trusts,
        subjects: file.subjects,
        max_session,
    }
}

pub(super) fn validate_identity(
    place: &str,
    owner: &Owner<'_>,
    kind: &str,
    name: String,
    path: Option<String>,
    permissions: Permissions,
    mistakes: &mut Mistakes,
) -> Identity {
    if !is_name(&name) {
        mistakes.add(format!("{place}.name"), Problem::NameMalformed(name.clone()));
    }
    let path = path.unwrap_or_else(|| "/".to_owned());
    if !is_path(&path) {
        mistakes.add(format!("{place}.path"), Problem::PathMalformed(path.clone()));
    }
    let arn = format!("arn:{}:iam::{}:{kind}{path}{name}", owner.partition, owner.account);
    let prefix = match kind {
        "user" => "AIDA",
        "role" => "AROA",
        _ => "ANPA",
    };
    let id = unique_id(prefix, &arn);
    Identity { name, path, arn, id, permissions, tags: BTreeMap::new() }
}

fn validate_tags(place: &str, tags: BTreeMap<String, String>, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
    for (n, (name, value)) in tags.iter().enumerate() {
        if n >= 50 || !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256 {
            mistakes.add(format!("{place}.tags"), Problem::TagMalformed(name.clone()));
        }
    }
    tags
}

pub(super) fn validate_permissions(
    place: &str,
    allow: Vec<String>,
    deny: Vec<String>,
    mistakes: &mut Mistakes,
) -> Permissions {
    for (list, patterns) in [("allow", &allow), ("deny", &deny)] {
        for (n, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| !is_action_pattern(pattern)) {
            mistakes.add(format!("{place}.{list}[{n}]"), Problem::ActionMalformed(pattern.clone()));
        }
    }
    Permissions { allow, deny }
}

/// A unique id in AWS's form, which is the same at every start.
fn unique_id(prefix: &str, arn: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = digest::digest(&digest::SHA256, arn.as_bytes());
    let letters = digest.as_ref().iter().take(17).map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(letters).collect()
}

pub(in crate::lab) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_region_name(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_access_key_id(text: &str) -> bool {
    let rest = text.strip_prefix("AKIA").unwrap_or("");
    (12..=124).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

fn is_path(text: &str) -> bool {
    text == "/"
        || text.len() <= 512
            && text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).is_some_and(|inner| {
                inner.split('/').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic()))
            })
}

fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b))
}
