//! Proof that whoever redeems a code is who asked for it (RFC 7636).

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spaceport_platform::delegation::{Challenge, ChallengeMethod, is_challenge};

/// Whether a token request proves what the authorization request promised (security T12).
///
/// A verifier without a challenge is refused too: somebody has taken the challenge out of the authorization
/// request (RFC 9700, 4.8.2).
pub fn proves(challenge: Option<&Challenge>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) if is_challenge(verifier) => {
            let made = match challenge.method {
                ChallengeMethod::Plain => verifier.to_owned(),
                ChallengeMethod::S256 => s256(verifier),
            };
            constant_time::verify_slices_are_equal(made.as_bytes(), challenge.text.as_bytes()).is_ok()
        }
        _ => false,
    }
}

/// The challenge of a verifier by the method S256.
pub fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(method: ChallengeMethod, text: &str) -> Challenge {
        Challenge { method, text: text.to_owned() }
    }

    #[test]
    fn the_example_of_the_rfc_is_proved() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let s256 = challenge(ChallengeMethod::S256, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(proves(Some(&s256), Some(verifier)));
        assert!(!proves(Some(&s256), Some(&verifier.replace('d', "e"))));
        assert!(!proves(Some(&s256), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")));
        assert!(proves(Some(&challenge(ChallengeMethod::Plain, verifier)), Some(verifier)));
    }

    #[test]
    fn challenge_and_verifier_come_together_or_not_at_all() {
        let text = "a".repeat(43);
        let plain = challenge(ChallengeMethod::Plain, &text);
        assert!(proves(None, None));
        assert!(!proves(Some(&plain), None));
        assert!(!proves(None, Some(&text)));
        assert!(!proves(Some(&challenge(ChallengeMethod::Plain, "short")), Some("short")));
    }
}
