//! What a pattern can't say of a token: checksums, companions, and whether it is only an example.

use std::ops::Range;

use data_encoding::{BASE64, BASE64URL_NOPAD};

/// Words that only made-up tokens contain; long enough not to appear in random ones.
const PLACEHOLDERS: [&str; 12] = [
    "example",
    "placeholder",
    "changeme",
    "redacted",
    "xxxxxxxx",
    "abcdefgh",
    "12345678",
    "abcdef12",
    "qwerty",
    "aaaaaaaa",
    "00000000",
    "notreal",
];

/// Not an example: no word of one in it, and enough different characters.
pub(super) fn varied(line: &[u8], secret: Range<usize>) -> bool {
    let secret = line[secret].to_ascii_lowercase();
    let mut seen = [false; 256];
    secret.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let distinct = seen.iter().filter(|seen| **seen).count();
    distinct >= 8 && !PLACEHOLDERS.iter().any(|word| memchr::memmem::find(&secret, word.as_bytes()).is_some())
}

/// Of two of the three classes digits, upper case and lower case, and not made of long words.
pub(super) fn mixed(line: &[u8], secret: Range<usize>) -> bool {
    let text = &line[secret.clone()];
    let classes = [u8::is_ascii_digit, u8::is_ascii_uppercase, u8::is_ascii_lowercase];
    let present = classes.iter().filter(|class| text.iter().any(class)).count();
    let longest = text.split(|byte| !byte.is_ascii_lowercase()).map(<[u8]>::len).max().unwrap_or(0);
    present >= 2 && longest < 20 && varied(line, secret)
}

/// Upper and lower case.
pub(super) fn mixed_case(line: &[u8], secret: Range<usize>) -> bool {
    let text = &line[secret.clone()];
    text.iter().any(u8::is_ascii_uppercase) && text[3..].iter().any(u8::is_ascii_lowercase) && varied(line, secret)
}

/// GitHub's and npm's tokens end in the CRC-32 of the thirty characters before, in six digits of base 62
/// (GitHub's engineering blog, "Behind GitHub's new authentication token formats").
pub(super) fn crc_token(line: &[u8], secret: Range<usize>) -> bool {
    let text = &line[secret];
    let Some(body) = text.iter().position(|byte| *byte == b'_').map(|at| &text[at + 1..]) else { return false };
    let Some((random, sum)) = body.split_at_checked(30) else { return false };
    sum == base62(crc32(random)).as_slice()
}

/// CRC-32 as in zlib (ISO 3309): polynomial 0xEDB88320, reflected.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    text
}

/// Forty characters of base 64 that stand alone and are neither a SHA-1 nor the key of AWS's own documentation.
pub(super) fn aws_secret(line: &[u8], secret: Range<usize>) -> bool {
    let joined = |byte: Option<&u8>| byte.is_some_and(|b| matches!(b, b'/' | b'+' | b'='));
    let before = secret.start.checked_sub(1).and_then(|at| line.get(at));
    let text = &line[secret.clone()];
    // An equal sign before is the assignment, not base 64.
    !before.is_some_and(|b| matches!(b, b'/' | b'+'))
        && !joined(line.get(secret.end))
        && !text.iter().all(u8::is_ascii_hexdigit)
        && text.iter().any(u8::is_ascii_uppercase)
        && text.iter().any(u8::is_ascii_lowercase)
        && text.iter().filter(|byte| **byte == b'/').count() < 6
        && entropy(text) >= 4.0
        && mixed(line, secret)
}

/// Not the key of the storage emulator, which Microsoft publishes for everybody to use.
pub(super) fn azure_key(line: &[u8], secret: Range<usize>) -> bool {
    !line[secret.clone()].starts_with(b"Eby8vdM02xNOcqFl") && varied(line, secret)
}

/// Mailgun's older keys look like many other things, so the line must name it.
pub(super) fn beside_mailgun(line: &[u8], secret: Range<usize>) -> bool {
    let line_lower = line.to_ascii_lowercase();
    memchr::memmem::find(&line_lower, b"mailgun").is_some() && varied(line, secret)
}

/// The first part of a Discord token is the bot's number, in base 64.
pub(super) fn discord(line: &[u8], secret: Range<usize>) -> bool {
    let text = &line[secret.clone()];
    let first = text.split(|byte| *byte == b'.').next().unwrap_or_default();
    BASE64URL_NOPAD
        .decode(first)
        .is_ok_and(|id| (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit) && varied(line, secret))
}

/// The header names an algorithm, the payload is an object, and neither is the one of jwt.io's front page.
pub(super) fn jwt(line: &[u8], secret: Range<usize>) -> bool {
    let mut parts =
        line[secret].split(|byte| *byte == b'.').map(|part| BASE64URL_NOPAD.decode(part).unwrap_or_default());
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let object = |bytes: &[u8]| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).ok();
    object(&header).is_some_and(|header| header.get("alg").is_some_and(serde_json::Value::is_string))
        && object(&payload).is_some()
        && memchr::memmem::find(&payload, b"1234567890").is_none()
        && memchr::memmem::find(&payload, b"John Doe").is_none()
}

/// Base 64 of a private key in PEM, as Kubernetes secrets hold it.
pub(super) fn encoded_private_key(line: &[u8], secret: Range<usize>) -> bool {
    let text = &line[secret];
    let head = BASE64.decode(&text[..text.len().min(80) / 4 * 4]).unwrap_or_default();
    memchr::memmem::find(&head, b"PRIVATE KEY").is_some()
}

/// A password that was generated, for a host that others can reach.
pub(super) fn url_password(line: &[u8], secret: Range<usize>) -> bool {
    let host: Vec<u8> = line[secret.end..]
        .iter()
        .skip(1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        .map(u8::to_ascii_lowercase)
        .collect();
    let text = &line[secret.clone()];
    let local = !host.contains(&b'.')
        || host.starts_with(b"127.")
        || host.starts_with(b"0.0.0.0")
        || host.windows(7).any(|part| part == b"example")
        || [".local", ".test", ".invalid", ".localhost", ".internal"].iter().any(|end| host.ends_with(end.as_bytes()));
    let placeholder =
        text.starts_with(b"[") || text.starts_with(b"%") || text.starts_with(b"*") || text.starts_with(b"(");
    !local && !placeholder && super::entropy::looks_generated_password(text) && varied(line, secret)
}

/// Shannon's entropy in bits per byte.
pub(super) fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    text.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_agrees_with_a_token_that_was_published_after_it_expired() {
        let token = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
        assert!(crc_token(token.as_bytes(), 0..token.len()));
        let wrong = token.replace("0mLq17", "0mLq18");
        assert!(!crc_token(wrong.as_bytes(), 0..wrong.len()));
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcd"), 2.0);
    }
}
