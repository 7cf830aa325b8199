//! The form in which AWS returns the policy of a key: with texts instead of Booleans and numbers, and with the ARN of
//! the root instead of an account's id, in its own layout.

use super::json::Json;
use super::principal::is_account_id;

/// Rewrites a policy as AWS does; `None` if it is not JSON. The partition is that of the key.
pub fn of_key(text: &str, partition: &str) -> Option<String> {
    let mut policy = Json::parse(text).ok()?;
    if let Some(statements) = member(&mut policy, "Statement") {
        match statements {
            Json::List(all) => all.iter_mut().for_each(|statement| normalise(statement, partition)),
            one => normalise(one, partition),
        }
    }
    Some(policy.pretty())
}

fn normalise(statement: &mut Json, partition: &str) {
    for element in ["Principal", "NotPrincipal"] {
        if let Some(names) = member(statement, element).and_then(|kinds| member(kinds, "AWS")) {
            each(names, &|name| match name {
                Json::Text(id) if is_account_id(id) => Json::Text(format!("arn:{partition}:iam::{id}:root")),
                other => other.clone(),
            });
        }
    }
    let Some(Json::Object(operators)) = member(statement, "Condition") else { return };
    for (_, keys) in operators {
        let Json::Object(keys) = keys else { continue };
        for (_, values) in keys {
            each(values, &|value| match value {
                Json::Bool(flag) => Json::Text(flag.to_string()),
                Json::Number(number) => Json::Text(number.to_string()),
                other => other.clone(),
            });
        }
    }
}

fn member<'a>(object: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    match object {
        Json::Object(members) => members.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value),
        _ => None,
    }
}

/// Replaces a value, or each value of a list.
fn each(value: &mut Json, replace: &dyn Fn(&Json) -> Json) {
    match value {
        Json::List(all) => all.iter_mut().for_each(|one| *one = replace(one)),
        one => *one = replace(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_numbers_and_account_ids_become_texts_and_arns() {
        let given = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["123456789012",
            "arn:aws:iam::123456789012:user/ann"]},"Action":"kms:*","Resource":"*","Condition":{
            "Bool":{"kms:GrantIsForAWSResource":true},"NumericLessThan":{"kms:RotationPeriodInDays":[90,"100"]}}}}"#;
        let expected = r#"{
  "Version" : "2012-10-17",
  "Statement" : {
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : [ "arn:aws-cn:iam::123456789012:root", "arn:aws:iam::123456789012:user/ann" ]
    },
    "Action" : "kms:*",
    "Resource" : "*",
    "Condition" : {
      "Bool" : {
        "kms:GrantIsForAWSResource" : "true"
      },
      "NumericLessThan" : {
        "kms:RotationPeriodInDays" : [ "90", "100" ]
      }
    }
  }
}"#;
        assert_eq!(of_key(given, "aws-cn").as_deref(), Some(expected));
        assert_eq!(of_key(expected, "aws").as_deref(), Some(expected));
        assert_eq!(of_key("{", "aws"), None);
    }
}
