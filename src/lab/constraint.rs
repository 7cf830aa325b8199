//! Validation of parameters as in AWS: one message reports all violated constraints of a request.

use super::refusal::Refusal;
use super::wire::query::Parameters;

/// The constraints of a text parameter.
pub(super) struct Text {
    /// The parameter, such as `RoleArn`.
    pub name: &'static str,
    pub required: bool,
    /// The minimum and maximum length, in characters.
    pub length: (usize, usize),
    /// The allowed characters: the pattern that AWS prints, and the predicate.
    pub pattern: (&'static str, fn(char) -> bool),
}

/// The violated constraints of one request.
#[derive(Debug, Default)]
pub(super) struct Constraints(Vec<String>);

impl Constraints {
    /// Validates a text parameter and returns its value, valid or not; `None` if the parameter is missing.
    pub(super) fn text<'a>(&mut self, parameters: &'a Parameters, rule: &Text) -> Option<&'a str> {
        let Some(value) = parameters.get(rule.name) else {
            if rule.required {
                self.missing(rule.name);
            }
            return None;
        };
        let (shortest, longest) = rule.length;
        let length = value.chars().count();
        if length > longest {
            self.violated(rule.name, value, &format!("Member must have length less than or equal to {longest}"));
        }
        if length < shortest {
            self.violated(rule.name, value, &format!("Member must have length greater than or equal to {shortest}"));
        }
        let (printed, fits) = rule.pattern;
        if !value.chars().all(fits) {
            self.violated(rule.name, value, &format!("Member must satisfy regular expression pattern: {printed}"));
        }
        Some(value)
    }

    /// Validates a number. Returns `absent` if the parameter is missing or invalid.
    pub(super) fn number(
        &mut self,
        parameters: &Parameters,
        name: &str,
        (least, most): (i64, i64),
        absent: i64,
    ) -> i64 {
        let Some(value) = parameters.get(name) else { return absent };
        match value.parse::<i64>() {
            Ok(number) if number < least => {
                self.violated(name, value, &format!("Member must have value greater than or equal to {least}"));
            }
            Ok(number) if number > most => {
                self.violated(name, value, &format!("Member must have value less than or equal to {most}"));
            }
            Ok(number) => return number,
            Err(_) => self.violated(name, value, "Member must be a number"),
        }
        absent
    }

    /// Records that a required parameter is missing.
    pub(super) fn missing(&mut self, name: &str) {
        self.0.push(format!("Value null at '{}' failed to satisfy constraint: Member must not be null", member(name)));
    }

    /// Records that a required sensitive parameter is missing. AWS does not say `null` for these.
    pub(super) fn missing_sensitive(&mut self, name: &str) {
        self.violated_sensitive(name, "Member must not be null");
    }

    /// Records that a value violates a constraint, without the value.
    pub(super) fn violated_sensitive(&mut self, name: &str, constraint: &str) {
        self.0.push(format!("Value at '{}' failed to satisfy constraint: {constraint}", member(name)));
    }

    /// Takes over the faults of an inner object's members.
    pub(super) fn include(&mut self, object: &str, inner: Constraints) {
        self.0.extend(inner.0.into_iter().map(|fault| fault.replacen(" at '", &format!(" at '{object}."), 1)));
    }

    /// Ends the validation.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with all violated constraints.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        let count = self.0.len();
        match count {
            0 => Ok(()),
            1 => Err(Refusal::Invalid(format!("1 validation error detected: {}", self.0.concat()))),
            _ => Err(Refusal::Invalid(format!("{count} validation errors detected: {}", self.0.join("; ")))),
        }
    }

    /// Records that a value violates a constraint, which is given in AWS's words.
    pub(super) fn violated(&mut self, name: &str, value: &str, constraint: &str) {
        self.0.push(format!("Value '{value}' at '{}' failed to satisfy constraint: {constraint}", member(name)));
    }
}

/// The name of a parameter in AWS's messages: it begins with a lower-case letter.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_reports_all_violated_constraints() {
        let parameters = Parameters::read("Name=a%20&Seconds=5&Word=x", b"");
        let mut constraints = Constraints::default();
        let pattern: (&str, fn(char) -> bool) = ("[a-z]*", |c| c.is_ascii_lowercase());
        constraints.text(&parameters, &Text { name: "Name", required: true, length: (3, 9), pattern });
        constraints.text(&parameters, &Text { name: "Gone", required: true, length: (3, 9), pattern });
        assert_eq!(constraints.number(&parameters, "Seconds", (900, 3600), 3600), 3600);
        assert_eq!(constraints.number(&parameters, "Absent", (900, 3600), 1000), 1000);
        constraints.number(&parameters, "Word", (1, 2), 1);
        assert_eq!(
            constraints.finish(),
            Err(Refusal::Invalid(
                "5 validation errors detected: Value 'a ' at 'name' failed to satisfy constraint: Member must have \
                 length greater than or equal to 3; Value 'a ' at 'name' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [a-z]*; Value null at 'gone' failed to satisfy constraint: Member \
                 must not be null; Value '5' at 'seconds' failed to satisfy constraint: Member must have value greater \
                 than or equal to 900; Value 'x' at 'word' failed to satisfy constraint: Member must be a number"
                    .into()
            ))
        );
    }
}
