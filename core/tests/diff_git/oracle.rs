//! The parser, the map and the counts against git and `diffy`.

use std::borrow::Cow;
use std::collections::HashMap;

use autopr_core::diff::{
    Anchored, Change, Claim, Content, Diff, FileDiff, Hunk, LineKind, LineMap, Reason, Side, anchor,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::repository::{self, RawChange, git, output};
use crate::trees::{self, Tree};

/// Ways to find renames, and whether git splits a rewritten file.
const DETECTION: [&[&str]; 4] =
    [&["--no-renames"], &["-M"], &["-M30%", "-C", "--find-copies-harder"], &["-B20%/60%", "-M", "-C"]];

const CONTEXT: [&[&str]; 6] =
    [&[], &["-U0"], &["-U1"], &["-U10", "--patience"], &["-W"], &["--inter-hunk-context=2", "--minimal"]];

const FORM: [&[&str]; 9] = [
    &[],
    &["--binary"],
    &["--full-index"],
    &["--text"],
    &["-R"],
    &["-D"],
    &["--no-prefix"],
    &["--src-prefix=i/", "--dst-prefix=w/"],
    &["--src-prefix=old/", "--dst-prefix=new/"],
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_diff_of_git_is_read_as_git_and_diffy_read_it(
        (old, new) in trees::pair(),
        detection in select(DETECTION.to_vec()),
        context in select(CONTEXT.to_vec()),
        form in select(FORM.to_vec()),
        quote_path in select(vec!["core.quotePath=true", "core.quotePath=false"]),
    ) {
        // Of a rewritten file `-D` leaves out the old lines and their numbers (`@@ -?,? +1,2 @@`): nothing to anchor to.
        let form = if form == ["-D"] && detection.contains(&"-B20%/60%") { [].as_slice() } else { form };
        let directory = tempfile::tempdir().unwrap();
        let run = |how: &[&str], kind: &[&str]| {
            let base: &[&str] = &["-c", quote_path, "diff"];
            output(&mut git(directory.path(), [base, kind, how, &["old", "new", "--"]].concat()))
        };
        output(&mut git(directory.path(), ["init", "-q", "--bare"]));
        repository::import(directory.path(), &old, &new);
        let how = [detection, form].concat();
        let text = run(&[how.as_slice(), context].concat(), &["-p"]);
        // What else prints the patch is left out; how lines are matched stays.
        let matching = context.iter().filter(|option| matches!(**option, "--patience" | "--minimal"));
        let how: Vec<&str> = how.iter().filter(|option| **option != "--binary").chain(matching).copied().collect();
        let changes = repository::raw_changes(&run(&how, &["--raw", "-z"]));
        let numbers = repository::numbers(&run(&how, &["--numstat", "-z"]));
        let (old, new) = if form == ["-R"] { (new, old) } else { (old, new) };

        let diff = Diff::parse(&text).unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&text)));
        prop_assert_eq!(diff.to_bytes(), text.clone());
        check_files(&diff, &changes, &numbers, form == ["--text"]);
        let oracle = check_content(&diff, &old, &new, context != ["-U0"], form == ["-D"]);
        check_map(&diff, &oracle);
    }
}

/// Statuses, paths, modes and numbers are those of `--raw` and `--numstat`. `forced`: the diff was made with `--text`, which
/// `--numstat` does not heed.
pub(crate) fn check_files(diff: &Diff<'_>, changes: &[RawChange], numbers: &[repository::Numbers], forced: bool) {
    assert_eq!(changes.len(), numbers.len());
    let mut files = diff.files.iter();
    for (raw, numbers) in changes.iter().zip(numbers) {
        let file = files.next().unwrap_or_else(|| panic!("no file for {raw:?}"));
        if raw.status == b'T' {
            let added = files.next().unwrap();
            assert_eq!((file.change, added.change), (Change::Deleted, Change::Added));
            assert_eq!(file.path(), added.path());
            assert_eq!((file.old_mode, added.new_mode), (Some(raw.old_mode), Some(raw.new_mode)));
            continue;
        }
        let change = match raw.status {
            b'A' => Change::Added,
            b'D' => Change::Deleted,
            b'R' => Change::Renamed,
            b'C' => Change::Copied,
            _ => Change::Modified,
        };
        assert_eq!(file.change, change, "{raw:?}");
        let old_path = (change != Change::Added).then_some(raw.old_path.as_slice());
        let new_path = (change != Change::Deleted).then_some(raw.new_path.as_slice());
        assert_eq!(file.old_path.as_deref(), old_path);
        assert_eq!(file.new_path.as_deref(), new_path);
        // A pure rename does not tell the modes.
        assert!(file.old_mode.is_none_or(|mode| mode == raw.old_mode), "{file:?} {raw:?}");
        assert!(file.new_mode.is_none_or(|mode| mode == raw.new_mode), "{file:?} {raw:?}");
        let told = file.old_mode.is_some() || file.new_mode.is_some();
        assert!(told || file.similarity == Some(100), "{file:?}");
        match numbers {
            Some((added, removed)) if file.content != Content::None => {
                assert_eq!((file.counts().added, file.counts().removed), (*added, *removed), "{raw:?}");
            }
            Some(_) => {}
            None => assert!(forced || file.hunks().is_empty()),
        }
    }
    assert_eq!(files.next().map(FileDiff::path), None);
}

/// The lines a comment can stand on, by path, side and number, found without our own line numbers.
type Oracle = HashMap<(String, Side), HashMap<u32, Vec<u8>>>;

/// Hunks and lines are those `diffy` finds, and they lead from the old content to the new.
fn check_content(diff: &Diff<'_>, old: &Tree, new: &Tree, apply: bool, irreversible: bool) -> Oracle {
    let content = |tree: &Tree, path: &Option<std::borrow::Cow<'_, [u8]>>| {
        path.as_deref().map(|path| tree[path].content()).unwrap_or_default()
    };
    let mut oracle = Oracle::new();
    for file in &diff.files {
        let (before, after) = (content(old, &file.old_path), content(new, &file.new_path));
        let path = file.path().into_owned();
        oracle.entry((path.clone(), Side::Left)).or_default();
        oracle.entry((path.clone(), Side::Right)).or_default();
        match &file.content {
            Content::Binary(_) => assert_ne!(before, after),
            Content::None => assert!(before == after || irreversible && file.change == Change::Deleted),
            Content::Text(hunks) => {
                assert_eq!(applied(&before, hunks).escape_ascii().to_string(), after.escape_ascii().to_string());
                let parts = hunks.iter().flat_map(|hunk| [hunk.header(), hunk.body()]);
                let text: Vec<u8> =
                    [b"--- a\n+++ b\n".as_slice()].into_iter().chain(parts).collect::<Vec<_>>().concat();
                let patch = diffy::Patch::from_bytes(&text).unwrap();
                if apply {
                    assert_eq!(diffy::apply_bytes(&before, &patch).unwrap(), after);
                }
                assert_eq!(patch.hunks().len(), hunks.len());
                for (theirs, ours) in patch.hunks().iter().zip(hunks) {
                    same_hunk(theirs, ours);
                    for (side, range, content) in
                        [(Side::Left, theirs.old_range(), &before), (Side::Right, theirs.new_range(), &after)]
                    {
                        let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
                        let known = oracle.entry((path.clone(), side)).or_default();
                        known.extend(range.range().map(|number| (number as u32, lines[number - 1].to_vec())));
                    }
                }
            }
        }
    }
    oracle
}

fn same_hunk(theirs: &diffy::Hunk<'_, [u8]>, ours: &Hunk<'_>) {
    let range = |range: diffy::HunkRange| (range.start() as u32, range.len() as u32);
    assert_eq!(range(theirs.old_range()), (ours.old.start, ours.old.count));
    assert_eq!(range(theirs.new_range()), (ours.new.start, ours.new.count));
    let theirs = theirs.lines().iter().map(|line| match line {
        diffy::Line::Context(text) => (LineKind::Context, text.to_vec()),
        diffy::Line::Delete(text) => (LineKind::Removed, text.to_vec()),
        diffy::Line::Insert(text) => (LineKind::Added, text.to_vec()),
    });
    let ours = ours.lines().map(|line| (line.kind, with_end(line.text, line.newline)));
    assert_eq!(theirs.collect::<Vec<_>>(), ours.collect::<Vec<_>>());
}

/// The old content after the hunks, which must agree with it on every context and removed line.
fn applied(before: &[u8], hunks: &[Hunk<'_>]) -> Vec<u8> {
    let lines: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let (mut at, mut after) = (0, Vec::new());
    for hunk in hunks {
        let start = hunk.old.start as usize - usize::from(hunk.old.count > 0);
        after.extend_from_slice(&lines[at..start].concat());
        at = start;
        for line in hunk.lines() {
            let text = with_end(line.text, line.newline);
            if line.kind != LineKind::Added {
                assert_eq!(line.old, Some(at as u32 + 1));
                assert_eq!(lines[at], text);
                at += 1;
            }
            if line.kind != LineKind::Removed {
                after.extend_from_slice(&text);
            }
        }
    }
    after.extend_from_slice(&lines[at..].concat());
    after
}

fn with_end(text: &[u8], newline: bool) -> Vec<u8> {
    if newline { [text, b"\n"].concat() } else { text.to_vec() }
}

/// The map accepts exactly the lines of the hunks, with their text, and a quote of any line finds it.
fn check_map(diff: &Diff<'_>, oracle: &Oracle) {
    let map = LineMap::new(diff);
    for ((path, side), known) in oracle {
        assert!(map.has_file(path));
        let last = known.keys().max().copied().unwrap_or(0);
        for number in (0..last + 4).chain([u32::MAX]) {
            let text = known.get(&number).map(Vec::as_slice);
            assert_eq!(map.line(path, *side, number), text, "{path} {side:?} {number}");
            assert_eq!(map.contains(path, *side, number), text.is_some());
            assert!(!map.contains("no such file", *side, number));
            let hunk = map.hunk(path, *side, number);
            for end in [number, number.saturating_add(1), number.saturating_add(7)] {
                let all = (number..=end.min(last + 9))
                    .all(|line| map.hunk(path, *side, line).is_some_and(|h| Some(h) == hunk));
                assert_eq!(map.same_hunk(path, *side, number, end), hunk.is_some() && all && end <= last);
            }
        }
        for (number, text) in known {
            let Ok(quote) = std::str::from_utf8(text) else { continue };
            let claim =
                Claim { path: path.clone(), side: *side, start: *number, end: *number, quote: quote.to_owned() };
            match anchor(&map, &claim, as_it_is) {
                Anchored::Exact(place) => assert_eq!(map.line(path, place.side, place.start), Some(text.as_slice())),
                other => {
                    assert!(quote.trim().is_empty());
                    assert_eq!(other, Anchored::Demoted(Reason::NoQuote));
                }
            }
        }
    }
}

/// Lines are quoted as they stand.
fn as_it_is(text: &str) -> Cow<'_, str> {
    text.into()
}
