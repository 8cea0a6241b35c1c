//! Which lines the map knows, which remarks may stand on them, and what is said of the others.

use std::borrow::Cow;

use autopr_core::diff::{Anchored, Claim, Diff, LineMap, Side, anchor};

const DIFF: &str = "\
diff --git a/src/old.rs b/src/new.rs
similarity index 80%
rename from src/old.rs
rename to src/new.rs
index 1234567..89abcde 100644
--- a/src/old.rs
+++ b/src/new.rs
@@ -10,6 +10,8 @@ fn first() {
 fn first() {
-    let total = 1;
+    let total = 2;\r
+
+    let shown = total;
 }
 same line
 same line
 once here
@@ -40,3 +42,4 @@ fn last() {
-    let gone = 1;
+    let come = 1;
+    let total = 1;
 }
 fn tail()
diff --git a/logo.png b/logo.png
index 1234567..89abcde 100644
Binary files a/logo.png and b/logo.png differ
";

/// What becomes of the claim that `quote` stands on these lines of `src/new.rs`.
fn place(side: Side, lines: (u32, u32), quote: &str) -> String {
    place_in("src/new.rs", side, lines, quote)
}

fn place_in(path: &str, side: Side, (start, end): (u32, u32), quote: &str) -> String {
    let diff = Diff::parse(DIFF.as_bytes()).unwrap();
    let claim = Claim { path: path.to_owned(), side, start, end, quote: quote.to_owned() };
    let (word, location) = match anchor(&LineMap::new(&diff), &claim, as_it_is) {
        Anchored::Exact(location) => ("exact", location),
        Anchored::Moved(location) => ("moved", location),
        Anchored::Demoted(reason) => return reason.to_string(),
    };
    assert_eq!((location.path.as_str(), location.columns), (path, None));
    format!("{word}: {:?} {} to {}", location.side, location.start, location.end).to_lowercase()
}

const LEFT: Side = Side::Left;
const RIGHT: Side = Side::Right;

#[test]
fn evidence_on_its_line_stands() {
    assert_eq!(place(RIGHT, (11, 11), "    let total = 2;"), "exact: right 11 to 11");
    assert_eq!(
        place(RIGHT, (11, 11), "\tlet total = 2; \r\n"),
        "exact: right 11 to 11",
        "white space around does not count"
    );
    assert_eq!(place(LEFT, (11, 11), "let total = 1;"), "exact: left 11 to 11", "a removed line, under the new path");
    assert_eq!(place(RIGHT, (11, 13), "let total = 2;\n\nlet shown = total;"), "exact: right 11 to 13");
    assert_eq!(
        place(RIGHT, (12, 13), "let shown = total;"),
        "exact: right 12 to 13",
        "an empty line at the end of the range"
    );
    assert_eq!(place(RIGHT, (14, 14), "}"), "exact: right 14 to 14", "a short quote may stand where it was claimed");
    assert_eq!(place(RIGHT, (16, 16), "same line"), "exact: right 16 to 16", "though it stands in another place too");
}

#[test]
fn unchanged_lines_are_on_the_right() {
    assert_eq!(place(LEFT, (15, 15), "once here"), "exact: right 17 to 17");
    assert_eq!(place(LEFT, (12, 13), "}\nsame line"), "exact: right 14 to 15");
    assert_eq!(
        place(LEFT, (11, 12), "let total = 1;\n}"),
        "exact: left 11 to 12",
        "unless a removed line is among them"
    );
    assert_eq!(place(LEFT, (99, 99), "once here"), "moved: right 17 to 17");
    assert_eq!(place(LEFT, (99, 99), "let total = 1;\n}"), "moved: left 11 to 12");
}

#[test]
fn evidence_that_stands_in_one_other_place_moves_there() {
    assert_eq!(place(RIGHT, (12, 12), "let shown = total;"), "moved: right 13 to 13");
    assert_eq!(place(RIGHT, (1, 1), "let gone = 1;"), "moved: left 40 to 40", "on the other side");
    assert_eq!(place(LEFT, (1, 1), "let total = 1;"), "moved: left 11 to 11", "the claimed side first");
    assert_eq!(place(RIGHT, (1, 1), "let total = 1;"), "moved: right 43 to 43", "the claimed side first");
    assert_eq!(place(RIGHT, (0, 0), "let come = 1;\nlet total = 1;\n"), "moved: right 42 to 43");
    assert_eq!(place(RIGHT, (14, 11), "same line\nsame line\nonce here"), "moved: right 15 to 17");
    assert_eq!(place(RIGHT, (17, 42), "once here"), "moved: right 17 to 17", "a range that leaves its hunk");
    assert_eq!(place(RIGHT, (1, u32::MAX), "once here"), "moved: right 17 to 17");
}

#[test]
fn other_evidence_is_demoted_with_the_reason() {
    insta::assert_snapshot!(place(RIGHT, (11, 11), ""), @"no evidence was quoted");
    insta::assert_snapshot!(place(RIGHT, (12, 12), " \r\n\t\n"), @"no evidence was quoted");
    insta::assert_snapshot!(place(RIGHT, (12, 12), "\u{a0}"), @"no evidence was quoted");
    insta::assert_snapshot!(place(RIGHT, (11, 11), "let total = 3;"), @"the quoted text does not occur in the change");
    insta::assert_snapshot!(place(RIGHT, (11, 11), "once here\nlet come = 1;"), @"the quoted text does not occur in the change");
    insta::assert_snapshot!(place(RIGHT, (11, 11), "same line"), @"the quoted text occurs 2 times in the change, but not on the line named");
    insta::assert_snapshot!(place(RIGHT, (11, 11), "}"), @"the quoted text does not stand on the line named and is too short to be looked for");
    insta::assert_snapshot!(place(RIGHT, (11, 11), "});"), @"the quoted text does not stand on the line named and is too short to be looked for");
    insta::assert_snapshot!(place_in("src/old.rs", LEFT, (11, 11), "let total = 1;"), @"the file is not part of the change");
    insta::assert_snapshot!(place_in("logo.png", RIGHT, (1, 1), "let total = 1;"), @"the file has no lines in the change: it is binary, or only its name or mode changed");
}

#[test]
fn overlapping_places_are_counted() {
    let text = "--- a/x\n+++ b/x\n@@ -0,0 +1,5 @@\n+aa\n+aa\n+aa\n+bb\n+aa\n";
    let diff = Diff::parse(text.as_bytes()).unwrap();
    let claim = |quote: &str| Claim { path: "x".to_owned(), side: RIGHT, start: 9, end: 9, quote: quote.to_owned() };
    let reason = |quote: &str| match anchor(&LineMap::new(&diff), &claim(quote), as_it_is) {
        Anchored::Moved(place) => format!("{} to {}", place.start, place.end),
        other => format!("{other:?}"),
    };
    assert_eq!(reason("aa\naa"), "Demoted(Ambiguous(2))");
    assert_eq!(reason("aa\naa\nbb"), "2 to 4");
    assert_eq!(reason("aa\nbb\naa"), "3 to 5");
}

#[test]
fn lines_are_found_in_hunks_that_touch() {
    let text = "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n+b\n+c\n@@ -1,0 +3 @@\n+d\n@@ -2,2 +4 @@\n-e\n-f\n+g\n";
    let diff = Diff::parse(text.as_bytes()).unwrap();
    let map = LineMap::new(&diff);
    let lines = |side| (0..6).map(|number| map.line("x", side, number)).collect::<Vec<_>>();
    let some = |text: &'static str| Some(text.as_bytes());
    assert_eq!(lines(Side::Left), [None, some("a"), some("e"), some("f"), None, None]);
    assert_eq!(lines(Side::Right), [None, some("b"), some("c"), some("d"), some("g"), None]);
    assert!(map.same_hunk("x", Side::Left, 2, 3));
    assert!(!map.same_hunk("x", Side::Left, 1, 2));
    assert!(!map.same_hunk("x", Side::Left, 3, 2));
}

/// Lines are quoted as they stand.
fn as_it_is(text: &str) -> Cow<'_, str> {
    text.into()
}
