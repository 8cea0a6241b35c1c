//! A review for a person at a terminal: each finding with its line and a caret, then what was left out, then one line
//! that sums up.

use anstyle::{AnsiColor, Style as Paint};
use autopr_core::diff::Side;
use autopr_core::ids::CommitSha;
use autopr_core::review::{Check, Coverage, Finding, Location, Review, Severity, Skipped, Verdict, visible};
use unicode_width::UnicodeWidthStr;

use super::Style;
use super::excerpt::excerpt;

/// The most lines of evidence that are shown.
const LINES: usize = 6;

/// The most entries of a list that are shown.
const ITEMS: usize = 20;

/// The whole review.
pub(super) fn render(review: &Review, check: &Check, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    for finding in &review.findings {
        page.finding(finding);
    }
    let (missed, asked): (Vec<_>, Vec<_>) = review.coverage.skipped.iter().partition(|skipped| skipped.incomplete);
    let line = |skipped: &Skipped| format!("{}: {}", skipped.what, skipped.why);
    page.list("not reviewed:", missed.into_iter().map(line).collect());
    page.list("left out as asked:", asked.into_iter().map(line).collect());
    page.list("problems in the configuration:", review.problems.clone());
    page.line(&page.paint(verdict_paint(check.verdict), &summary(review)));
    page.text
}

const BOLD: Paint = Paint::new().bold();

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn finding(&mut self, finding: &Finding) {
        let paint = severity_paint(finding.severity);
        let head = format!("{}[{}]", finding.severity, visible(&finding.rule));
        let width = head.width() + 2;
        let head = format!("{}{} ", self.paint(paint, &head), self.paint(BOLD, ":"));
        self.wrapped(&head, width, 4, &finding.title);
        let gutter = match &finding.location {
            Some(location) => self.place(finding, location, paint),
            None => 1,
        };
        let lead = format!("{} {}", " ".repeat(gutter), self.paint(GUTTER, "="));
        for (name, text) in [("why:", &finding.reason), ("fix:", &finding.fix)] {
            if !text.is_empty() {
                let head = format!("{lead} {} ", self.paint(BOLD, name));
                self.wrapped(&head, gutter + 8, gutter + 8, text);
            }
        }
        let right = finding.location.as_ref().is_some_and(|location| location.side == Side::Right);
        if let Some(replacement) = finding.replacement.as_deref().filter(|_| right) {
            self.line(&format!("{lead} {}", self.paint(BOLD, "instead:")));
            let lines: Vec<_> = replacement.lines().collect();
            for line in lines.iter().take(LINES) {
                let text = excerpt(line, None, self.style.width.saturating_sub(gutter + 3)).text;
                self.line(&format!("{}{text}", " ".repeat(gutter + 3)));
            }
            self.more(gutter + 3, lines.len(), LINES);
        }
        self.line("");
    }

    /// Untrusted lines under a heading; nothing when there are none.
    fn list(&mut self, heading: &str, items: Vec<String>) {
        if items.is_empty() {
            return;
        }
        self.line(&self.paint(BOLD, heading));
        for item in items.iter().take(ITEMS) {
            self.wrapped("  - ", 4, 4, item);
        }
        self.more(4, items.len(), ITEMS);
        self.line("");
    }

    /// Says how many of `all` did not get shown when only `shown` may be.
    fn more(&mut self, indent: usize, all: usize, shown: usize) {
        if all > shown {
            self.line(&format!("{}… {} more", " ".repeat(indent), all - shown));
        }
    }

    /// Path and line, and the lines themselves. Returns the width of the line numbers.
    fn place(&mut self, finding: &Finding, location: &Location, paint: Paint) -> usize {
        let lines: Vec<&str> = finding.evidence.lines().collect();
        let shown = lines.len().min(LINES);
        let number = |index: usize| u64::from(location.start) + index as u64;
        let gutter = number(shown.saturating_sub(1)).to_string().len();
        let column = super::columns(finding).map(|(start, _)| format!(":{start}")).unwrap_or_default();
        let removed = if location.side == Side::Left { " (removed)" } else { "" };
        let arrow = self.paint(GUTTER, "-->");
        self.line(&format!(
            "{}{arrow} {}:{}{column}{removed}",
            " ".repeat(gutter),
            visible(&location.path),
            location.start
        ));
        if lines.is_empty() {
            return gutter;
        }
        let bar = self.paint(GUTTER, "|");
        let blank = " ".repeat(gutter);
        let width = self.style.width.saturating_sub(gutter + 3).max(20);
        self.line(&format!("{blank} {bar}"));
        for (index, line) in lines[..shown].iter().enumerate() {
            let mark = match location.columns {
                Some((start, end)) if index == 0 => Some(start as usize..end as usize),
                None if lines.len() == 1 => Some(line.len() - line.trim_start().len()..line.trim_end().len()),
                _ => None,
            };
            let excerpt = excerpt(line, mark, width);
            let number = self.paint(GUTTER, &format!("{:>gutter$}", number(index)));
            self.line(&format!("{number} {bar} {}", excerpt.text));
            if excerpt.mark_width > 0 {
                let caret = self.paint(paint, &"^".repeat(excerpt.mark_width));
                self.line(&format!("{blank} {bar} {}{caret}", " ".repeat(excerpt.mark_start)));
            }
        }
        self.more(gutter + 3, lines.len(), shown);
        self.line(&format!("{blank} {bar}"));
        gutter
    }

    /// Untrusted text in lines no wider than the page: behind `head`, which is `width` wide, and then indented.
    fn wrapped(&mut self, head: &str, width: usize, indent: usize, text: &str) {
        let (mut line, mut column, mut bare) = (head.to_owned(), width, true);
        for word in text.split_whitespace().map(visible) {
            if !bare && column + 1 + word.width() > self.style.width {
                self.line(&line);
                (line, column, bare) = (" ".repeat(indent), indent, true);
            }
            if !bare {
                line.push(' ');
                column += 1;
            }
            line.push_str(&word);
            (column, bare) = (column + word.width(), false);
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.colour { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }
}

const GUTTER: Paint = fore(AnsiColor::Blue).bold();

const fn fore(colour: AnsiColor) -> Paint {
    colour.on_default()
}

fn severity_paint(severity: Severity) -> Paint {
    match severity {
        Severity::Critical => fore(AnsiColor::Red).bold(),
        Severity::High => fore(AnsiColor::Red),
        Severity::Medium => fore(AnsiColor::Yellow),
        Severity::Low => fore(AnsiColor::Cyan),
        Severity::Info => Paint::new(),
    }
}

fn verdict_paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Success => fore(AnsiColor::Green).bold(),
        Verdict::Failure => fore(AnsiColor::Red).bold(),
        Verdict::Neutral => fore(AnsiColor::Yellow).bold(),
    }
}

/// The review in one line.
fn summary(review: &Review) -> String {
    let Coverage { files, added, removed, models, .. } = &review.coverage;
    let mut found = match review.findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    let counts: Vec<_> = review.counts().into_iter().map(|(severity, count)| format!("{count} {severity}")).collect();
    if !counts.is_empty() {
        found = format!("{found}: {}", counts.join(", "));
    }
    if review.omitted > 0 {
        found = format!("{found}, and {} left out by review.max_findings", review.omitted);
    }
    let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    let head = if review.head == CommitSha::zero() { "the index" } else { review.head.short() };
    let by = match models.as_slice() {
        [] => "analysers only".to_owned(),
        models => format!("analysers and {}", models.join(", ")),
    };
    let effort = review.effort.map(|effort| format!("; effort {effort}")).unwrap_or_default();
    visible(&format!("{found}; {files}, +{added} −{removed}{effort}; reviewed {head} by {by}")).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::Format;
    use crate::report::samples::{check, empty, print, review};

    fn text(review: &Review, width: usize) -> String {
        print(review, &check(review), Format::Text, Style { colour: false, width })
    }

    #[test]
    fn a_review_in_a_pipe() {
        insta::assert_snapshot!(text(&review(), 80), @r#"
        critical[secret/github-token]: GitHub token in the source
          --> src/config with space.rs:14:14
           |
        14 |     let token = "[github-token …wxyz]"; // 日本
           |                 ^^^^^^^^^^^^^^^^^^^
           |
           = why: Who can read the source, now or later in its history, can act as the
                  token's owner until the token is revoked.
           = fix: Revoke the token, then read it from the environment.

        medium[correctness]: off by one
           --> src/lib.rs:99
            |
         99 | for i in 0..=len {
        100 |     visit(items[i]);
            |
            = why: `i` reaches `len`.
            = fix: Use a range that excludes the end.
            = instead:
              for item in items {
                  visit(item);

        low[debug/leftover]: a check is gone
         --> src/lib.rs:7 (removed)
          |
        7 |     assert!(ready);
          |     ^^^^^^^^^^^^^^^
          |
          = why: It guarded the call.
          = fix: Keep it.

        info[tests/missing]: code changed, tests did not
          = why: A change without a test may break unseen.
          = fix: Add one.

        not reviewed:
          - src/big.rs: too large for one model call

        left out as asked:
          - Cargo.lock: left out by review.ignore

        problems in the configuration:
          - .autopr.yml:3:5: unknown key `revew`, did you mean `review`?

        4 findings: 1 critical, 1 medium, 1 low, 1 info, and 2 left out by review.max_findings; 12 files, +120 −30; reviewed abcdef1234 by analysers only
        "#);
    }

    #[test]
    fn a_review_that_found_nothing() {
        let mut review = empty();
        review.coverage.files = 1;
        review.coverage.models = vec!["openai/m-1".to_owned()];
        review.head = CommitSha::zero();
        insta::assert_snapshot!(text(&review, 80), @"no findings; 1 file, +0 −0; reviewed the index by analysers and openai/m-1");
    }

    #[test]
    fn a_review_in_colour() {
        let mut review = review();
        review.findings.truncate(1);
        review.omitted = 0;
        review.coverage.skipped.clear();
        review.problems.clear();
        let page = print(&review, &check(&review), Format::Text, Style { colour: true, width: 100 });
        insta::assert_snapshot!(page.replace('\u{1b}', "ESC"), @r#"
        ESC[1mESC[31mcritical[secret/github-token]ESC[0mESC[1m:ESC[0m GitHub token in the source
          ESC[1mESC[34m-->ESC[0m src/config with space.rs:14:14
           ESC[1mESC[34m|ESC[0m
        ESC[1mESC[34m14ESC[0m ESC[1mESC[34m|ESC[0m     let token = "[github-token …wxyz]"; // 日本
           ESC[1mESC[34m|ESC[0m                 ESC[1mESC[31m^^^^^^^^^^^^^^^^^^^ESC[0m
           ESC[1mESC[34m|ESC[0m
           ESC[1mESC[34m=ESC[0m ESC[1mwhy:ESC[0m Who can read the source, now or later in its history, can act as the token's owner until
                  the token is revoked.
           ESC[1mESC[34m=ESC[0m ESC[1mfix:ESC[0m Revoke the token, then read it from the environment.

        ESC[1mESC[31m1 finding: 1 critical; 12 files, +120 −30; reviewed abcdef1234 by analysers onlyESC[0m
        "#);
    }

    #[test]
    fn a_terminal_is_not_driven_by_what_it_shows() {
        let mut review = review();
        let evil = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}y\r\u{9b}z";
        let finding = &mut review.findings[0];
        for text in
            [&mut finding.rule, &mut finding.title, &mut finding.reason, &mut finding.fix, &mut finding.evidence]
        {
            *text = evil.to_owned();
        }
        finding.location.as_mut().unwrap().path = evil.to_owned();
        review.coverage.skipped[0].what = evil.to_owned();
        review.coverage.models = vec![evil.to_owned()];
        review.problems[0] = evil.to_owned();
        let page = text(&review, 80);
        let drives = page.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert!(!drives, "{page:?}");
    }

    #[test]
    fn a_narrow_page_wraps_and_a_long_list_ends() {
        let mut review = review();
        review.findings.drain(1..);
        review.coverage.skipped = vec![review.coverage.skipped[1].clone(); 23];
        review.problems.clear();
        let page = text(&review, 40);
        let head: Vec<_> = page.lines().take(16).collect();
        insta::assert_snapshot!(head.join("\n"), @r#"
        critical[secret/github-token]: GitHub
            token in the source
          --> src/config with space.rs:14:14
           |
        14 | …et token = "[github-token …wxyz]"…
           |             ^^^^^^^^^^^^^^^^^^^
           |
           = why: Who can read the source, now
                  or later in its history, can
                  act as the token's owner until
                  the token is revoked.
           = fix: Revoke the token, then read it
                  from the environment.

        not reviewed:
          - src/big.rs: too large for one model
        "#);
        assert!(page.contains("\n    … 3 more\n"), "{page}");
    }

    proptest! {
        #[test]
        fn any_location_can_be_shown(evidence in any::<String>(), start in any::<u32>(), columns in any::<Option<(u32, u32)>>(), width in 0..200usize) {
            let mut review = review();
            review.findings[0].evidence = evidence;
            let location = review.findings[0].location.as_mut().unwrap();
            (location.start, location.end, location.columns) = (start, start, columns);
            for format in [Format::Text, Format::Markdown, Format::Json, Format::Sarif] {
                print(&review, &check(&review), format, Style { colour: false, width });
            }
        }
    }
}
