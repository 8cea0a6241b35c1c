//! The Markdown a person reads on a pull request: the summary of a review and the comment on a line.
//!
//! Paths, evidence, model output and commit messages are untrusted. They come through `prose` (inline text in which
//! only code spans keep their meaning), `code` (a code span) or `fenced` (a block), so no Markdown, HTML, mention,
//! link or image of theirs takes effect. Texts are cut so that the whole stays below GitHub's 65,536 characters.

use std::fmt::Write;

use super::{Coverage, Finding, Review, Source, visible};
use crate::diff::Side;
use crate::ids::CommitSha;

/// The most bytes a summary or comment has; GitHub takes 65,536 characters.
const LIMIT: usize = 60_000;

/// The most characters of one untrusted line, such as a title or a path.
const LINE: usize = 300;

/// The most characters of one untrusted paragraph.
const PARAGRAPH: usize = 4_000;

/// The most bytes of a suggestion or of quoted evidence.
const BLOCK: usize = 20_000;

/// The summary of a review: verdict and counts, the findings that stand on no line, what was covered, what was not and
/// why, and mistakes in the repository's configuration.
pub fn summary(review: &Review) -> String {
    let mut page = Page::default();
    page.block(&format!("### AutoPR review: {}", review.headline()));
    let mut counts: Vec<_> =
        review.counts().into_iter().map(|(severity, count)| format!("{count} {severity}")).collect();
    if review.omitted > 0 {
        counts.push(format!("{} left out by `review.max_findings`", review.omitted));
    }
    if !counts.is_empty() {
        page.block(&format!("{}.", counts.join(", ")));
    }
    let general: Vec<_> = review.findings.iter().filter(|finding| finding.location.is_none()).collect();
    if !general.is_empty() {
        page.block("#### On the change as a whole");
        page.list(general.into_iter().map(general_item));
    }
    let effort = review.effort.map(|effort| format!(" Effort to review: {effort}.")).unwrap_or_default();
    page.block(&format!("**Covered:** {}.{effort}", coverage(&review.coverage, &review.head)));
    if !review.coverage.skipped.is_empty() {
        page.block("#### Not covered");
        page.list(
            review
                .coverage
                .skipped
                .iter()
                .map(|skipped| format!("- {}: {}", code(&skipped.what), prose(&skipped.why, LINE))),
        );
    }
    if !review.problems.is_empty() {
        page.block("#### Problems in the configuration");
        page.list(review.problems.iter().map(|problem| format!("- {}", prose(problem, PARAGRAPH))));
    }
    page.finish()
}

/// The comment on the line or lines of a finding: severity, title, reason, fix, a suggestion to commit when there is
/// one, and how to silence the rule.
pub fn comment(finding: &Finding) -> String {
    let mut page = Page::default();
    page.block(&format!("**{}:** {}", finding.severity, prose(&finding.title, LINE)));
    page.block(&prose(&finding.reason, PARAGRAPH));
    page.block(&fix(finding));
    let right = finding.location.as_ref().is_some_and(|location| location.side == Side::Right);
    if let Some(replacement) = finding.replacement.as_deref().filter(|text| right && text.len() <= BLOCK) {
        page.block(&fenced("suggestion", replacement));
    }
    page.block(&silencing(finding));
    page.finish()
}

/// A code span that holds any text on one line: its fence is longer than every run of backticks within, and what a
/// screen would hide is written out.
pub fn code(text: &str) -> String {
    let text = cut(&visible(text), LINE);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space that Markdown takes off again is needed beside a backtick, and keeps a span of spaces alive.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block whose fence is longer than every run of backticks within.
pub fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}")
}

/// Lines of source as a fenced block, with what a screen would hide written out.
pub fn quoted(source: &str) -> String {
    let visible_line = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    fenced("", &source.lines().map(visible_line).collect::<Vec<_>>().join("\n"))
}

/// Untrusted text as one line of Markdown of at most `limit` characters. Code spans stay; everything else is escaped,
/// and a word that a forge would turn into a mention, a reference or a link becomes a code span.
pub fn prose(text: &str, limit: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = cut(&text, limit);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('`') {
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let inside = &rest[start + run..];
        match closing(inside, run) {
            Some(end) => {
                words(&rest[..start], &mut out);
                span(inside[..end].trim(), &mut out);
                rest = &inside[end + run..];
            }
            None => {
                words(&rest[..start + run], &mut out);
                rest = inside;
            }
        }
    }
    words(rest, &mut out);
    out
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
    let mut item = format!("- **{}:** {}\n\n", finding.severity, prose(&finding.title, LINE));
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

/// The rule, who found it, and how to hear no more of it.
fn silencing(finding: &Finding) -> String {
    let rule = code(&finding.rule);
    let by = match &finding.source {
        Source::Analyser => String::new(),
        Source::Model { provider, model } => format!(", found by {}", code(&format!("{provider}/{model}"))),
    };
    let silence = code(&format!("autopr:ignore {}", finding.rule));
    match finding.location {
        Some(_) => format!("<sub>{rule}{by}. To silence it here, write {silence} in a comment on the line.</sub>"),
        None => format!("<sub>{rule}{by}. To leave files out, add them to `review.ignore` in `.autopr.yml`.</sub>"),
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

/// Where the run of exactly `run` backticks that closes a code span starts.
fn closing(text: &str, run: usize) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('`')?;
        let length = text[start..].len() - text[start..].trim_start_matches('`').len();
        if length == run {
            return Some(start);
        }
        from = start + length;
    }
}

/// Appends a code span, away from the fence of a span before it: together they would be one longer run of backticks.
fn span(text: &str, out: &mut String) {
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&code(text));
}

/// Appends text without code spans, escaped.
fn words(text: &str, out: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if links(word) {
            span(word, out);
            continue;
        }
        let block = out.is_empty() && starts_block(word);
        for (at, c) in visible(word).char_indices() {
            if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '$')
                || (block && !c.is_ascii_digit() && at + 1 == word.len())
            {
                out.push('\\');
            }
            out.push(c);
        }
    }
}

/// True for a word that a forge would turn into a mention, a reference, an e-mail address or a link by itself.
fn links(word: &str) -> bool {
    word.contains(['@', '#']) || word.contains("://") || word.to_ascii_lowercase().contains("www.")
}

/// True for a word that begins a list, a rule, a heading or an underline when it stands first on a line.
fn starts_block(word: &str) -> bool {
    let number = word.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(word, "-" | "+") || (number.len() < word.len() && matches!(number, "." | ")")) || {
        !word.is_empty() && word.chars().all(|c| matches!(c, '-' | '='))
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// At most `limit` characters, with a mark where text was cut.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Severity;
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
            source: Source::Model { provider: "openai".to_owned(), model: "m-1".to_owned() },
            ..finding(Severity::Medium)
        };
        let mut review = review(vec![finding(Severity::Critical), demoted, general]);
        review.omitted = 3;
        review.coverage.models = vec!["openai/m-1".to_owned()];
        review.coverage.skipped = vec![skipped(true), skipped(false)];
        review.problems = vec![".autopr.yml:3:5: unknown key `revew`".to_owned()];
        insta::assert_snapshot!(summary(&review), @"
        ### AutoPR review: 6 findings, 1 of them blocks merging

        1 critical, 1 medium, 1 low, 3 left out by `review.max_findings`.

        #### On the change as a whole

        - **medium:** a debug statement was left in

          `dbg!` prints to stderr in production. **Fix:** Remove it.

          ```
              dbg!(x);
          ```

          <sub>`debug/leftover`, found by `openai/m-1`. To leave files out, add them to `review.ignore` in `.autopr.yml`.</sub>
        - **low:** the change is large

          Large changes hide mistakes. **Fix:** Split it.

          <sub>`size/large-change`. To leave files out, add them to `review.ignore` in `.autopr.yml`.</sub>

        **Covered:** 12 files (+120 −30) at `1234567890`, by deterministic analysers and `openai/m-1`.

        #### Not covered

        - `src/big.rs`: too large for one model call
        - `src/big.rs`: too large for one model call

        #### Problems in the configuration

        - .autopr.yml:3:5: unknown key `revew`
        ");
    }

    #[test]
    fn a_comment() {
        insta::assert_snapshot!(comment(&finding(Severity::Medium)), @"
        **medium:** a debug statement was left in

        `dbg!` prints to stderr in production.

        **Fix:** Remove it.

        <sub>`debug/leftover`. To silence it here, write `autopr:ignore debug/leftover` in a comment on the line.</sub>
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
        **low:** a debug statement was left in

        `dbg!` prints to stderr in production.

        **Fix:** Remove it.

        `````suggestion
        ```rust
        let x = 1;
        ````
        `````

        <sub>`debug/leftover`, found by `openai/m-1`. To silence it here, write `autopr:ignore debug/leftover` in a comment on the line.</sub>
        ");
    }

    #[test]
    fn no_suggestion_for_a_removed_line() {
        let mut finding = Finding { replacement: Some("x\n".to_owned()), ..finding(Severity::Low) };
        finding.location.as_mut().unwrap().side = Side::Left;
        assert!(!comment(&finding).contains("suggestion"));
    }

    #[test]
    fn untrusted_text_stays_text() {
        let texts = [
            "hello @everyone, see #12 and https://evil.example/x or www.evil.example",
            "![image](x) [link](y) <img src=x onerror=alert(1)> &lt; **bold** _it_ ~~no~~ | cell $x$",
            "a `code @span` and ``a ` tick`` and an `open one @user",
            "# heading",
            "- item",
            "1. one",
            "---",
            "two\n\n- lines\n```\nfence",
            "bidi \u{202e}esrever and \u{1b}[31mred",
            "` ``",
            "@`@",
        ];
        insta::assert_snapshot!(texts.map(|text| prose(text, 200)).join("\n"), @r"
        hello `@everyone,` see `#12` and `https://evil.example/x` or `www.evil.example`
        !\[image\](x) \[link\](y) \<img src=x onerror=alert(1)\> \&lt; \*\*bold\*\* \_it\_ \~\~no\~\~ \| cell \$x\$
        a `code @span` and ``a ` tick`` and an \`open one `@user`
        `#` heading
        \- item
        1\. one
        --\-
        two - lines \`\`\` fence
        bidi \\u{202e}esrever and \\u{1b}\[31mred
        \` \`\`
        `` @` `` `@`
        ");
    }

    #[test]
    fn code_spans_hold_any_text() {
        let texts = ["plain", "a`b", "``", "`", " ", "", "new\nline", "[x](y)@z"];
        insta::assert_snapshot!(texts.map(code).join("\n"), @r"
        `plain`
        ``a`b``
        ``` `` ```
        `` ` ``
        `   `
        `  `
        `new\nline`
        `[x](y)@z`
        ");
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

    proptest! {
        #[test]
        fn a_code_span_is_closed_by_its_own_fence_only(text in "[`a @\\n]{0,20}") {
            let span = code(&text);
            let run = span.len() - span.trim_start_matches('`').len();
            let end = closing(&span[run..], run).map(|end| run + end + run);
            prop_assert_eq!(end, Some(span.len()));
        }

        #[test]
        fn no_line_of_a_fenced_block_closes_it(text in "[`~a\\n ]{0,40}") {
            let block = fenced("", &text);
            let (fence, rest) = block.split_once('\n').unwrap();
            let closing = rest.lines().filter(|line| line.trim().starts_with(fence)).count();
            prop_assert_eq!(closing, 1);
        }

        #[test]
        fn prose_leaves_nothing_active_outside_code(text in any::<String>()) {
            let shown = prose(&text, 500);
            prop_assert!(!shown.contains('\n'));
            // Take the code spans away; what is left has no mention, and no bracket or angle without a backslash.
            let mut rest = shown.as_str();
            let mut plain = String::new();
            while let Some(at) = rest.find('`') {
                if rest[..at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
                    plain.push_str(&rest[..=at]);
                    rest = &rest[at + 1..];
                    continue;
                }
                plain.push_str(&rest[..at]);
                let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
                let end = closing(&rest[at + run..], run);
                prop_assert!(end.is_some(), "an open span in {shown:?}");
                rest = &rest[at + run + end.unwrap() + run..];
            }
            plain.push_str(rest);
            prop_assert!(!plain.contains(['@', '#']), "{shown:?}");
            let mut escaped = false;
            for c in plain.chars() {
                prop_assert!(escaped || !matches!(c, '<' | '[' | '*' | '_'), "{shown:?}");
                escaped = c == '\\' && !escaped;
            }
        }
    }
}
