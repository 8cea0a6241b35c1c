//! Leaked secrets: vendors' token formats, private keys, and random values given to a secret's name.

mod check;
mod entropy;
mod format;
mod formats;
mod pem;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use crate::review::Severity;

use super::evidence::Mask;
use super::file::File;
use super::finding::{Findings, Hit};
use super::rule::Rule;
use format::Format;
use formats::FORMATS;

/// The rule for values that only look random.
const GENERIC: Rule = Rule {
    id: "secret/high-entropy",
    severity: Severity::Medium,
    title: "Value that looks like a secret",
    reason: "The name speaks of a secret and the value looks random; in a repository everybody can read it.",
    fix: "Replace the secret and read it from the environment or a secret store; if it is none, rename it or silence the rule.",
};

/// The rules of this family.
pub(super) fn rules() -> impl Iterator<Item = Rule> {
    FORMATS.iter().map(|format| format.rule).chain([GENERIC])
}

/// Looks for secrets in the added lines of a file. What comes back are the masks for all lines shown, so that no
/// other rule's evidence repeats a secret.
pub(super) fn check(file: &File<'_>, findings: &mut Findings) -> BTreeMap<usize, Vec<Mask>> {
    let (rows, lines): (Vec<usize>, Vec<&[u8]>) = file.shown().map(|(row, line)| (row, line.text)).unzip();
    let mut masks: BTreeMap<usize, Vec<Mask>> = BTreeMap::new();
    for secret in scan(&lines) {
        let Some(row) = rows.get(secret.line).copied() else { continue };
        masks.entry(row).or_default().push(secret.mask(lines[secret.line]));
        if secret.reported
            && file.rows[row].is_added()
            && let Some(severity) = severity(secret.rule, file)
        {
            findings.add(Hit::new(secret.rule, row, secret.range).severity(severity));
        }
    }
    masks
}

/// Tests and documentation need values that look real; a guess there is not worth anybody's time.
fn severity(rule: &Rule, file: &File<'_>) -> Option<Severity> {
    let soft = file.kind.is_soft();
    if rule.id == GENERIC.id {
        return (!soft && !file.kind.generated && !file.kind.locale).then_some(rule.severity);
    }
    Some(match rule.severity {
        severity if !soft => severity,
        // Keys made for a test are the rule there, not the exception.
        _ if rule.id == "secret/private-key" || rule.id == "secret/jwt" => Severity::Info,
        Severity::Critical => Severity::Medium,
        Severity::High => Severity::Low,
        _ => Severity::Info,
    })
}

/// Replaces the secrets in a text of any number of lines.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let lines: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b'\n').collect();
    let secrets = scan(&lines);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut starts = Vec::with_capacity(lines.len());
    let mut at = 0;
    for line in &lines {
        starts.push(at);
        at += line.len() + 1;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secrets {
        let mask = secret.mask(lines[secret.line]);
        let start = starts[secret.line] + mask.range.start;
        // A secret is ASCII, so its ends are character boundaries.
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str(&mask.placeholder);
        done = starts[secret.line] + mask.range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// A secret's place. It never holds the value.
#[derive(Debug)]
struct Secret {
    line: usize,
    range: Range<usize>,
    rule: &'static Rule,
    kind: &'static str,
    /// Whether the last characters may be shown.
    tail: bool,
    /// False for the further lines of a secret that was reported on its first.
    reported: bool,
}

impl Secret {
    /// Takes in another that overlaps: all of both is hidden, and the more severe one, or else the longer, is named.
    fn join(&mut self, other: Self) {
        let whole = self.range.start.min(other.range.start)..self.range.end.max(other.range.end);
        if (other.rule.severity, other.range.len()) > (self.rule.severity, self.range.len()) {
            *self = other;
        }
        self.range = whole;
    }

    fn mask(&self, line: &[u8]) -> Mask {
        let value = &line[self.range.clone()];
        let shown = match value.len() {
            _ if !self.tail => 0,
            20.. => 4,
            12.. => 2,
            _ => 0,
        };
        let tail = String::from_utf8_lossy(&value[value.len() - shown..]);
        let placeholder =
            if tail.is_empty() { format!("[{}]", self.kind) } else { format!("[{} …{tail}]", self.kind) };
        Mask { range: self.range.clone(), placeholder }
    }
}

/// All secrets in `lines`, by line and place, without overlaps.
fn scan(lines: &[&[u8]]) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for key in pem::find(lines) {
        for (part, (line, range)) in key.into_iter().enumerate() {
            let (rule, kind) = (&private_key().rule, private_key().kind());
            secrets.push(Secret { line, range, rule, kind, tail: false, reported: part == 0 });
        }
    }
    for (index, line) in lines.iter().enumerate() {
        scan_line(index, line, &mut secrets);
    }
    aws_companions(lines, &mut secrets);
    secrets.sort_by_key(|secret| (secret.line, secret.range.start));
    let mut kept: Vec<Secret> = Vec::with_capacity(secrets.len());
    for secret in secrets {
        match kept.last_mut().filter(|last| last.line == secret.line && secret.range.start < last.range.end) {
            Some(last) => last.join(secret),
            None => kept.push(secret),
        }
    }
    kept
}

fn scan_line(index: usize, line: &[u8], secrets: &mut Vec<Secret>) {
    let Some(prefilter) = &*PREFILTER else { return };
    // A line made to hold a literal at every step would cost its length times the window's; so the work is bounded.
    let mut budget = (1 << 20) + 64 * line.len();
    for hit in prefilter.literals.find_overlapping_iter(line) {
        let which = prefilter.formats[hit.pattern().as_usize()];
        let format = &FORMATS[which];
        if prefilter.starts[which] && !starts_alone(line, hit.start()) {
            continue;
        }
        let cost = format.ahead.min(line.len() - hit.start());
        if cost > budget {
            break;
        }
        budget -= cost;
        if let Some(range) = prefilter.find(which, line, hit.start()) {
            let (rule, kind, tail) = (&format.rule, format.kind(), format.tail);
            secrets.push(Secret { line: index, range, rule, kind, tail, reported: true });
        }
    }
    for range in entropy::find(line) {
        secrets.push(Secret { line: index, range, rule: &GENERIC, kind: "secret", tail: true, reported: true });
    }
}

/// An AWS secret key has no prefix of its own; within three lines of an access key id forty characters of base 64 are one.
fn aws_companions(lines: &[&[u8]], secrets: &mut Vec<Secret>) {
    let ids: Vec<usize> = secrets.iter().filter(|s| s.rule.id == "secret/aws-access-key-id").map(|s| s.line).collect();
    let Some(key) = FORMATS.iter().find(|format| format.rule.id == "secret/aws-secret-key") else { return };
    let mut next = 0;
    for id in ids {
        let near = id.saturating_sub(3).max(next)..(id + 4).min(lines.len());
        next = near.end.max(next);
        for index in near {
            let mut start = 0;
            for word in lines[index].split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))) {
                let range = start..start + word.len();
                start = range.end + 1;
                if word.len() == 40 && check::aws_secret(lines[index], range.clone()) {
                    let (rule, kind) = (&key.rule, key.kind());
                    secrets.push(Secret { line: index, range, rule, kind, tail: true, reported: true });
                }
            }
        }
    }
}

fn private_key() -> &'static Format {
    static FORMAT: LazyLock<&'static Format> =
        LazyLock::new(|| FORMATS.iter().find(|format| format.rule.id == "secret/private-key").unwrap_or(&FORMATS[0]));
    &FORMAT
}

/// Finds where a pattern is worth trying. A pattern is compiled when its literal first turns up, so that a change
/// without anything suspicious costs neither the time nor the memory of some fifty regular expressions.
struct Prefilter {
    literals: AhoCorasick,
    /// The format each literal belongs to.
    formats: Vec<usize>,
    /// By format: whether its secrets begin with the literal.
    starts: Vec<bool>,
    patterns: Vec<OnceLock<Option<Regex>>>,
}

static PREFILTER: LazyLock<Option<Prefilter>> = LazyLock::new(|| {
    let pairs =
        || FORMATS.iter().enumerate().flat_map(|(which, format)| format.literals.iter().map(move |l| (which, *l)));
    Some(Prefilter {
        literals: AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .build(pairs().map(|(_, literal)| literal))
            .ok()?,
        formats: pairs().map(|(which, _)| which).collect(),
        starts: FORMATS.iter().map(|format| format.behind == 0 && !format.pattern.contains("(?P<")).collect(),
        patterns: FORMATS.iter().map(|_| OnceLock::new()).collect(),
    })
});

impl Prefilter {
    /// The secret of format `which` around the literal at `at`.
    fn find(&self, which: usize, line: &[u8], at: usize) -> Option<Range<usize>> {
        let format = &FORMATS[which];
        let from = at.saturating_sub(format.behind);
        let window = &line[from..line.len().min(at + format.ahead)];
        let pattern = self.patterns[which].get_or_init(|| compile(format)).as_ref()?;
        let groups = pattern.captures(window)?;
        let whole = groups.get(0)?;
        let secret = groups.iter().skip(1).flatten().next().unwrap_or(whole);
        let range = from + secret.start()..from + secret.end();
        (stands_alone(line, &range) && (format.check)(line, range.clone())).then_some(range)
    }
}

fn compile(format: &Format) -> Option<Regex> {
    let start = if format.behind == 0 { "^" } else { "" };
    RegexBuilder::new(&format!("{start}(?:{})", format.pattern)).unicode(false).dfa_size_limit(1 << 18).build().ok()
}

/// A token is no part of a longer word.
fn stands_alone(line: &[u8], range: &Range<usize>) -> bool {
    starts_alone(line, range.start) && !line.get(range.end).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether no word runs into `start`. A written-out `\n` or `\t` before it is a boundary too.
fn starts_alone(line: &[u8], start: usize) -> bool {
    match &line[..start] {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => !last.is_ascii_alphanumeric(),
        [] => true,
    }
}
