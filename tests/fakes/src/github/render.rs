//! A pull request in text, as a person sees it on its page.

use std::fmt::Write as _;

use super::FakeGitHub;
use super::diff::{File, Side};
use super::look::repository;
use super::state::Pull;
use super::written::{CheckRun, Review, ReviewComment};

/// How many lines of the diff are shown above a comment, as on GitHub's page.
const ABOVE: usize = 3;

impl FakeGitHub {
    /// The pull request in text: description, labels, conversation, reviews with each comment under its lines of the
    /// diff, and the check runs of its head. What is hidden on the page, as markers are, is not shown.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn render(&self, owner: &str, repo: &str, number: u64) -> String {
        let state = self.shared.state();
        let home = repository(&state, owner, repo);
        let pull = home.pull(number).unwrap_or_else(|| panic!("there is no pull request {owner}/{repo}#{number}"));
        let mut page = Page::default();
        page.head(pull);
        for review in &pull.reviews {
            page.review(pull, review);
        }
        for comment in &pull.comments {
            page.rule(&format!("{} commented", comment.author));
            page.text(&comment.body);
            let reactions: Vec<&str> = comment.reactions.iter().map(|(_, content)| sign(content)).collect();
            if !reactions.is_empty() {
                page.line(&format!("[{}]", reactions.join(" ")));
            }
        }
        for check in home.checks.iter().filter(|check| check.head_sha == pull.head()) {
            page.check(check);
        }
        for status in home.statuses.iter().filter(|status| status.sha == pull.head()) {
            page.rule(&format!("Status {}: {}", status.context, status.state));
            page.text(status.description.as_deref().unwrap_or_default());
        }
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        writeln!(self.0, "{}", text.trim_end()).ok();
    }

    fn rule(&mut self, title: &str) {
        self.line("");
        self.line(&format!("──── {title} "));
        self.line("");
    }

    fn text(&mut self, markdown: &str) {
        let shown = visible(markdown);
        shown.trim().lines().for_each(|line| self.line(line));
    }

    fn head(&mut self, pull: &Pull) {
        self.line(&format!("{} #{}", pull.title, pull.number));
        let state = match (pull.open, pull.draft) {
            (false, _) => "Closed",
            (true, true) => "Draft",
            (true, false) => "Open",
        };
        let from = pull.fork.as_ref().map_or_else(String::new, |fork| format!("{fork}:"));
        self.line(&format!("{state}: {} wants to merge {from}{} into {}", pull.author, pull.head_ref, pull.base_ref));
        if !pull.labels.is_empty() {
            self.line(&format!("Labels: {}", pull.labels.join(", ")));
        }
        let body = visible(pull.body.as_deref().unwrap_or_default());
        if !body.trim().is_empty() {
            self.line("");
            self.text(&body);
        }
    }

    fn review(&mut self, pull: &Pull, review: &Review) {
        let verb = match review.state.as_str() {
            "APPROVED" => "approved these changes",
            "CHANGES_REQUESTED" => "requested changes",
            "PENDING" => "has a pending review",
            _ => "reviewed",
        };
        let outdated = if review.commit_id == pull.head() { "" } else { " (an earlier commit)" };
        self.rule(&format!("{} {verb}{outdated}", review.author));
        self.text(&review.body);
        let files = pull.revision(&review.commit_id).map(|revision| revision.files()).unwrap_or_default();
        for comment in &review.comments {
            self.comment(files.iter().find(|file| file.path == comment.path), comment);
        }
    }

    fn comment(&mut self, file: Option<&File>, comment: &ReviewComment) {
        let lines = match comment.start_line {
            Some(start) => format!("lines {start} to {}", comment.line),
            None => format!("line {}", comment.line),
        };
        let side = if comment.side == Side::Left { ", before the change" } else { "" };
        self.line("");
        self.line(&format!("  {} ({lines}{side})", comment.path));
        let found = file.and_then(|file| {
            let (hunk, end) = file.find(comment.line, comment.side)?;
            Some((&file.hunks[hunk], end))
        });
        if let Some((hunk, end)) = found {
            let side = comment.start_side.unwrap_or(comment.side);
            let at = |start| hunk.lines.iter().position(|line| line.number(side) == Some(start));
            let start = comment.start_line.and_then(at).unwrap_or(end);
            for line in &hunk.lines[start.min((end + 1).saturating_sub(ABOVE))..=end] {
                let number = line.number(comment.side).or(line.left).or(line.right);
                let number = number.map_or_else(String::new, |number| number.to_string());
                self.line(&format!("  {number:>5} {}", line.text));
            }
        }
        for line in shown_suggestions(&visible(&comment.body)).trim().lines() {
            self.line(&format!("        │ {line}"));
        }
    }

    fn check(&mut self, check: &CheckRun) {
        let outcome = check.conclusion.as_deref().unwrap_or(&check.status);
        self.rule(&format!("Check {}: {outcome}", check.name));
        if let Some(title) = &check.title {
            self.line(title);
            self.line("");
        }
        self.text(check.summary.as_deref().unwrap_or_default());
        self.text(check.text.as_deref().unwrap_or_default());
        for annotation in &check.annotations {
            let text = |field: &str| annotation[field].as_str().unwrap_or_default();
            self.line(&format!(
                "- {} {}:{} {}",
                text("annotation_level"),
                text("path"),
                annotation["start_line"],
                text("message")
            ));
        }
    }
}

/// Markdown without the comments of HTML, which the page does not show.
fn visible(markdown: &str) -> String {
    let mut shown = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once("<!--") {
        shown.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, behind)| behind);
    }
    shown + rest
}

/// A suggestion is shown as the change it proposes.
fn shown_suggestions(markdown: &str) -> String {
    let mut fence = None;
    let mut shown = String::new();
    for line in markdown.lines() {
        let ticks = line.chars().take_while(|&letter| letter == '`').count();
        match fence {
            None if ticks >= 3 && line[ticks..].trim() == "suggestion" => {
                fence = Some(ticks);
                shown.push_str("Suggested change:\n");
            }
            Some(open) if ticks >= open && line[ticks..].trim().is_empty() => fence = None,
            Some(_) => {
                writeln!(shown, "  + {line}").ok();
            }
            None => {
                writeln!(shown, "{line}").ok();
            }
        }
    }
    shown
}

fn sign(reaction: &str) -> &str {
    match reaction {
        "eyes" => "👀",
        "+1" => "👍",
        "-1" => "👎",
        "confused" => "😕",
        "laugh" => "😄",
        "heart" => "❤️",
        "hooray" => "🎉",
        "rocket" => "🚀",
        other => other,
    }
}
