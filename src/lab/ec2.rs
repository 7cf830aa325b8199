//! EC2: only DescribeRegions.

use super::caller::Caller;
use super::plan::{OptIn, Region};
use super::refusal::Refusal;
use super::service::Service;
use super::wire::query::Parameters;
use super::wire::xml::Element;
use crate::policy::pattern::matches;

/// Answers an operation of EC2.
///
/// # Errors
/// The refusal that AWS would answer.
pub(super) fn answer(caller: &Caller<'_>, operation: &str, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    match operation {
        "DescribeRegions" => describe_regions(caller, parameters),
        _ => Err(Refusal::OperationUnknown {
            operation: operation.to_owned(),
            version: Service::Ec2.version().to_owned(),
        }),
    }
}

fn describe_regions(caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    caller.require("ec2:DescribeRegions", None)?;
    let all = flag(parameters, "AllRegions")?;
    let named = parameters.list("RegionName");
    let filters = Filter::read_all(parameters)?;
    let regions = &caller.account.regions;
    let unknown = |name: &&&str| regions.iter().all(|region| region.name != **name);
    if let Some(name) = named.iter().find(unknown) {
        return Err(Refusal::Invalid(format!("Invalid region provided: {name}")));
    }
    if flag(parameters, "DryRun")? {
        return Err(Refusal::Special {
            status: 412,
            code: "DryRunOperation",
            message: "Request would have succeeded, but DryRun flag is set.".to_owned(),
        });
    }
    let suffix = caller.account.partition.dns_suffix();
    // A region in `RegionName` is described even if it is not enabled.
    let wanted = |region: &&Region| {
        let chosen = if named.is_empty() {
            all || region.opt_in != OptIn::NotOptedIn
        } else {
            named.contains(&region.name.as_str())
        };
        chosen && filters.iter().all(|filter| filter.fits(region, suffix))
    };
    let items = regions.iter().filter(wanted).map(|region| {
        Element::new("item")
            .text("regionName", &region.name)
            .text("regionEndpoint", &endpoint(region, suffix))
            .text("optInStatus", region.opt_in.as_str())
    });
    Ok(vec![Element::new("regionInfo").children(items)])
}

/// EC2's limit of filters in one request. Further filters are ignored.
const MAX_FILTERS: u32 = 200;

fn endpoint(region: &Region, suffix: &str) -> String {
    format!("ec2.{}.{suffix}", region.name)
}

fn flag(parameters: &Parameters, name: &str) -> Result<bool, Refusal> {
    match parameters.get(name) {
        None | Some("") => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => Err(Refusal::Invalid(format!("Invalid value '{text}' for {name}. Must be 'true' or 'false'"))),
    }
}

/// `Filter.N.Name` with `Filter.N.Value.M`: one of the values must match. Values may have wildcards.
struct Filter<'a> {
    name: &'a str,
    values: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    fn read_all(parameters: &'a Parameters) -> Result<Vec<Filter<'a>>, Refusal> {
        let mut filters = Vec::new();
        for n in 1..=MAX_FILTERS {
            let Some(name) = parameters.get(&format!("Filter.{n}.Name")) else { break };
            if !["endpoint", "opt-in-status", "region-name"].contains(&name) {
                return Err(Refusal::Invalid(format!("The filter '{name}' is invalid")));
            }
            filters.push(Filter { name, values: parameters.list(&format!("Filter.{n}.Value")) });
        }
        Ok(filters)
    }

    fn fits(&self, region: &Region, suffix: &str) -> bool {
        let actual = match self.name {
            "endpoint" => endpoint(region, suffix),
            "opt-in-status" => region.opt_in.as_str().to_owned(),
            _ => region.name.clone(),
        };
        self.values.iter().any(|pattern| matches(pattern, &actual))
    }
}
