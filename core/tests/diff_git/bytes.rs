//! Bytes of any kind: the parser answers, and what it accepts it can print.

use autopr_core::diff::{Diff, LineKind, LineMap, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Lines a diff is made of, whole and damaged.
const LINES: [&str; 40] = [
    "diff --git a/x b/x",
    "diff --git \"a/\\303\\251\" \"b/\\303\\251\"",
    "diff --git \"a/x",
    "diff --git a/x b/x b/x b/x",
    "diff --git ",
    "diff --cc x",
    "index 1234567..89abcde 100644",
    "index 1,2..3",
    "old mode 100644",
    "new mode 100755",
    "new mode 9",
    "new file mode 100644",
    "deleted file mode 120000",
    "rename from x",
    "rename to \"\\t\"",
    "copy from x",
    "copy to y",
    "similarity index 100%",
    "dissimilarity index 1%",
    "Binary files a/x and b/x differ",
    "GIT binary patch",
    "literal 3",
    "delta 3",
    "KcmZQz",
    "--- a/x",
    "+++ b/x",
    "--- /dev/null",
    "+++ /dev/null",
    "--- x\t2026-01-01",
    "@@ -1 +1 @@",
    "@@ -1,2 +1,2 @@ f",
    "@@ -0,0 +1,2 @@",
    "@@ -4294967295,0 +4294967290,5 @@",
    "-- ",
    "-old",
    "+new",
    " same",
    "\\ No newline at end of file",
    "\r",
    "",
];

/// A diff with a bit of everything, to be damaged.
const WHOLE: &str = "\
commit 1\n\ndiff --git a/x y b/x y\nold mode 100644\nnew mode 100755\nindex 1234567..89abcde\n--- a/x y\t\n+++ b/x y\t\n\
@@ -1,3 +1,3 @@ f\n one\r\n-two\n+zwei\n three\n\\ No newline at end of file\n@@ -10,0 +11 @@\n+ten\n\
diff --git \"a/\\303\\251\" \"b/\\303\\251\"\nnew file mode 100644\nindex 0000000..1234567\nGIT binary patch\nliteral 3\nKcmZQz\n\n\
literal 0\nHcmV?d00001\n\ndiff --git a/p b/q\nsimilarity index 90%\nrename from p\nrename to q\nindex 1..2 160000\n--- a/p\n+++ b/q\n\
@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n-- \n2.47\n";

fn check(text: &[u8]) {
    let diff = match Diff::parse(text) {
        Ok(diff) => diff,
        Err(error) => {
            assert!(error.offset <= text.len());
            assert!(error.offset == 0 || error.offset == text.len() || text[error.offset - 1] == b'\n');
            assert_eq!(error.line, text[..error.offset].iter().filter(|byte| **byte == b'\n').count() + 1);
            assert!(error.to_string().chars().all(|c| !c.is_control()), "{error}");
            return;
        }
    };
    assert_eq!(diff.to_bytes(), text);
    let map = LineMap::new(&diff);
    for file in &diff.files {
        assert!(!file.path().is_empty());
        for hunk in file.hunks() {
            let of = |kind| hunk.lines().filter(|line| line.kind == kind).count() as u32;
            let context = of(LineKind::Context);
            assert_eq!(
                (hunk.old.count, hunk.new.count),
                (context + of(LineKind::Removed), context + of(LineKind::Added))
            );
            assert_eq!((hunk.counts().added, hunk.counts().removed), (of(LineKind::Added), of(LineKind::Removed)));
            for side in [Side::Left, Side::Right] {
                let span = hunk.span(side);
                let numbers = hunk.side_lines(side).map(|line| line.number(side).unwrap());
                assert!(numbers.eq((0..span.count).map(|offset| span.start + offset)));
                assert!(span.count == 0 || map.contains(&file.path(), side, span.start + span.count - 1));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..300)) {
        check(&bytes);
        check(&[b"diff --git ".as_slice(), &bytes].concat());
        check(&[b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n".as_slice(), &bytes].concat());
    }

    #[test]
    fn any_lines_of_diffs_are_answered(lines in vec(select(LINES.to_vec()), 0..24), end in select(vec!["", "\n", "\r\n"])) {
        check(format!("{}{end}", lines.join("\n")).as_bytes());
    }

    #[test]
    fn any_damage_is_answered(changes in vec((any::<Index>(), 0..6_u8, any::<u8>(), select(LINES.to_vec())), 1..5)) {
        let mut text = WHOLE.as_bytes().to_vec();
        check(&text);
        for (at, how, byte, line) in changes {
            let at = at.index(text.len().max(1)).min(text.len());
            let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1);
            match how {
                0 => text.truncate(at),
                1 => drop(text.splice(at..at, [byte])),
                2 => drop(text.splice(at..(at + 1).min(text.len()), [byte])),
                3 => drop(text.splice(start..end, [])),
                4 => drop(text.splice(start..start, line.bytes().chain([b'\n']))),
                _ => {
                    let copy = text[start..end].to_vec();
                    drop(text.splice(start..start, copy));
                }
            }
            check(&text);
        }
    }
}
