//! What is written around a value, by which bytes that are not what was put are found out.
//!
//! A value is stored as a mark with the format's version, the SHA-256 of version, key and value, and the value. Cut,
//! garbled or foreign bytes, those of another version, and those of another key do not pass. It holds off accidents; who
//! may write to the cache on purpose can also compute a digest.

use sha2::{Digest, Sha256};

/// Begins each stored value; the digit is the format's version.
const MARK: &[u8; 8] = b"autopr1\n";

/// How many bytes are written before the value.
pub(crate) const OVERHEAD: usize = MARK.len() + 32;

/// The bytes to store for a value of this key.
pub(crate) fn seal(key: &str, value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(OVERHEAD + value.len());
    sealed.extend_from_slice(MARK);
    sealed.extend_from_slice(&digest(key, value));
    sealed.extend_from_slice(value);
    sealed
}

/// The value that was stored under this key; none when the bytes are not what [`seal`] made of it.
pub(crate) fn open(key: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let (before, value) = sealed.split_at_checked(OVERHEAD)?;
    let (mark, sum) = before.split_at(MARK.len());
    if mark != MARK || sum != digest(key, value) {
        return None;
    }
    sealed.drain(..OVERHEAD);
    Some(sealed)
}

fn digest(key: &str, value: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(MARK);
    digest.update((key.len() as u64).to_le_bytes());
    digest.update(key.as_bytes());
    digest.update(value);
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_for_its_own_key_only() {
        for value in [&b""[..], b"\0\xff", b"autopr1\n", &[7; 1000]] {
            let sealed = seal("a:key", value);
            assert_eq!(open("a:key", sealed.clone()).as_deref(), Some(value));
            assert_eq!(open("a:kez", sealed.clone()), None);
            assert_eq!(open("a:ke", sealed), None, "the end of a key is no part of the value");
        }
    }

    #[test]
    fn any_change_is_found_out() {
        let sealed = seal("k", b"value");
        for end in 0..sealed.len() {
            assert_eq!(open("k", sealed[..end].to_vec()), None, "cut at {end}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open("k", changed), None, "changed at {at}");
        }
        assert_eq!(open("k", [&sealed[..], b"x"].concat()), None);
        assert_eq!(open("k", b"some other program's".to_vec()), None);
    }
}
