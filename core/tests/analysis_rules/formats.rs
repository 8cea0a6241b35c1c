//! Generators of tokens in every vendor's format.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::prelude::*;
use proptest::string::string_regex;

/// A rule and a strategy for whole texts that must trip it: the text, and the part that must never be shown.
pub(crate) type Sample = (&'static str, BoxedStrategy<(String, String)>);

/// Tokens that are random text of a pattern; the token is the secret.
const PLAIN: &[(&str, &str)] = &[
    ("secret/aws-access-key-id", "AKIA[A-Z2-7]{16}"),
    ("secret/google-api-key", "AIza[0-9A-Za-z]{35}"),
    ("secret/google-oauth-secret", "GOCSPX-[0-9A-Za-z]{28}"),
    ("secret/azure-client-secret", "[A-Za-z0-9]{3}[0-9]Q~[A-Za-z0-9_~.-]{30}[a-z]"),
    ("secret/digitalocean-token", "do[opr]_v1_[a-f0-9]{64}"),
    ("secret/terraform-token", "[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{66}[a-z]"),
    ("secret/vault-token", "hvs\\.CA[A-Za-z0-9_-]{90}[a-z]"),
    ("secret/pulumi-token", "pul-[a-f0-9]{40}"),
    ("secret/doppler-token", "dp\\.pt\\.[A-Za-z0-9]{43}"),
    ("secret/github-fine-grained-token", "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("secret/gitlab-token", "gl(pat|rt|dt)-[A-Za-z0-9_-]{19}[a-z]"),
    ("secret/pypi-token", "pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{120}[a-z]"),
    ("secret/crates-io-token", "cio[a-z][A-Z][0-9][A-Za-z0-9]{29}"),
    ("secret/rubygems-token", "rubygems_[a-f0-9]{48}"),
    ("secret/docker-token", "dckr_pat_[A-Za-z0-9_-]{26}[a-z]"),
    ("secret/atlassian-token", "ATATT3[A-Za-z0-9_-]{185}=[A-F0-9]{8}"),
    ("secret/linear-token", "lin_api_[A-Za-z0-9]{40}"),
    ("secret/postman-key", "PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("secret/slack-token", "xox[bp]-[0-9]{12}-[0-9]{12}-[A-Za-z0-9]{24}"),
    ("secret/slack-token", "xapp-1-A[A-Z0-9]{10}-[0-9]{13}-[a-f0-9]{64}"),
    ("secret/telegram-token", "[0-9]{10}:AA[A-Za-z0-9_-]{32}[a-z]"),
    ("secret/sendgrid-key", "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{42}[a-z]"),
    ("secret/stripe-key", "[rs]k_live_[A-Za-z0-9]{24}"),
    ("secret/square-token", "sq0atp-[0-9A-Za-z_-]{21}[a-z]"),
    ("secret/shopify-token", "shp(at|ca|pa|ss)_[a-f0-9]{32}"),
    ("secret/openai-key", "sk-proj-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    ("secret/anthropic-key", "sk-ant-api03-[A-Za-z0-9_-]{93}AA"),
    ("secret/huggingface-token", "hf_[A-Z][a-z][A-Za-z]{32}"),
    ("secret/groq-key", "gsk_[A-Za-z0-9]{52}"),
    ("secret/xai-key", "xai-[A-Za-z0-9]{80}"),
    ("secret/replicate-token", "r8_[A-Za-z0-9]{37}"),
    ("secret/databricks-token", "dapi[0-9a-f]{32}"),
    ("secret/planetscale-token", "pscale_tkn_[A-Za-z0-9_-]{42}[a-z]"),
    ("secret/supabase-token", "sbp_[0-9a-f]{40}"),
    ("secret/grafana-token", "glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"),
    ("secret/new-relic-key", "NRAK-[A-Z0-9]{27}"),
    ("secret/sentry-token", "sntryu_[0-9a-f]{64}"),
    ("secret/age-key", "AGE-SECRET-KEY-1[C-HJ-NP-Z2-9]{58}"),
];

/// Secrets that only their surroundings give away: a pattern with `@` where the secret stands, and the secret's.
const SURROUNDED: &[(&str, &str, &str)] = &[
    ("secret/aws-secret-key", "AWS_SECRET_ACCESS_KEY=@", "[a-z][A-Z][0-9][A-Za-z0-9]{17}/[A-Za-z0-9]{18}[a-z]"),
    ("secret/aws-secret-key", "\"SecretAccessKey\": \"@\"", "[a-z][A-Z][0-9][A-Za-z0-9]{37}"),
    ("secret/azure-storage-key", "AccountName=shop;AccountKey=@;EndpointSuffix=x", "[A-Za-z0-9+/]{86}=="),
    ("secret/azure-sas", "https://shop.blob.x/c?sv=2024-11-04&ss=b&se=2030-01-01&sig=@", "[A-Za-z0-9]{43}%3D"),
    (
        "secret/slack-webhook",
        "https://hooks.slack.com/services/T02ABCDEF/B03GHIJKL/@",
        "[A-Z][a-z][0-9][A-Za-z0-9]{21}",
    ),
    ("secret/discord-webhook", "https://discord.com/api/webhooks/112233445566778899/@", "[A-Za-z0-9_-]{67}[a-z]"),
    ("secret/mailgun-key", "mailgun_api = 'key-@'", "[0-9a-f]{32}"),
    ("secret/twilio-token", concat!("Client('A", "C0a1b2c3d4e5f60718293a4b5c6d7e8f9', '@')"), "[0-9a-f]{32}"),
    ("secret/url-password", "postgres://shop:@@db.shop.io:5432/orders", "([a-z][0-9][A-Z]){5}k"),
    ("secret/high-entropy", "apiKey: \"@\",", "([a-z][0-9][A-Z]){10}"),
    ("secret/high-entropy", "  auth_token := '@'", "([a-f][0-9]){20}f"),
];

/// Samples of all formats.
pub(crate) fn all() -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for (rule, pattern) in PLAIN {
        let tokens = string_regex(pattern).expect("the pattern is valid");
        samples.push((rule, tokens.prop_map(|token| (token.clone(), token)).boxed()));
    }
    for (rule, around, pattern) in SURROUNDED {
        let (before, after) = around.split_once('@').expect("a place for the secret");
        let secrets = string_regex(pattern).expect("the pattern is valid");
        let whole = secrets.prop_map(move |secret| (format!("{before}{secret}{after}"), secret));
        samples.push((rule, whole.boxed()));
    }
    samples.push(("secret/github-token", checksummed("gh[pousr]_")));
    samples.push(("secret/npm-token", checksummed("npm_")));
    samples.push(("secret/discord-token", discord()));
    samples.push(("secret/jwt", jwt()));
    samples.push(("secret/private-key", pem()));
    samples.push(("secret/private-key", encoded_pem()));
    samples
}

/// `PREFIX` + 30 characters + their CRC-32 in base 62.
fn checksummed(prefix: &str) -> BoxedStrategy<(String, String)> {
    let parts = (string_regex(prefix).expect("valid"), string_regex("[A-Za-z0-9]{30}").expect("valid"));
    let token = parts.prop_map(|(prefix, random)| {
        let token = format!("{prefix}{random}{}", checksum(random.as_bytes()));
        (token.clone(), token)
    });
    token.boxed()
}

/// The checksum by the book: CRC-32 by polynomial division, then base 62.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    let mut register = u32::MAX;
    for bit in bits {
        let feed = register & 1 ^ u32::from(bit);
        register >>= 1;
        if feed == 1 {
            register ^= 0xEDB8_8320;
        }
    }
    let mut sum = !register;
    let digits: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let mut text = String::new();
    for _ in 0..6 {
        text.insert(0, digits[(sum % 62) as usize]);
        sum /= 62;
    }
    text
}

fn discord() -> BoxedStrategy<(String, String)> {
    let parts = ("[1-9][0-9]{17}", "[A-Za-z0-9_-]{6}", "[A-Za-z0-9_-]{37}[a-z]");
    let token = parts.prop_map(|(id, time, sign)| {
        let token = format!("{}.{time}.{sign}", BASE64URL_NOPAD.encode(id.as_bytes()));
        (token.clone(), token)
    });
    token.boxed()
}

fn jwt() -> BoxedStrategy<(String, String)> {
    let parts = ("[a-z]{8}", "[A-Za-z0-9_-]{42}[a-z]");
    let token = parts.prop_map(|(user, sign)| {
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let payload = BASE64URL_NOPAD.encode(format!(r#"{{"sub":"{user}","iat":1716239022}}"#).as_bytes());
        let token = format!("{header}.{payload}.{sign}");
        (token.clone(), token)
    });
    token.boxed()
}

fn pem() -> BoxedStrategy<(String, String)> {
    let kinds = prop_oneof![Just("RSA "), Just("EC "), Just("OPENSSH "), Just("ENCRYPTED "), Just("")];
    let line_ends = prop_oneof![Just("\n"), Just("\\n"), Just("\n    "), Just("\n+")];
    let body = proptest::collection::vec("[A-Za-z0-9+/]{64}", 2..12);
    let key = (kinds, line_ends, body).prop_map(|(kind, line_end, body)| {
        let secret = body[body.len() / 2].clone();
        let (begin, end) = (format!("-----BEGIN {kind}PRIVATE KEY-----"), format!("-----END {kind}PRIVATE KEY-----"));
        (format!("{begin}{line_end}{}{line_end}{end}", body.join(line_end)), secret)
    });
    key.boxed()
}

fn encoded_pem() -> BoxedStrategy<(String, String)> {
    let key = proptest::collection::vec("[A-Za-z0-9+/]{64}", 3..6).prop_map(|body| {
        let text = format!("{}{}-----\n{}\n", "-----BEGIN PRIVATE", " KEY", body.join("\n"));
        let token = BASE64.encode(text.as_bytes());
        (token.clone(), token)
    });
    key.boxed()
}
