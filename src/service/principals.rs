//! The users and groups to which actions on a KMS can be permitted, for those who permit them: they need the names, and
//! nothing else of the users.

use super::access::{ManageKms, Permit};
use super::failure::Failure;
use super::list::{Field, Query, Words, arrange, check_words, pool};

/// The members to sort by, and to filter by.
pub const SORTS: &[&str] = &["name", "type"];
pub const FILTERS: &[&str] = &["name", "type"];

pub const WORDS: Words = &[("type", &["user", "group"])];

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalName {
    /// The id of a user, as clients write it; `None` for a group, whose name is its id.
    pub user: Option<String>,
    pub name: String,
}

impl PrincipalName {
    /// `user` or `group`.
    pub fn kind(&self) -> &'static str {
        if self.user.is_some() { "user" } else { "group" }
    }
}

/// Returns the users and groups that match a query, by name unless it is sorted otherwise.
///
/// # Errors
/// When a filter has an invalid value.
pub async fn find(permit: &Permit<ManageKms>, query: &Query) -> Result<Vec<PrincipalName>, Failure> {
    check_words(query, WORDS)?;
    let (published, query) = (permit.caller().published.clone(), query.clone());
    pool::run(move || {
        let state = &published.state;
        let users = state.users.iter();
        let users = users.map(|user| PrincipalName { user: Some(user.id.subject()), name: user.name.to_string() });
        let groups = state.groups.iter().map(|group| PrincipalName { user: None, name: group.name.to_string() });
        let mut all: Vec<_> = users.chain(groups).collect();
        all.sort_by(|one, other| (&one.name, one.kind()).cmp(&(&other.name, other.kind())));
        arrange(&mut all, &query, WORDS, |row, member| match member {
            "type" => Field::Text(row.kind().to_owned()),
            _ => Field::Text(row.name.clone()),
        });
        all
    })
    .await
}
