//! The text of permanent tokens: a beginning to be found by, randomness, and a checksum.
//!
//! Programs that look for leaked secrets find `spp_` and 46 letters and digits, and know by the last six that it is
//! no other text: they are the first 32 bits of the SHA-256 of what stands before them, in base 62. Nothing in it
//! needs escaping anywhere, and there is no dot, which tells permanent tokens from signed ones.

use aws_lc_rs::digest;
use spaceport_platform::id::random_text;
use spaceport_platform::random::Random;

/// What permanent tokens begin with.
pub const PREFIX: &str = "spp_";
/// Random characters: 238 bits.
const RANDOM: usize = 40;
/// Base-62 digits that hold 32 bits.
const CHECKSUM: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A fresh token. Show it once; keep its hash.
pub fn make(random: &dyn Random) -> String {
    let text = format!("{PREFIX}{}", random_text(RANDOM, random));
    let checksum = checksum(&text);
    text + &checksum
}

/// Whether this begins like a permanent token and ends wrongly: mistyped, cut or made up. Such a text need not be
/// looked up.
pub fn is_damaged(token: &str) -> bool {
    let Some(rest) = token.strip_prefix(PREFIX) else { return false };
    let parts =
        rest.len().checked_sub(CHECKSUM).and_then(|end| Some((token.get(..PREFIX.len() + end)?, rest.get(end..)?)));
    parts.is_none_or(|(text, found)| checksum(text) != found)
}

fn checksum(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut value = hash.as_ref().iter().take(4).fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get(value % 62).copied().unwrap_or(b'0');
        value /= 62;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spaceport_platform::random::Counting;

    #[test]
    fn tokens_have_the_documented_form_and_need_no_escaping() {
        let token = make(&Counting::default());
        assert_eq!(token.len(), 50);
        assert!(token.starts_with("spp_") && token[4..].chars().all(|c| c.is_ascii_alphanumeric()), "{token}");
        assert!(!is_damaged(&token));
        // Computed by another program.
        assert_eq!(checksum("spp_0000000000000000000000000000000000000000"), "1xOgYK");
    }

    #[test]
    fn a_changed_character_is_noticed_and_other_texts_are_left_alone() {
        let token = make(&Counting::default());
        for at in 4..token.len() {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            assert!(is_damaged(&format!("{}{other}{}", &token[..at], &token[at + 1..])), "{at}");
        }
        for damaged in ["spp_", "spp_abc", &token[..49], &format!("{token}x"), "spp_ä", "spp_äöüä"] {
            assert!(is_damaged(damaged), "{damaged}");
        }
        for other in ["", "spp", "eyJ.a.b", "older tokens"] {
            assert!(!is_damaged(other));
        }
    }
}
