//! How keys are written in Redis and counted in metrics.

use sha2::{Digest, Sha256};

/// Before each key: whose it is, and the version of what is kept.
const PREFIX: &str = "autopr:1:";

/// Keys longer than this are hashed.
const LONGEST: usize = 160;

/// The key in Redis: readable when it is short and plain, its SHA-256 behind its word otherwise. It never holds braces,
/// which would put all keys with the same text between them on one node of a cluster.
pub(crate) fn in_redis(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
    match key.len() <= LONGEST && key.bytes().all(plain) {
        true => format!("{PREFIX}{key}"),
        false => format!("{PREFIX}{}:#{}", word(key), hex::encode(Sha256::digest(key))),
    }
}

/// The word of ours a key begins with, which says what is kept under it.
pub(crate) fn word(key: &str) -> &str {
    let plain = |word: &str| {
        (1..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    key.split_once(':').map(|(word, _)| word).filter(|word| plain(word)).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_keys_are_readable_and_long_or_odd_ones_hashed() {
        assert_eq!(in_redis("file:octo/demo"), "autopr:1:file:octo/demo");
        for odd in ["file:a b", "file:ä", "file:{a}", "file:\n", &format!("file:{}", "x".repeat(160))] {
            let key = in_redis(odd);
            assert!(key.starts_with("autopr:1:file:#") && key.len() == 15 + 64, "{key}");
        }
        assert_ne!(in_redis("file:a b"), in_redis("file:a c"));
    }

    #[test]
    fn only_words_of_ours_become_labels() {
        let words = ["file:x", "model_answer:x", "octo/demo:x", "nothing", "", ":", "a23:x"].map(word);
        assert_eq!(words, ["file", "model_answer", "other", "other", "other", "other", "other"]);
    }
}
