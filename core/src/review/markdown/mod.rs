//! The Markdown a person reads on a pull request: the summary of a review and the comment on a line.
//!
//! Paths, evidence, model output and commit messages are untrusted. They come through `prose` (inline text in which
//! only code spans keep their meaning), `code` (a code span) or `fenced` (a block), so no Markdown, HTML, mention,
//! link or image of theirs takes effect. Texts are cut so that the whole stays below GitHub's 65,536 characters.

mod inert;

use std::fmt::Write;

use super::{Coverage, Finding, Review, Severity, Source, visible};
use crate::diff::Side;
use crate::ids::CommitSha;

pub use inert::{code, fenced, prose, quoted};

use inert::LINE;

/// The most bytes a summary or comment has; GitHub takes 65,536 characters.
const LIMIT: usize = 60_000;

/// The most characters of one untrusted paragraph.
const PARAGRAPH: usize = 4_000;

/// The most bytes of a suggestion or of quoted evidence.
const BLOCK: usize = 20_000;

/// The summary of a review: verdict and counts, the findings that stand on no line, what was covered, what was not and
/// why, and mistakes in the repository's configuration.
pub fn summary(review: &Review) -> String {
    let mut page = Page::default();
    page.block(&format!("### AutoPR review: {}", review.headline()));
    counts(review, &mut page);
    let (unfounded, general): (Vec<_>, Vec<_>) =
        review.findings.iter().filter(|finding| finding.location.is_none()).partition(|finding| unfounded(finding));
    if !general.is_empty() {
        page.block("#### On the change as a whole");
        page.list(general.into_iter().map(general_item));
    }
    covered(review, &mut page);
    if !unfounded.is_empty() {
        page.block("#### Without evidence");
        page.block(
            "A language model said this and quoted no line of the change, so it blocks nothing and may be wrong.",
        );
        page.list(unfounded.into_iter().map(general_item));
    }
    problems(review, &mut page);
    page.finish()
}

/// The summary of a check, whose title has the verdict: each finding in one line, since the review beside it tells more,
/// then what was covered and what not.
pub fn check_summary(review: &Review) -> String {
    let mut page = Page::default();
    counts(review, &mut page);
    page.list(review.findings.iter().map(|finding| {
        let place = finding.location.as_ref().map(|place| code(&format!("{}:{}", place.path, place.start)));
        let place = place.map_or_else(String::new, |place| format!("{place} "));
        format!("- **{}:** {place}{}", word(finding.severity), prose(&finding.title, LINE))
    }));
    covered(review, &mut page);
    problems(review, &mut page);
    page.finish()
}

fn counts(review: &Review, page: &mut Page) {
    let mut counts: Vec<_> =
        review.counts().into_iter().map(|(severity, count)| format!("{count} {severity}")).collect();
    if review.omitted > 0 {
        counts.push(format!("{} left out by `review.max_findings`", review.omitted));
    }
    if !counts.is_empty() {
        page.block(&format!("{}.", counts.join(", ")));
    }
}

fn covered(review: &Review, page: &mut Page) {
    let effort = review.effort.map(|effort| format!(" Effort to review: {effort}.")).unwrap_or_default();
    page.block(&format!("**Covered:** {}.{effort}", coverage(&review.coverage, &review.head)));
    let skipped = &review.coverage.skipped;
    if !skipped.is_empty() {
        page.block("#### Not covered");
        page.list(skipped.iter().map(|skipped| format!("- {}: {}", code(&skipped.what), prose(&skipped.why, LINE))));
    }
}

fn problems(review: &Review, page: &mut Page) {
    if !review.problems.is_empty() {
        page.block("#### Problems in the configuration");
        page.list(review.problems.iter().map(|problem| format!("- {}", prose(problem, PARAGRAPH))));
    }
}

/// Whether a model's claim was put on no line because its quote does not stand in the change.
fn unfounded(finding: &Finding) -> bool {
    finding.source != Source::Analyser && finding.location.is_none() && finding.evidence.is_empty()
}

/// The comment on the line or lines of a finding: severity, title, reason, fix, a suggestion to commit when there is
/// one, and how to silence the rule or which model found it.
pub fn comment(finding: &Finding) -> String {
    let mut page = Page::default();
    page.block(&format!("**{}:** {}", word(finding.severity), prose(&finding.title, LINE)));
    page.block(&prose(&finding.reason, PARAGRAPH));
    page.block(&fix(finding));
    let right = finding.location.as_ref().is_some_and(|location| location.side == Side::Right);
    if let Some(replacement) = finding.replacement.as_deref().filter(|text| right && text.len() <= BLOCK) {
        page.block(&fenced("suggestion", replacement));
    }
    page.block(&silencing(finding));
    page.finish()
}

/// What a review covered, as a phrase without a full stop.
pub(super) fn coverage(coverage: &Coverage, head: &CommitSha) -> String {
    let Coverage { files, added, removed, models, .. } = coverage;
    let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    let place = if *head == CommitSha::zero() { "in the index".to_owned() } else { format!("at `{}`", head.short()) };
    let by = match models.as_slice() {
        [] => "deterministic analysers only: no language model is configured".to_owned(),
        models => {
            let models: Vec<_> = models.iter().map(|model| code(model)).collect();
            format!("deterministic analysers and {}", models.join(", "))
        }
    };
    format!("{files} (+{added} −{removed}) {place}, by {by}")
}

fn general_item(finding: &Finding) -> String {
    let mut item = format!("- **{}:** {}\n\n", word(finding.severity), prose(&finding.title, LINE));
    let mut parts = vec![format!("{} {}", prose(&finding.reason, PARAGRAPH), fix(finding))];
    if !finding.evidence.is_empty() && finding.evidence.len() <= BLOCK {
        parts.push(quoted(&finding.evidence));
    }
    parts.push(silencing(finding));
    let body = parts.join("\n\n");
    for line in body.lines() {
        let indent = if line.is_empty() { "" } else { "  " };
        let _ = writeln!(item, "{indent}{line}");
    }
    item
}

fn fix(finding: &Finding) -> String {
    format!("**Fix:** {}", prose(&finding.fix, PARAGRAPH))
}

/// How to hear no more of a rule, or which model it was that found something.
fn silencing(finding: &Finding) -> String {
    match (&finding.source, &finding.location) {
        (Source::Model { provider, model }, _) => {
            format!("<sub>Found by the language model {}.</sub>", code(&format!("{provider}/{model}")))
        }
        (Source::Analyser, Some(_)) => {
            let silence = code(&format!("autopr:ignore {}", finding.rule));
            format!("<sub>To silence this here, write {silence} in a comment on the line.</sub>")
        }
        (Source::Analyser, None) => {
            let rule = code(&finding.rule);
            format!("<sub>{rule}. To leave files out, add them to `review.ignore` in `.autopr.yml`.</sub>")
        }
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Info",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

/// A text built of blocks, which leaves out what would not fit.
#[derive(Default)]
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    fn block(&mut self, block: &str) {
        self.add(block, "\n\n");
    }

    fn list(&mut self, items: impl Iterator<Item = String>) {
        let mut between = "\n\n";
        for item in items {
            self.add(item.trim_end(), between);
            between = "\n";
        }
    }

    fn add(&mut self, block: &str, between: &str) {
        if self.text.len() + between.len() + block.len() > LIMIT {
            self.left_out += 1;
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(between);
        }
        self.text.push_str(block);
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let _ = write!(self.text, "\n\n{} more entries did not fit here.", self.left_out);
        }
        self.text.push('\n');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{finding, review, skipped};
    use super::*;

    #[test]
    fn a_summary_without_findings() {
        insta::assert_snapshot!(summary(&review(Vec::new())), @"
        ### AutoPR review: no findings

        **Covered:** 12 files (+120 −30) at `1234567890`, by deterministic analysers only: no language model is configured.
        ");
    }

    #[test]
    fn a_summary_with_everything() {
        let general = Finding {
            rule: "size/large-change".to_owned(),
            severity: Severity::Low,
            title: "the change is large".to_owned(),
            reason: "Large changes hide mistakes.".to_owned(),
            fix: "Split it.".to_owned(),
            location: None,
            evidence: String::new(),
            ..finding(Severity::Low)
        };
        let demoted = Finding {
            location: None,
            evidence: String::new(),
            source: Source::Model { provider: "openai".to_owned(), model: "m-1".to_owned() },
            ..finding(Severity::Medium)
        };
        let refused = Finding { evidence: "    dbg!(x);".to_owned(), ..demoted.clone() };
        let mut review = review(vec![finding(Severity::Critical), refused, demoted, general]);
        review.omitted = 3;
        review.coverage.models = vec!["openai/m-1".to_owned()];
        review.coverage.skipped = vec![skipped(true), skipped(false)];
        review.problems = vec![".autopr.yml:3:5: unknown key `revew`".to_owned()];
        insta::assert_snapshot!(check_summary(&review), @"
        1 critical, 2 medium, 1 low, 3 left out by `review.max_findings`.

        - **Critical:** `src/lib.rs:7` a debug statement was left in
        - **Medium:** a debug statement was left in
        - **Medium:** a debug statement was left in
        - **Low:** the change is large

        **Covered:** 12 files (+120 −30) at `1234567890`, by deterministic analysers and `openai/m-1`.

        #### Not covered

        - `src/big.rs`: too large for one model call
        - `src/big.rs`: too large for one model call

        #### Problems in the configuration

        - .autopr.yml:3:5: unknown key `revew`
        ");
        insta::assert_snapshot!(summary(&review), @"
        ### AutoPR review: 7 findings, 1 of them blocks merging

        1 critical, 2 medium, 1 low, 3 left out by `review.max_findings`.

        #### On the change as a whole

        - **Medium:** a debug statement was left in

          `dbg!` prints to stderr in production. **Fix:** Remove it.

          ```
              dbg!(x);
          ```

          <sub>Found by the language model `openai/m-1`.</sub>
        - **Low:** the change is large

          Large changes hide mistakes. **Fix:** Split it.

          <sub>`size/large-change`. To leave files out, add them to `review.ignore` in `.autopr.yml`.</sub>

        **Covered:** 12 files (+120 −30) at `1234567890`, by deterministic analysers and `openai/m-1`.

        #### Not covered

        - `src/big.rs`: too large for one model call
        - `src/big.rs`: too large for one model call

        #### Without evidence

        A language model said this and quoted no line of the change, so it blocks nothing and may be wrong.

        - **Medium:** a debug statement was left in

          `dbg!` prints to stderr in production. **Fix:** Remove it.

          <sub>Found by the language model `openai/m-1`.</sub>

        #### Problems in the configuration

        - .autopr.yml:3:5: unknown key `revew`
        ");
    }

    #[test]
    fn a_comment() {
        insta::assert_snapshot!(comment(&finding(Severity::Medium)), @"
        **Medium:** a debug statement was left in

        `dbg!` prints to stderr in production.

        **Fix:** Remove it.

        <sub>To silence this here, write `autopr:ignore debug/leftover` in a comment on the line.</sub>
        ");
    }

    #[test]
    fn a_suggestion_with_a_fence_in_it() {
        let finding = Finding {
            replacement: Some("```rust\nlet x = 1;\n````\n".to_owned()),
            source: Source::Model { provider: "openai".to_owned(), model: "m-1".to_owned() },
            ..finding(Severity::Low)
        };
        insta::assert_snapshot!(comment(&finding), @"
        **Low:** a debug statement was left in

        `dbg!` prints to stderr in production.

        **Fix:** Remove it.

        `````suggestion
        ```rust
        let x = 1;
        ````
        `````

        <sub>Found by the language model `openai/m-1`.</sub>
        ");
    }

    #[test]
    fn no_suggestion_for_a_removed_line() {
        let mut finding = Finding { replacement: Some("x\n".to_owned()), ..finding(Severity::Low) };
        finding.location.as_mut().unwrap().side = Side::Left;
        assert!(!comment(&finding).contains("suggestion"));
    }

    #[test]
    fn long_texts_are_cut_and_said_to_be() {
        let mut review = review(Vec::new());
        review.coverage.skipped = vec![skipped(true); 5000];
        let text = summary(&review);
        assert!(text.len() < 65_536 && text.ends_with(" more entries did not fit here.\n"), "{} bytes", text.len());
        let long = Finding { title: "t".repeat(100_000), reason: "r".repeat(100_000), ..finding(Severity::Low) };
        assert!(comment(&long).len() < 65_536);
    }
}
