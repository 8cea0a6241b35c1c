//! Secrets without a format: a value that looks random, given to a name that speaks of a secret.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::check::{entropy, varied};

static NAMES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let names = [
        "passw",
        "pwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "api-key",
        "access_key",
        "accesskey",
        "auth_key",
        "authkey",
        "private_key",
        "privatekey",
        "credential",
        "encryption_key",
        "signing_key",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(names).ok()
});

/// What follows a name: perhaps a quote and a type, an assignment or comparison, a quoted text.
static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = concat!(
        r#"^["'`\]]{0,2}\s{0,8}(?::\s{0,2}[&A-Za-z_][\w<>\[\]' ]{0,24}\s{0,2})?(?::=|=>|===?|!==?|=|:)\s{0,8}[bru]?"#,
        r#"(?:"([^"\\\s]{16,200})"|'([^'\\\s]{16,200})'|`([^`\\\s]{16,200})`)"#,
    );
    Regex::new(&format!("(?-u){pattern}")).ok()
});

/// What follows a name in capitals at the start of a line, as in an environment file: a bare word to the line's end.
static BARE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?-u)\s{0,2}[=:]\s{0,4}([A-Za-z0-9+/=_~.-]{20,200})\s*$").ok());

/// Finds such values in a line.
pub(super) fn find(line: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (Some(names), Some(value), Some(bare)) = (&*NAMES, &*VALUE, &*BARE) else { return found };
    let mut done = 0;
    for hit in names.find_iter(line) {
        if hit.start() < done {
            continue;
        }
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let from = hit.start() - line[done..hit.start()].iter().rev().take_while(|byte| is_name(byte)).take(80).count();
        let to = hit.end() + line[hit.end()..].iter().take_while(|byte| is_name(byte)).take(80).count();
        done = to;
        let name = &line[from..to];
        if !speaks_of_a_secret(name) {
            continue;
        }
        let window = &line[to..line.len().min(to + 300)];
        let text = value.captures(window).and_then(|groups| groups.iter().skip(1).flatten().next()).or_else(|| {
            let starts = line[..from].iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'-'))
                || line[..from].trim_ascii() == b"export"
                || line[..from].trim_ascii() == b"ENV";
            let capitals = name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
            (starts && capitals).then(|| bare.captures(window)).flatten()?.get(1)
        });
        if let Some(text) = text {
            let range = to + text.start()..to + text.end();
            done = range.end;
            if looks_generated(text.as_bytes()) && varied(line, range.clone()) {
                found.push(range);
            }
        }
    }
    found
}

/// Names that hold a secret's name, place or digest rather than the secret.
const OTHER_NAMES: [&str; 36] = [
    "hash",
    "sha1",
    "sha256",
    "digest",
    "checksum",
    "public",
    "pub_key",
    "pubkey",
    "url",
    "uri",
    "path",
    "file",
    "header",
    "prefix",
    "suffix",
    "placeholder",
    "example",
    "test",
    "mock",
    "fake",
    "dummy",
    "sample",
    "regex",
    "pattern",
    "type",
    "endpoint",
    "length",
    "count",
    "tokeniz",
    "label",
    "title",
    "class",
    "selector",
    "arn",
    "csrf",
    "continuation",
];

fn speaks_of_a_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let contains = |word: &str| memchr::memmem::find(&name, word.as_bytes()).is_some();
    let ends = ["name", "_id", "-id", ".id", "keyid", "tokenid", "secretid", "ref", "_ref", "_key_id", "version"];
    !OTHER_NAMES.iter().any(|word| contains(word)) && !ends.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// Words that show that a person wrote the value for people.
const WORDS: [&str; 26] = [
    "secret",
    "passw",
    "token",
    "change",
    "your",
    "test",
    "fake",
    "mock",
    "dummy",
    "sample",
    "todo",
    "none",
    "null",
    "undefined",
    "default",
    "insert",
    "replace",
    "here",
    "xxxx",
    "....",
    "****",
    "1234567",
    "abcdef",
    "0000000",
    "process",
    "environ",
];

/// Whether a value looks as if a machine had made it.
fn looks_generated(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let contains = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_~.!@#$%^&*-".contains(byte))
        || WORDS.iter().any(|word| contains(word))
        || value.starts_with(b"$")
        || value.starts_with(b"@")
        || value.starts_with(b"/")
        || value.starts_with(b".")
        || ["${", "{{", "://", "sha256-", "sha384-", "sha512-", "sha1-"].iter().any(|word| contains(word))
        || is_uuid(value)
    {
        return false;
    }
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if digits < 2 || letters < 2 || value.len() < 16 {
        return false;
    }
    if value.iter().all(u8::is_ascii_hexdigit) {
        return value.len() >= 32 && entropy(value) >= 3.0;
    }
    let one_case = !(value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase));
    let threshold = match (one_case, value.len()) {
        (true, ..24) => 3.2,
        (true, ..32) => 3.4,
        (true, _) => 3.6,
        (false, ..24) => 3.5,
        (false, ..32) => 3.7,
        (false, _) => 4.0,
    };
    value.len() >= 20 && entropy(value) >= threshold && !is_words(value)
}

/// The same for a password within a URL, where shorter ones are usual.
pub(super) fn looks_generated_password(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_alphabetic)
        && !WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
        && entropy(value) >= 2.5
        && !is_words(value)
}

/// Words joined by signs or capitals change between letters, digits and case rarely; random text does all the time.
fn is_words(value: &[u8]) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = value.windows(2).filter(|two| class(two[0]) != class(two[1])).count();
    let longest = value.split(|byte| !byte.is_ascii_lowercase()).map(<[u8]>::len).max().unwrap_or(0);
    changes * 4 < value.len() - 1 || longest >= 10
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
