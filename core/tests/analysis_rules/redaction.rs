//! No secret survives redaction, and nothing else changes.

use autopr_core::analysis::{redact, rules};
use proptest::prelude::*;
use proptest::string::string_regex;
use rstest::rstest;

use crate::formats::{self, Sample};

/// A format, a text that holds a secret of it, and the secret.
fn any_secret() -> impl Strategy<Value = (&'static str, String, String)> {
    let samples = formats::all();
    (0..samples.len()).prop_flat_map(move |which| {
        let (rule, strategy): &Sample = &samples[which];
        let rule = *rule;
        strategy.clone().prop_map(move |(text, secret)| (rule, text, secret))
    })
}

/// Text of all kinds that ends so that a word may begin after it.
fn surroundings() -> impl Strategy<Value = String> {
    let text = |pattern: &str| string_regex(pattern).expect("the pattern is valid");
    prop_oneof![
        text("[a-z =:(\\[{,;\n]{0,60}"),
        text("\\PC{0,60}"),
        text("([a-z]{1,9} = \"[a-z ]{0,20}\";\n){0,3}"),
        Just("let token = ".to_owned()),
        Just("+        - name: KEY\n+          value: ".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_secret_survives_wherever_it_stands(
        (rule, text, secret) in any_secret(),
        before in surroundings(),
        open in prop_oneof![Just("\n"), Just(" \""), Just("\t'"), Just("\n  ")],
        after in surroundings(),
    ) {
        let close = if open.ends_with('"') { "\"\n" } else if open.ends_with('\'') { "'\n" } else { "\n" };
        let whole = format!("{before}{open}{text}{close}{after}");
        let redacted = redact(&whole);
        prop_assert!(!redacted.contains(&secret), "{rule}: the secret is still there");
        let kept = secret.len() - 5;
        prop_assert!(!redacted.contains(&secret[kept..]), "{rule}: more than four characters are still there");
        let kind = if rule == "secret/high-entropy" { "secret" } else { &rule["secret/".len()..] };
        prop_assert!(redacted.contains(&format!("[{kind}")), "{rule}: no placeholder");
        prop_assert_eq!(redact(&redacted), redacted.clone());
    }

    #[test]
    fn redacting_any_text_twice_is_redacting_it_once(text in "\\PC{0,300}|[ -~\n]{0,600}") {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once), once.clone());
    }

    #[test]
    fn prose_and_code_without_secrets_stay_as_they_are(
        words in proptest::collection::vec("[a-zA-Z_]{1,12}|[0-9]{1,6}|token|secret =|password:|[-+*/(){};\"']", 0..80)
    ) {
        let text = words.join(" ");
        prop_assert_eq!(redact(&text), text.clone());
    }
}

#[test]
fn every_secret_rule_has_samples() {
    let sampled: std::collections::BTreeSet<&str> = formats::all().iter().map(|(rule, _)| *rule).collect();
    let listed: Vec<&str> = rules().iter().map(|rule| rule.id).filter(|id| id.starts_with("secret/")).collect();
    assert!(listed.len() >= 30, "{}", listed.len());
    for rule in listed {
        assert!(sampled.contains(rule), "{rule} has no samples");
    }
}

#[test]
fn a_placeholder_names_the_kind_and_the_last_four_characters() {
    let token = format!("{}{}", "glp", "at-Zq3x_8LwN-2mVbK7tYcR");
    insta::assert_snapshot!(redact(&format!("curl -H 'PRIVATE-TOKEN: {token}' https://gitlab.com")), @"curl -H 'PRIVATE-TOKEN: [gitlab-token …tYcR]' https://gitlab.com");
}

#[test]
fn both_halves_of_an_aws_key_go_even_if_only_the_first_has_a_prefix() {
    let id = format!("{}{}", "AKI", "AZ3KQ7LMWX2VB5TNC");
    let key = format!("{}{}", "h7Gd/Kq2Lm9+Xw4Zr8Tb", "1Vc6Ny0Ps3Je5Fa7UiQo");
    let text = redact(&format!("[shop]\nid: {id}\nuser: shop\nkey: {key}\n")).into_owned();
    assert_eq!(text, "[shop]\nid: [aws-access-key-id …5TNC]\nuser: shop\nkey: [aws-secret-key …UiQo]\n");
}

#[rstest]
#[case::commit("token: 3d78036dcac289d6c1d54934708acb6a5bd73686 is a commit")]
#[case::integrity(
    "\"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\""
)]
#[case::uuid("client_secret = \"b7a0d9a2-52a4-4c0e-9d43-1f5a77f4a0ee\"")]
#[case::environment("api_key = process.env.STRIPE_KEY_LIVE_2024")]
#[case::template("password: \"${{ secrets.DATABASE_PASSWORD_V2 }}\"")]
#[case::shell("DB_PASSWORD=$(openssl rand -hex 32)")]
#[case::words("const tokenName = \"my-service-access-token-v2-prod\"")]
#[case::camel("secretName: \"KubernetesServiceAccountSecret01\"")]
#[case::local_database("postgres://postgres:postgres@localhost:5432/app")]
#[case::example_database("postgresql://user:s3cr3tP4ss@db.example.com/app")]
#[case::pem_header("if strings.HasPrefix(s, \"-----BEGIN RSA PRIVATE KEY-----\") {")]
#[case::pem_dots("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----")]
#[case::certificate(
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----"
)]
fn what_only_resembles_a_secret_stays(#[case] text: &str) {
    assert_eq!(redact(text), text);
}
