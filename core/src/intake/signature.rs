//! The signature of a webhook: HMAC-SHA256 of the raw body, as GitHub's "Validating webhook deliveries" describes it.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The most secrets that are valid at a time: the current one and, while it is being replaced, the next.
const MOST: usize = 2;

/// The secrets a webhook may be signed with. Their `Debug` form shows nothing of them.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<SecretString>);

/// More secrets than two were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {0} webhook secrets; give one, or two while one replaces the other")]
pub struct TooManySecrets(usize);

/// A signature as a sender gave it: of the right form, and not yet held against any body.
#[derive(Debug, Clone)]
pub struct Signature([u8; 32]);

/// A body whose signature matched. There is no other way to get one.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    /// The body.
    pub fn body(self) -> &'a [u8] {
        self.0
    }
}

/// Why a body is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// No secret is configured.
    #[error("no webhook secret is configured, so no delivery can be trusted: set GITHUB_WEBHOOK_SECRET")]
    NoSecret,
    /// There is no signature.
    #[error("the header X-Hub-Signature-256 is missing: set the same secret in the webhook's settings on GitHub")]
    Missing,
    /// There is more than one.
    #[error("there is more than one header X-Hub-Signature-256")]
    Several,
    /// It does not have the form `sha256=` and 64 hexadecimal digits.
    #[error("the header X-Hub-Signature-256 does not read `sha256=` and 64 hexadecimal digits")]
    Form,
    /// It belongs to another body or was made with another secret.
    #[error("the signature does not match the body: is the secret the same on both sides?")]
    Mismatch,
}

impl Secrets {
    /// Takes one secret, or two while one replaces the other; none means that nothing can be verified.
    ///
    /// # Errors
    /// [`TooManySecrets`] for more than two.
    pub fn new(secrets: Vec<SecretString>) -> Result<Self, TooManySecrets> {
        if secrets.len() > MOST { Err(TooManySecrets(secrets.len())) } else { Ok(Self(secrets)) }
    }

    /// Checks a body against its signature. Takes the same time wherever they differ.
    ///
    /// # Errors
    /// [`Unverified::Mismatch`] when the body is not to be trusted.
    pub fn verify<'a>(&self, body: &'a [u8], signature: &Signature) -> Result<Verified<'a>, Unverified> {
        let matches = |secret: &SecretString| mac(secret, body).verify_slice(&signature.0).is_ok();
        if self.0.iter().any(matches) { Ok(Verified(body)) } else { Err(Unverified::Mismatch) }
    }

    /// Reads the values of the `X-Hub-Signature-256` headers, of which there must be exactly one, before any body is
    /// looked at.
    ///
    /// # Errors
    /// [`Unverified`] when no body could make it match.
    pub fn signature<'h>(&self, mut signatures: impl Iterator<Item = &'h [u8]>) -> Result<Signature, Unverified> {
        if self.0.is_empty() {
            return Err(Unverified::NoSecret);
        }
        let signature = signatures.next().ok_or(Unverified::Missing)?;
        if signatures.next().is_some() {
            return Err(Unverified::Several);
        }
        let mut digest = [0; 32];
        signature
            .strip_prefix(b"sha256=")
            .and_then(|digits| hex::decode_to_slice(digits, &mut digest).ok())
            .ok_or(Unverified::Form)?;
        Ok(Signature(digest))
    }

    /// The header value that signs a body with the first secret, if there is one.
    pub fn sign(&self, body: &[u8]) -> Option<String> {
        let secret = self.0.first()?;
        Some(format!("sha256={}", hex::encode(mac(secret, body).finalize().into_bytes())))
    }
}

fn mac(secret: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length (RFC 2104, section 2), so this can't fail; a hash of nothing would match nothing.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(texts.iter().map(|text| SecretString::from(*text)).collect()).unwrap()
    }

    fn check(secrets: &Secrets, body: &[u8], signatures: &[&str]) -> Result<(), Unverified> {
        let signature = secrets.signature(signatures.iter().map(|text| text.as_bytes()))?;
        secrets.verify(body, &signature).map(|verified| assert_eq!(verified.body(), body))
    }

    /// The example in GitHub's documentation.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[rstest]
    #[case::github_example(&[SECRET], BODY, &[SIGNATURE], Ok(()))]
    #[case::the_next_secret(&["old", SECRET], BODY, &[SIGNATURE], Ok(()))]
    #[case::another_secret(&["old"], BODY, &[SIGNATURE], Err(Unverified::Mismatch))]
    #[case::altered(&[SECRET], b"Hello, World?", &[SIGNATURE], Err(Unverified::Mismatch))]
    #[case::truncated(&[SECRET], b"Hello, World", &[SIGNATURE], Err(Unverified::Mismatch))]
    #[case::unsigned(&[SECRET], BODY, &[], Err(Unverified::Missing))]
    #[case::signed_twice(&[SECRET], BODY, &[SIGNATURE, SIGNATURE], Err(Unverified::Several))]
    #[case::two_in_one(&[SECRET], BODY, &["sha256=757107ea, sha256=757107ea"], Err(Unverified::Form))]
    #[case::sha1(&[SECRET], BODY, &["sha1=3dca279e731c97c38e3019a075dee9ebbd0a99f0"], Err(Unverified::Form))]
    #[case::short(&[SECRET], BODY, &["sha256=757107"], Err(Unverified::Form))]
    #[case::empty(&[SECRET], BODY, &[""], Err(Unverified::Form))]
    #[case::no_secret(&[], BODY, &[SIGNATURE], Err(Unverified::NoSecret))]
    fn signatures(
        #[case] known: &[&str],
        #[case] body: &[u8],
        #[case] given: &[&str],
        #[case] expect: Result<(), Unverified>,
    ) {
        assert_eq!(check(&secrets(known), body, given), expect);
    }

    #[test]
    fn three_secrets_are_refused_and_none_is_shown() {
        let secret = || SecretString::from("canary");
        assert_eq!(Secrets::new(vec![secret(), secret(), secret()]).unwrap_err(), TooManySecrets(3));
        assert!(!format!("{:?}", Secrets::new(vec![secret()]).unwrap()).contains("canary"));
    }

    proptest! {
        #[test]
        fn what_is_signed_is_verified_and_any_changed_bit_is_not(
            body in proptest::collection::vec(any::<u8>(), 1..200),
            secret in "\\PC{1,40}",
            bit in any::<prop::sample::Index>(),
        ) {
            let secrets = secrets(&[&secret]);
            let signature = secrets.sign(&body).unwrap();
            prop_assert!(check(&secrets, &body, &[&signature]).is_ok());
            let mut altered = body.clone();
            let bit = bit.index(body.len() * 8);
            altered[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(check(&secrets, &altered, &[&signature]), Err(Unverified::Mismatch));
        }
    }
}
