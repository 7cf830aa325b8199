//! The attributes of a source key that no rule depends on: its description, further identifiers and aliases.

use crate::domain::patch::invalid;
use crate::domain::refusal::Refusal;
use uuid::Uuid;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    pub description: String,
    /// The UUID from a client; `None` for the id of the source key.
    pub uuid: Option<String>,
    /// The further identifier from a client; `None` for the id of the source key.
    pub muid: Option<String>,
    /// The number that a client gave the key.
    pub key_id: Option<String>,
    pub aliases: Vec<KeyAlias>,
}

/// A further name of a source key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyAlias {
    pub alias: String,
    /// The number by which clients change the alias, unique within the key.
    pub index: u32,
    pub kind: AliasKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AliasKind {
    Text,
    Uri,
}

impl AliasKind {
    pub const WORDS: [(&'static str, Self); 2] = [("string", Self::Text), ("uri", Self::Uri)];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Uri => "uri",
        }
    }
}

/// A change of attributes; a member that is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AttributesPatch {
    pub description: Option<String>,
    pub uuid: Option<String>,
    pub muid: Option<String>,
    pub key_id: Option<String>,
    pub aliases: Vec<AliasPatch>,
}

/// A change of one alias: without an index it is added, with an index replaced, with an index alone removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AliasPatch {
    pub alias: Option<String>,
    pub index: Option<u32>,
    pub kind: Option<AliasKind>,
}

const ALIASES_MAX: usize = 100;
const IDENTIFIER_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 1024;

impl Attributes {
    /// Returns the attributes after a change.
    ///
    /// # Errors
    /// When a value is invalid.
    pub fn amended(&self, patch: &AttributesPatch) -> Result<Self, Refusal> {
        let mut after = self.clone();
        if let Some(description) = &patch.description {
            check_length("description", description, DESCRIPTION_MAX)?;
            after.description.clone_from(description);
        }
        if let Some(uuid) = &patch.uuid {
            Uuid::try_parse(uuid).map_err(|_| invalid("uuid", "must be a UUID: 32 hexadecimal digits and 4 dashes"))?;
            after.uuid = Some(uuid.clone());
        }
        if let Some(muid) = &patch.muid {
            check_identifier("muid", muid)?;
            after.muid = Some(muid.clone());
        }
        if let Some(key_id) = &patch.key_id {
            key_id.parse::<i64>().map_err(|_| invalid("keyId", "must be a whole number of 64 bits"))?;
            after.key_id = Some(key_id.clone());
        }
        patch.aliases.iter().try_for_each(|alias| after.change_alias(alias))?;
        if after.aliases.len() > ALIASES_MAX {
            let problem = format!("must not be more than {ALIASES_MAX}, and these are {}", after.aliases.len());
            return Err(invalid("aliases", problem));
        }
        Ok(after)
    }

    fn change_alias(&mut self, patch: &AliasPatch) -> Result<(), Refusal> {
        if let Some(alias) = &patch.alias {
            check_identifier("aliases", alias)?;
        }
        let at = patch.index.and_then(|index| self.aliases.iter().position(|known| known.index == index));
        let named = patch.alias.as_ref().and_then(|alias| self.aliases.iter().position(|known| known.alias == *alias));
        match (at, &patch.alias) {
            (Some(at), None) => {
                self.aliases.remove(at);
            }
            (None, None) => return Err(invalid("aliases", "must have an alias, or the index of an existing one")),
            // A client that sends all aliases with each change sends known ones without their index.
            (None, Some(_)) if named.is_some() => {}
            (Some(at), Some(_)) if named.is_some_and(|named| named != at) => {
                return Err(invalid("aliases", "must differ from each other"));
            }
            (Some(at), Some(alias)) => {
                let known = &mut self.aliases[at];
                known.alias.clone_from(alias);
                known.kind = patch.kind.unwrap_or(known.kind);
            }
            (None, Some(alias)) => {
                let index = self.aliases.iter().map(|known| known.index + 1).max().unwrap_or(0);
                let kind = patch.kind.unwrap_or(AliasKind::Text);
                self.aliases.push(KeyAlias { alias: alias.clone(), index, kind });
            }
        }
        Ok(())
    }
}

fn check_identifier(member: &'static str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(invalid(member, "must be one line of text"));
    }
    check_length(member, text, IDENTIFIER_MAX)
}

fn check_length(member: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > most {
        return Err(invalid(member, format!("must not be longer than {most} characters, and this one has {length}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(patches: &[(Option<&str>, Option<u32>)]) -> AttributesPatch {
        let patch = |(alias, index): &(Option<&str>, Option<u32>)| AliasPatch {
            alias: alias.map(str::to_owned),
            index: *index,
            kind: None,
        };
        AttributesPatch { aliases: patches.iter().map(patch).collect(), ..AttributesPatch::default() }
    }

    fn shown(attributes: &Attributes) -> Vec<(&str, u32)> {
        attributes.aliases.iter().map(|alias| (alias.alias.as_str(), alias.index)).collect()
    }

    #[test]
    fn an_alias_is_added_replaced_and_removed() {
        let none = Attributes::default();
        let two = none.amended(&aliases(&[(Some("a"), None), (Some("b"), None)])).expect("valid");
        assert_eq!(shown(&two), [("a", 0), ("b", 1)]);
        assert_eq!(two.amended(&aliases(&[(Some("a"), None), (Some("b"), None)])), Ok(two.clone()));
        let changed = two.amended(&aliases(&[(None, Some(0)), (Some("c"), Some(1)), (Some("d"), None)]));
        assert_eq!(shown(&changed.expect("valid")), [("c", 1), ("d", 2)]);
        for bad in [(None, None), (None, Some(7)), (Some("b"), Some(0)), (Some("x\n"), None)] {
            assert!(two.amended(&aliases(&[bad])).is_err(), "{bad:?}");
        }
        let many: Vec<String> = (0..=ALIASES_MAX).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(|alias| (Some(alias.as_str()), None)).collect();
        assert!(none.amended(&aliases(&many)).is_err());
    }

    #[test]
    fn identifiers_are_checked() {
        let patch = |uuid: &str, key_id: &str| AttributesPatch {
            uuid: Some(uuid.to_owned()),
            key_id: Some(key_id.to_owned()),
            ..AttributesPatch::default()
        };
        let uuid = "0b90f8de-8617-498d-ad63-ca18eb717ae7";
        assert!(Attributes::default().amended(&patch(uuid, "42")).is_ok());
        assert!(Attributes::default().amended(&patch("7", "42")).is_err());
        assert!(Attributes::default().amended(&patch(uuid, "forty-two")).is_err());
    }
}
