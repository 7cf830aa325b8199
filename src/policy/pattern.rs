//! Patterns with the wildcards `*` and `?`, and with policy variables such as `${aws:username}`.

use super::request::Context;

/// A part of a pattern. Characters that a variable stands for are never wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Char(char),
    AnyOne,
    Any,
}

/// Whether a text matches a pattern, in which `*` stands for any characters and `?` for one character.
pub fn matches(pattern: &str, text: &str) -> bool {
    let parts: Vec<Part> = pattern.chars().map(wildcard).collect();
    fits(&parts, text)
}

fn wildcard(c: char) -> Part {
    match c {
        '*' => Part::Any,
        '?' => Part::AnyOne,
        c => Part::Char(c),
    }
}

/// Reads a pattern and replaces its variables; `None` if a variable without a default has no value. Without a context
/// `${` has no meaning, as in policies of version 2008-10-17.
pub(super) fn expand(pattern: &str, context: Option<&Context>) -> Option<Vec<Part>> {
    let Some(context) = context else { return Some(pattern.chars().map(wildcard).collect()) };
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        parts.extend(before.chars().map(wildcard));
        let Some((name, following)) = after.split_once('}') else {
            rest = &rest[before.len()..];
            break;
        };
        match name {
            "*" | "?" | "$" => parts.extend(name.chars().map(Part::Char)),
            _ => parts.extend(value_of(name, context)?.chars().map(Part::Char)),
        }
        rest = following;
    }
    parts.extend(rest.chars().map(wildcard));
    Some(parts)
}

/// The value of a variable, or its default: `aws:PrincipalTag/team, 'none'`.
fn value_of<'a>(variable: &'a str, context: &'a Context) -> Option<&'a str> {
    let (name, default) = match variable.split_once(',') {
        Some((name, default)) => (name, default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''))),
        None => (variable, None),
    };
    match context.get(name.trim()) {
        Some([only]) => Some(only),
        _ => default,
    }
}

/// The parts as a text in which wildcards are ordinary characters.
pub(super) fn literal(parts: &[Part]) -> String {
    let letters = parts.iter().map(|part| match part {
        Part::Char(c) => *c,
        Part::AnyOne => '?',
        Part::Any => '*',
    });
    letters.collect()
}

/// Whether a text matches a pattern.
pub(super) fn fits(pattern: &[Part], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // The state to return to if the last star has to match one character more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Part::Any) => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(Part::AnyOne) => (p, t) = (p + 1, t + 1),
            Some(Part::Char(c)) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((after_star, from)) => {
                    retry = Some((after_star, from + 1));
                    (p, t) = (after_star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|part| *part == Part::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_characters_and_single_characters() {
        for (pattern, text) in
            [("*", ""), ("*", "a:b"), ("kms:*", "kms:CreateKey"), ("k?s:*Key", "kms:CreateKey"), ("a*b*c", "aXbYbZc")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("kms:*", "ec2:x"), ("?", ""), ("a*b", "abc"), ("", "a"), ("kms:Create", "kms:CreateKey")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn variables_stand_for_literal_text() {
        let mut context = Context::default();
        context.set("aws:username", "a*n");
        let fits_in = |pattern: &str, text: &str| expand(pattern, Some(&context)).map(|parts| fits(&parts, text));
        assert_eq!(fits_in("u/${aws:UserName}/*", "u/a*n/x"), Some(true));
        assert_eq!(fits_in("u/${aws:username}", "u/ann"), Some(false));
        assert_eq!(fits_in("${aws:PrincipalTag/team}", "x"), None);
        assert_eq!(fits_in("${aws:PrincipalTag/team, 'x'}", "x"), Some(true));
        assert_eq!(fits_in("${*}${?}${$}", "*?$"), Some(true));
        assert_eq!(fits_in("a${b", "a${b"), Some(true));
        assert_eq!(expand("${aws:x}", None).map(|parts| fits(&parts, "${aws:x}")), Some(true));
    }
}
