//! A review as SARIF 2.1.0 (OASIS standard, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), with
//! what GitHub's code scanning asks for beyond it: help for every rule, fingerprints, and a location for every result.

mod shape;

use std::collections::BTreeMap;
use std::iter;

use autopr_core::diff::{Side, path_bytes};
use autopr_core::review::{Finding, Review, Severity};
use sha2::{Digest, Sha256};

use autopr_core::analysis::Rule;

use super::columns;
use shape::{
    ArtifactChange, ArtifactLocation, Configuration, Described, Descriptor, Driver, Fix, Invocation, Location, Log,
    Message, Notification, PhysicalLocation, Region, Replacement, ResultRow, RuleProperties, Run, Tool,
};

/// The name that stands for the top folder of the repository, wherever it is checked out.
const ROOT: &str = "%SRCROOT%";

/// The review as an indented SARIF log with one run.
pub(super) fn render(review: &Review, rules: &[Rule]) -> Result<String, serde_json::Error> {
    let mut catalogue: Vec<Descriptor<'_>> = rules.iter().map(Descriptor::from).collect();
    let mut seen = BTreeMap::new();
    let mut results = Vec::with_capacity(review.findings.len());
    for finding in &review.findings {
        // What a model finds has a category of its own choice, which is listed as it appears.
        let index = catalogue.iter().position(|rule| rule.id == finding.rule).unwrap_or_else(|| {
            catalogue.push(Descriptor::from(finding));
            catalogue.len() - 1
        });
        results.push(result(finding, index, &mut seen));
    }
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver { name: "AutoPR Engine", semantic_version: env!("CARGO_PKG_VERSION"), rules: catalogue },
            },
            invocations: [invocation(review)],
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: BTreeMap::from([(
                ROOT,
                Described { description: text("The top folder of the repository.") },
            )]),
            results,
        }],
    };
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

impl<'a> From<&'a Rule> for Descriptor<'a> {
    fn from(rule: &'a Rule) -> Self {
        Self::new(rule.id, rule.severity, rule.title, rule.reason, rule.fix)
    }
}

impl<'a> From<&'a Finding> for Descriptor<'a> {
    fn from(finding: &'a Finding) -> Self {
        let title = format!("A language model's remark in the category {}", finding.rule);
        let reason = "Language models can be wrong: judge each remark by itself.";
        Self::new(&finding.rule, finding.severity, &title, reason, "See the remark.")
    }
}

impl<'a> Descriptor<'a> {
    fn new(id: &'a str, severity: Severity, title: &str, reason: &str, fix: &str) -> Self {
        Self {
            id,
            short_description: text(title),
            full_description: text(reason),
            help: text(format!("{reason}\n\nFix: {fix}")),
            default_configuration: Configuration { level: level(severity) },
            properties: RuleProperties { severity },
        }
    }
}

fn result<'a>(finding: &'a Finding, rule_index: usize, seen: &mut BTreeMap<String, u32>) -> ResultRow<'a> {
    let removed = finding.location.as_ref().filter(|location| location.side == Side::Left);
    let place = removed.map(|location| format!(" (removed line {})", location.start)).unwrap_or_default();
    let Finding { title, reason, fix, severity, .. } = finding;
    ResultRow {
        rule_id: &finding.rule,
        rule_index,
        level: level(*severity),
        message: text(format!("{title}{place}\n{reason}\nFix: {fix}")),
        locations: [Location { physical_location: physical_location(finding) }],
        partial_fingerprints: BTreeMap::from([("autoprFinding/v1", fingerprint(finding, seen))]),
        fixes: replacement(finding).map(|fix| [fix]),
        properties: RuleProperties { severity: *severity },
    }
}

/// Where a result stands. A remark on the whole change stands on the top folder, because GitHub refuses a log with a
/// result that has no location; one on a removed line has no region, because the new version has no such line.
fn physical_location(finding: &Finding) -> PhysicalLocation {
    let Some(location) = &finding.location else {
        return PhysicalLocation { artifact_location: artifact("."), region: None };
    };
    // Evidence shows masks and escapes in place of secrets and of characters nobody sees: behind one, its columns are not
    // those of the file.
    let start = location.columns.map_or(0, |(start, _)| start as usize);
    let rewritten = finding.evidence.get(..start).is_none_or(|before| before.contains('…') || before.contains("\\u{"));
    let columns = columns(finding).filter(|_| !rewritten);
    // Where a secret itself ends is not known from its mask.
    let masked = finding.rule.starts_with("secret/") || finding.rule.starts_with("unicode/");
    let region = (location.side == Side::Right).then(|| Region {
        start_line: location.start.max(1),
        end_line: location.end.max(location.start).max(1),
        start_column: columns.map(|(start, _)| start),
        end_column: columns.filter(|_| !masked && location.start == location.end).map(|(_, end)| end),
        snippet: (!finding.evidence.is_empty()).then(|| text(&finding.evidence)),
    });
    PhysicalLocation { artifact_location: artifact(&location.path), region }
}

/// The change that would do, for whole lines of the new version. Without columns a region ends before the line's end
/// mark (SARIF 3.30.6), so the last one of the text goes.
fn replacement(finding: &Finding) -> Option<Fix> {
    let location = finding.location.as_ref().filter(|location| location.side == Side::Right)?;
    let inserted = finding.replacement.as_deref()?;
    let deleted_region = Region {
        start_line: location.start,
        end_line: location.end,
        start_column: None,
        end_column: None,
        snippet: None,
    };
    let inserted_content = text(inserted.strip_suffix('\n').unwrap_or(inserted));
    Some(Fix {
        description: text(&finding.fix),
        artifact_changes: [ArtifactChange {
            artifact_location: artifact(&location.path),
            replacements: [Replacement { deleted_region, inserted_content }],
        }],
    })
}

/// What was left out and what is wrong in the configuration. The run itself succeeded, or there would be no review.
fn invocation(review: &Review) -> Invocation {
    let skipped = review.coverage.skipped.iter().map(|skipped| Notification {
        level: if skipped.incomplete { "warning" } else { "note" },
        message: text(format!("not reviewed: {}: {}", skipped.what, skipped.why)),
    });
    let omitted = (review.omitted > 0).then(|| Notification {
        level: "note",
        message: text(format!("{} findings were left out by review.max_findings", review.omitted)),
    });
    let problems = review.problems.iter().map(|problem| Notification { level: "warning", message: text(problem) });
    Invocation {
        execution_successful: true,
        tool_execution_notifications: skipped.chain(omitted).collect(),
        tool_configuration_notifications: problems.collect(),
    }
}

/// The same for the same finding after lines above it moved; the number at the end tells equal ones in a file apart.
fn fingerprint(finding: &Finding, seen: &mut BTreeMap<String, u32>) -> String {
    let path = finding.location.as_ref().map_or("", |location| location.path.as_str());
    let mut hash = Sha256::new();
    for part in iter::once(finding.rule.as_str()).chain([path]).chain(finding.evidence.split_whitespace()) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash = hex::encode(&hash.finalize()[..16]);
    let count = seen.entry(hash.clone()).and_modify(|count| *count += 1).or_insert(1);
    format!("{hash}:{count}")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn artifact(path: &str) -> ArtifactLocation {
    ArtifactLocation { uri: relative_uri(path), uri_base_id: ROOT }
}

/// A path as a relative URI reference (RFC 3986): all but unreserved characters and slashes are percent-encoded, so
/// that no colon makes a scheme of the first part.
fn relative_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for &byte in path_bytes(path).as_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn text(text: impl Into<String>) -> Message {
    Message { text: text.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::samples::{RULES, check, empty, print, review};
    use crate::report::{Format, Style};

    fn log(review: &Review) -> Value {
        let page = print(review, &check(review), Format::Sarif, Style { colour: true, width: 40 });
        serde_json::from_str(&page).unwrap()
    }

    #[test]
    fn a_review() {
        let mut review = review();
        review.findings.truncate(2);
        insta::assert_snapshot!(render(&review, &RULES[1..]).unwrap(), @r#"
        {
          "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
          "version": "2.1.0",
          "runs": [
            {
              "tool": {
                "driver": {
                  "name": "AutoPR Engine",
                  "semanticVersion": "0.1.0",
                  "rules": [
                    {
                      "id": "secret/github-token",
                      "shortDescription": {
                        "text": "GitHub token in the source"
                      },
                      "fullDescription": {
                        "text": "Who can read the source can use it."
                      },
                      "help": {
                        "text": "Who can read the source can use it.\n\nFix: Revoke it."
                      },
                      "defaultConfiguration": {
                        "level": "error"
                      },
                      "properties": {
                        "severity": "critical"
                      }
                    },
                    {
                      "id": "correctness",
                      "shortDescription": {
                        "text": "A language model's remark in the category correctness"
                      },
                      "fullDescription": {
                        "text": "Language models can be wrong: judge each remark by itself."
                      },
                      "help": {
                        "text": "Language models can be wrong: judge each remark by itself.\n\nFix: See the remark."
                      },
                      "defaultConfiguration": {
                        "level": "warning"
                      },
                      "properties": {
                        "severity": "medium"
                      }
                    }
                  ]
                }
              },
              "invocations": [
                {
                  "executionSuccessful": true,
                  "toolExecutionNotifications": [
                    {
                      "level": "note",
                      "message": {
                        "text": "not reviewed: Cargo.lock: left out by review.ignore"
                      }
                    },
                    {
                      "level": "warning",
                      "message": {
                        "text": "not reviewed: src/big.rs: too large for one model call"
                      }
                    },
                    {
                      "level": "note",
                      "message": {
                        "text": "2 findings were left out by review.max_findings"
                      }
                    }
                  ],
                  "toolConfigurationNotifications": [
                    {
                      "level": "warning",
                      "message": {
                        "text": ".autopr.yml:3:5: unknown key `revew`, did you mean `review`?"
                      }
                    }
                  ]
                }
              ],
              "columnKind": "unicodeCodePoints",
              "originalUriBaseIds": {
                "%SRCROOT%": {
                  "description": {
                    "text": "The top folder of the repository."
                  }
                }
              },
              "results": [
                {
                  "ruleId": "secret/github-token",
                  "ruleIndex": 0,
                  "level": "error",
                  "message": {
                    "text": "GitHub token in the source\nWho can read the source, now or later in its history, can act as the token's owner until the token is revoked.\nFix: Revoke the token, then read it from the environment."
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "src/config%20with%20space.rs",
                          "uriBaseId": "%SRCROOT%"
                        },
                        "region": {
                          "startLine": 14,
                          "endLine": 14,
                          "startColumn": 14,
                          "snippet": {
                            "text": "\tlet token = \"[github-token …wxyz]\"; // 日本"
                          }
                        }
                      }
                    }
                  ],
                  "partialFingerprints": {
                    "autoprFinding/v1": "db896fa6b74cf9cdc9b74406f2963819:1"
                  },
                  "properties": {
                    "severity": "critical"
                  }
                },
                {
                  "ruleId": "correctness",
                  "ruleIndex": 1,
                  "level": "warning",
                  "message": {
                    "text": "off by one\n`i` reaches `len`.\nFix: Use a range that excludes the end."
                  },
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "src/lib.rs",
                          "uriBaseId": "%SRCROOT%"
                        },
                        "region": {
                          "startLine": 99,
                          "endLine": 100,
                          "snippet": {
                            "text": "for i in 0..=len {\n    visit(items[i]);"
                          }
                        }
                      }
                    }
                  ],
                  "partialFingerprints": {
                    "autoprFinding/v1": "822db906d1f3c30c2c33215169850b30:1"
                  },
                  "fixes": [
                    {
                      "description": {
                        "text": "Use a range that excludes the end."
                      },
                      "artifactChanges": [
                        {
                          "artifactLocation": {
                            "uri": "src/lib.rs",
                            "uriBaseId": "%SRCROOT%"
                          },
                          "replacements": [
                            {
                              "deletedRegion": {
                                "startLine": 99,
                                "endLine": 100
                              },
                              "insertedContent": {
                                "text": "for item in items {\n    visit(item);"
                              }
                            }
                          ]
                        }
                      ]
                    }
                  ],
                  "properties": {
                    "severity": "medium"
                  }
                }
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn a_remark_on_the_whole_or_on_a_removed_line_has_a_place_without_a_line() {
        let log = log(&review());
        let places: Vec<_> = [2, 3].map(|n| log["runs"][0]["results"][n]["locations"].to_string()).into();
        insta::assert_snapshot!(places.join("\n"), @r#"
        [{"physicalLocation":{"artifactLocation":{"uri":"src/lib.rs","uriBaseId":"%SRCROOT%"}}}]
        [{"physicalLocation":{"artifactLocation":{"uri":".","uriBaseId":"%SRCROOT%"}}}]
        "#);
        let removed = &log["runs"][0]["results"][2];
        assert!(removed["message"]["text"].as_str().unwrap().starts_with("a check is gone (removed line 7)\n"));
        assert_eq!(removed.get("fixes"), None, "a removed line can't be replaced");
    }

    #[test]
    fn a_log_without_results_says_so() {
        let log = log(&empty());
        assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    }

    /// The rules of the schema and of GitHub's upload that a snapshot would not make plain.
    #[test]
    fn what_the_standard_requires_is_there() {
        let log = log(&review());
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert!(run["tool"]["driver"]["name"].is_string());
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let mut ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(!result["partialFingerprints"].as_object().unwrap().is_empty());
            let place = &result["locations"][0]["physicalLocation"];
            let base = place["artifactLocation"]["uriBaseId"].as_str().unwrap();
            assert!(run["originalUriBaseIds"].get(base).is_some());
            if let Some(region) = place.get("region") {
                assert!(
                    region["startLine"].as_u64() >= Some(1)
                        && region["endLine"].as_u64() >= region["startLine"].as_u64()
                );
            }
        }
        for rule in rules {
            assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rules.len(), "rule ids are unique");
    }

    #[test]
    fn equal_findings_have_fingerprints_of_their_own_that_outlive_a_move() {
        let mut review = review();
        review.findings.truncate(1);
        let mut again = review.findings[0].clone();
        again.location.as_mut().unwrap().start += 40;
        review.findings.push(again);
        let prints = |review: &Review| -> Vec<String> {
            let log = log(review);
            let results = log["runs"][0]["results"].as_array().unwrap().clone();
            results.iter().map(|result| result["partialFingerprints"]["autoprFinding/v1"].to_string()).collect()
        };
        let before = prints(&review);
        assert_ne!(before[0], before[1]);
        for finding in &mut review.findings {
            finding.location.as_mut().unwrap().start += 5;
        }
        assert_eq!(before, prints(&review));
    }

    #[test]
    fn a_path_is_a_relative_reference() {
        let uris = ["src/lib.rs", "a b/#1?.txt", "C:/x", "ä/日", "100%", "\"q\\377\""].map(relative_uri);
        insta::assert_snapshot!(uris.join("\n"), @"
        src/lib.rs
        a%20b/%231%3F.txt
        C%3A/x
        %C3%A4/%E6%97%A5
        100%25
        q%FF
        ");
    }
}
