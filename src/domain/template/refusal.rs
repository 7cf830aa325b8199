//! Refusals of a policy template: the message, the kind and the reason of each.

use super::super::name::TemplateName;
use super::super::place::AccountId;
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum TemplateRefusal {
    #[error("policy template `{0}` does not exist")]
    Unknown(String),
    #[error("name: there is a policy template named `{0}` in the account already; choose another name")]
    NameTaken(TemplateName),
    #[error(
        "auto_push: must be true: AWS has accepted the policy of `{0}` on a key, and the change is pushed to every key that has it"
    )]
    NeedsPush(TemplateName),
    /// Clients look for `has one or more key associated`. The message omits the number of keys, which not every caller
    /// may see.
    #[error("policy template `{0}` has one or more key associated with it: they carry its tag")]
    InUse(TemplateName),
    #[error("policytemplate: there is no policy template `{template}` for keys of account {account}")]
    Elsewhere { template: String, account: AccountId },
}

reasons! { TemplateRefusal =>
    Unknown: Unknown, "template_unknown", "There is no such policy template, or none that the caller may see.";
    NameTaken: Taken of "name", "template_name_taken", "A policy template of the account has the name already.";
    NeedsPush: Invalid of "auto_push", "template_needs_push", "Keys have the policy of the template, and `auto_push` is not true.";
    InUse: InUse, "template_in_use", "Keys carry the tag of the policy template.";
    Elsewhere: Unknown of "policytemplate", "template_elsewhere", "There is no such policy template for keys of the account.";
}
