//! Access key ids, which contain the account in AWS's way: GetAccessKeyInfo reads it.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The bits of the first six bytes that hold the account; seven bits follow them.
const ACCOUNT_BITS: u64 = 0x7fff_ffff_ff80;

/// The id of a temporary key of an account. `random` has at least five bytes.
pub(super) fn temporary(account: &str, random: &[u8]) -> String {
    let random = |at: usize| random.get(at).copied().unwrap_or_default();
    let account: u64 = account.parse().unwrap_or_default();
    let head = account << 7 & ACCOUNT_BITS | u64::from(random(4) & 0x7f);
    let bits = u128::from(head) << 32 | u128::from(u32::from_be_bytes([random(0), random(1), random(2), random(3)]));
    let letters = (0..16).rev().map(|at| char::from(ALPHABET[(bits >> (5 * at) & 31) as usize]));
    "ASIA".chars().chain(letters).collect()
}

/// The account that an access key id contains; `None` if the id has another form.
pub(super) fn account(id: &str) -> Option<String> {
    let letters = id.get(4..20).filter(|_| id.len() == 20 && (id.starts_with("ASIA") || id.starts_with("AKIA")))?;
    let mut bits = 0_u128;
    for letter in letters.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 5 | value as u128;
    }
    let head = u64::try_from(bits >> 32).ok()?;
    Some(format!("{:012}", (head & ACCOUNT_BITS) >> 7)).filter(|account| account.len() == 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_an_access_key_id_is_read_in_aws_s_way() {
        // An id of a public article on the form of access key ids, and its account.
        assert_eq!(account("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        assert_eq!(account("ASIAQNZGKIQY56JQ7WM"), None);
        assert_eq!(account("AROAQNZGKIQY56JQ7WML"), None);
        assert_eq!(account("ASIA0000000000000000"), None, "digits that the alphabet lacks");
    }

    #[test]
    fn a_new_id_contains_its_account_and_differs_with_the_random_bytes() {
        for id in ["000000000001", "123456789012", "999999999999"] {
            let (one, other) = (temporary(id, &[1, 2, 3, 4, 5]), temporary(id, &[1, 2, 3, 4, 6]));
            assert_eq!(account(&one).as_deref(), Some(id), "{one}");
            assert_ne!(one, other);
        }
    }
}
