//! The members of the query of a request. Lists read theirs by `paging`; a change must have no others than those that
//! `query_members` knows.

use super::body::excerpt;
use super::error::Problem;

/// The decoded members of a query, in order.
pub fn members(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

/// Whether the query has this member with a value.
pub fn is_given(query: Option<&str>, member: &str) -> bool {
    query.is_some_and(|query| members(query).iter().any(|(name, value)| name == member && !value.is_empty()))
}

/// The values of these members, which the query has once each or not at all; an empty value is none. It may have
/// `dry_run` as well, which the guard reads.
///
/// # Errors
/// [`Problem`] if it has one of them twice, or another member: one that is ignored would answer what the client did not
/// ask for.
pub fn once<const N: usize>(query: &str, names: [&'static str; N]) -> Result<[Option<String>; N], Problem> {
    let mut given: [Option<String>; N] = names.map(|_| None);
    for (member, value) in members(query).into_iter().filter(|(member, _)| member != "dry_run") {
        let Some((name, known)) = names.into_iter().zip(&mut given).find(|(name, _)| *name == member) else {
            return Err(unknown_member(&member, &names));
        };
        if known.replace(value).is_some() {
            return Err(Problem::query(name, "must be given once"));
        }
    }
    Ok(given.map(|value| value.filter(|value| !value.is_empty())))
}

/// The error of a member that the query of a call does not have.
pub fn unknown_member(name: &str, known: &[&str]) -> Problem {
    let known = known.join(", ");
    Problem::query(excerpt(name), format!("this call has no such member in its query; it has {known}"))
}

/// Words in backticks, separated by commas.
pub fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_given_once_and_are_known() {
        let read = |query| once(query, ["for", "kms"]).map_err(|problem| problem.to_string());
        assert_eq!(read("kms=a&for=&dry_run=true"), Ok([None, Some("a".to_owned())]));
        assert_eq!(read(""), Ok([None, None]));
        assert_eq!(read("for=a&kms=b&for=c"), Err("for: must be given once".to_owned()));
        for unknown in ["fro=a", "fro=", "for=a&fro=b", "For=a"] {
            assert!(read(unknown).is_err_and(|problem| problem.ends_with("it has for, kms")), "{unknown}");
        }
    }
}
