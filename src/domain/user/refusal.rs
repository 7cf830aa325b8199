//! Refusals of a user: the message, the kind and the reason of each.

use super::super::name::UserName;
use super::super::password::PasswordProblem;
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum UserRefusal {
    #[error("user `{0}` does not exist")]
    Unknown(String),
    #[error("username: there is a user named `{0}` already; choose another name")]
    NameTaken(UserName),
    #[error("username: `{0}` is what the program calls itself in histories; choose another name")]
    NameReserved(UserName),
    #[error("password: {0}")]
    PasswordRejected(PasswordProblem),
    #[error("new_password: {0}")]
    NewPasswordRejected(PasswordProblem),
}

reasons! { UserRefusal =>
    Unknown: Unknown, "user_unknown", "There is no such user.";
    NameTaken: Taken of "username", "user_name_taken", "A user has the name already.";
    NameReserved: Conflict of "username", "user_name_reserved", "The program calls itself so where it names who did something.";
    PasswordRejected: Unprocessable of "password", "password_rejected", "The password policy does not allow the password.";
    NewPasswordRejected: Unprocessable of "new_password", "new_password_rejected", "The password policy does not allow the new password.";
}
