//! Secrets in changes.

use autopr_core::review::Severity;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rstest::rstest;

use crate::{changed, check_line, formats, new_file, places, run};

/// One text of each format, the same in every run.
fn samples() -> Vec<(&'static str, String, String)> {
    let mut runner = TestRunner::deterministic();
    let draw = |strategy: &proptest::strategy::BoxedStrategy<(String, String)>, runner: &mut TestRunner| {
        strategy.new_tree(runner).expect("a sample").current()
    };
    let formats = formats::all();
    formats
        .iter()
        .map(|(rule, strategy)| {
            let (text, secret) = draw(strategy, &mut runner);
            (*rule, text, secret)
        })
        .collect()
}

#[test]
fn each_format_is_found_on_its_line_and_never_shown() {
    for (rule, text, secret) in samples() {
        let analysis = run(&new_file("src/settings.conf", &format!("# settings\n\n{text}\n")));
        let found: Vec<&str> = analysis.findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(found, [rule], "{rule}");
        let finding = &analysis.findings[0];
        assert_eq!(finding.location.as_ref().map(|place| place.start), Some(3), "{rule}");
        assert!(!format!("{analysis:?}").contains(&secret), "{rule} shows the secret");
        assert!(!format!("{analysis:?}").contains(&secret[secret.len() - 5..]), "{rule} shows too much");
    }
}

#[test]
fn what_goes_away_or_was_there_before_is_not_reported() {
    for (rule, text, _) in samples() {
        for mark in ["-", " "] {
            let marked: String = text.lines().map(|line| format!("{mark}{line}\n")).collect();
            let analysis = run(&changed("src/settings.conf", &format!("{marked}+plain\n")));
            assert_eq!(places(&analysis), [""; 0], "{rule} with `{mark}`");
        }
    }
}

#[test]
fn in_tests_and_documentation_no_secret_is_critical() {
    for path in ["tests/fixtures/a.json", "docs/guide.md", "examples/a.rs", "pkg/client_test.go"] {
        for (rule, text, _) in samples() {
            let analysis = run(&new_file(path, &text));
            assert!(analysis.findings.iter().all(|finding| finding.severity <= Severity::Medium), "{rule} in {path}");
        }
    }
}

#[test]
fn a_token_with_a_wrong_checksum_is_none() {
    let random = ["Zq3x8LwN2mVbK7", "tYcRpD5sHf1GjU0a"].concat();
    let sum = formats::checksum(random.as_bytes());
    for prefix in ["ghp_", "npm_"] {
        let line = format!("token = {prefix}{random}{sum}");
        let rule = if prefix == "ghp_" { "secret/github-token" } else { "secret/npm-token" };
        check_line("src/a.conf", &line, Some((Severity::Critical, rule)));
        let wrong: String = sum.chars().rev().collect();
        check_line("src/a.conf", &format!("token = {prefix}{random}{wrong}"), None);
    }
}

#[rstest]
#[case::aws_documentation(&["AKIA", "IOSFODNN7EXAMPLE"])]
#[case::aws_documentation_secret(&["AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"])]
#[case::azurite(&["AccountKey=", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1", "OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="])]
#[case::jwt_io(&["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.", "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"])]
#[case::placeholder(&["glpat-", "xxxxxxxxxxxxxxxxxxxx"])]
#[case::stripe_test(&["sk_test_", "4eC39HqLyjWDarjtT1zdp7dc"])]
#[case::part_of_a_word(&["weAKIA", "Z3KQ7LMWX2VB5TNC"])]
#[case::cache_key(&["restore: cache-key-", "0cc175b9c0f1b6a831c399e269772661"])]
#[case::comparison(&["if password == \"", "correct horse battery staple 99\""])]
#[case::reference(&["secretKeyRef: \"", "app-db-7f9c2b1e4d6a8035\""])]
fn examples_and_look_alikes_are_none(#[case] parts: &[&str]) {
    check_line("src/settings.conf", &parts.concat(), None);
}

#[test]
fn a_key_over_many_lines_is_one_finding_on_its_first_line() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(20);
    let key = format!("{}{body}{}", "-----BEGIN PRIV\u{41}TE KEY-----\n", "-----END PRIV\u{41}TE KEY-----\n");
    assert_eq!(places(&run(&new_file("deploy/tls.key", &key))), ["critical secret/private-key deploy/tls.key:1"]);
}

#[test]
fn a_lock_file_is_not_searched_for_guessed_secrets_but_for_real_ones() {
    let guess = "\"token\": \"aB3dE5gH7jK9mN1pQ3sT5vX7\"";
    assert_eq!(places(&run(&new_file("yarn.lock", guess))), [""; 0]);
    assert_eq!(places(&run(&new_file("src/a.json", guess))), ["medium secret/high-entropy src/a.json:1"]);
    let real = ["glp", "at-Zq3x_8LwN-2mVbK7tYcR"].concat();
    assert_eq!(places(&run(&new_file("yarn.lock", &real))), ["critical secret/gitlab-token yarn.lock:1"]);
}
