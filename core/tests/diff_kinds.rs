//! Every kind of diff git and GitHub produce, one example each, and what the parser makes of it.

use std::fmt::Write;

use autopr_core::diff::{Content, Diff, FileDiff, Line, LineKind, path_bytes};

/// What a reader would want to know of each file, one line each; the text must print again as it was.
fn show(text: impl AsRef<[u8]>) -> String {
    let text = text.as_ref();
    let diff = Diff::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(diff.to_bytes().escape_ascii().to_string(), text.escape_ascii().to_string());
    let mut written = Vec::new();
    diff.write_to(&mut written).unwrap();
    assert_eq!(written, text);

    let mut shown = String::new();
    if !diff.preamble.is_empty() {
        writeln!(shown, "preamble of {} bytes", diff.preamble.len()).unwrap();
    }
    for file in &diff.files {
        writeln!(shown, "{}", show_file(file)).unwrap();
    }
    shown
}

fn show_file(file: &FileDiff<'_>) -> String {
    let name = |path: &Option<std::borrow::Cow<'_, [u8]>>| match path {
        Some(path) => path.escape_ascii().to_string(),
        None => "none".to_owned(),
    };
    let mode = |mode: Option<u32>| mode.map_or("?".to_owned(), |mode| format!("{mode:06o}"));
    let content = match &file.content {
        Content::None => "no content".to_owned(),
        Content::Binary(raw) => format!("binary of {} bytes", raw.len()),
        Content::Text(hunks) => format!("{} hunks", hunks.len()),
    };
    let mut shown = format!("{:?} {} -> {}", file.change, name(&file.old_path), name(&file.new_path)).to_lowercase();
    write!(shown, ", {} -> {}, {content}", mode(file.old_mode), mode(file.new_mode)).unwrap();
    let counts = file.counts();
    write!(shown, ", +{} -{}", counts.added, counts.removed).unwrap();
    assert_eq!(counts.added as usize, file.added().count());
    assert_eq!(counts.removed as usize, file.lines().filter(|line| line.kind == LineKind::Removed).count());
    if let Some(similarity) = file.similarity {
        write!(shown, ", {similarity} % alike").unwrap();
    }
    for (word, holds) in [("submodule", file.is_submodule()), ("link", file.is_link())] {
        if holds {
            write!(shown, ", {word}").unwrap();
        }
    }
    if !file.trailer().is_empty() {
        write!(shown, ", then {} bytes", file.trailer().len()).unwrap();
    }
    shown
}

#[test]
fn a_changed_file() {
    insta::assert_snapshot!(show("\
diff --git a/src/a.rs b/src/a.rs
index 1234567..89abcde 100644
--- a/src/a.rs
+++ b/src/a.rs
@@ -1,3 +1,4 @@ fn main() {
 one
-two
+zwei
+drei
 three
@@ -10 +11 @@
-ten
+zehn
"), @"modified src/a.rs -> src/a.rs, 100644 -> 100644, 2 hunks, +3 -2");
}

#[test]
fn the_lines_of_a_hunk_carry_their_numbers() {
    let diff = Diff::parse(
        b"--- a/x\n+++ b/x\n@@ -3,3 +3,3 @@ fn f\n same\r\n-old\n\\ No newline at end of file\n+new\n+\n\n",
    )
    .unwrap_err();
    assert_eq!(diff.line, 9, "an empty line beyond the counts of the hunk is no context: {diff}");

    let diff =
        Diff::parse(b"--- a/x\n+++ b/x\n@@ -3,3 +3,4 @@ fn f\n same\r\n-old\n+new\n+\n\n\\ Kein Zeilenumbruch\n")
            .unwrap();
    let hunk = diff.files[0].hunks()[0];
    assert_eq!(hunk.section, b"fn f");
    let line = |kind, text, old, new, newline| Line { kind, text, old, new, newline };
    let expected = [
        line(LineKind::Context, b"same\r".as_slice(), Some(3), Some(3), true),
        line(LineKind::Removed, b"old", Some(4), None, true),
        line(LineKind::Added, b"new", None, Some(4), true),
        line(LineKind::Added, b"", None, Some(5), true),
        line(LineKind::Context, b"", Some(5), Some(6), false),
    ];
    assert_eq!(hunk.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn new_deleted_and_empty_files() {
    insta::assert_snapshot!(show("\
diff --git a/new b/new
new file mode 100755
index 0000000..1234567
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+one
diff --git a/gone b/gone
deleted file mode 100644
index 1234567..0000000
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-one
\\ No newline at end of file
diff --git a/empty file b/empty file
new file mode 100644
index 0000000..e69de29
diff --git a/emptied b/emptied
deleted file mode 100644
index e69de29..0000000
"), @"
    added none -> new, ? -> 100755, 1 hunks, +1 -0
    deleted gone -> none, 100644 -> ?, 1 hunks, +0 -1
    added none -> empty file, ? -> 100644, no content, +0 -0
    deleted emptied -> none, 100644 -> ?, no content, +0 -0
    ");
}

#[test]
fn renames_copies_and_modes() {
    insta::assert_snapshot!(show("\
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git a/x.txt b/dir/x y.txt
old mode 100644
new mode 100755
similarity index 66%
rename from x.txt
rename to dir/x y.txt
index 1234567..89abcde
--- a/x.txt
+++ b/dir/x y.txt\t
@@ -2 +2 @@
-a
+b
diff --git a/x b/y
similarity index 91%
copy from x
copy to y
index 1234567..89abcde 100644
--- a/x
+++ b/y
@@ -2 +2 @@
-a
+b
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
"), @"
    renamed old name -> new name, ? -> ?, no content, +0 -0, 100 % alike
    renamed x.txt -> dir/x y.txt, 100644 -> 100755, 1 hunks, +1 -1, 66 % alike
    copied x -> y, 100644 -> 100644, 1 hunks, +1 -1, 91 % alike
    modified run.sh -> run.sh, 100644 -> 100755, no content, +0 -0
    ");
}

#[test]
fn a_rewritten_file_says_so() {
    insta::assert_snapshot!(show("\
diff --git a/x b/x
dissimilarity index 95%
index 1234567..89abcde 100644
--- a/x
+++ b/x
@@ -1 +1 @@
-a
+b
"), @"modified x -> x, 100644 -> 100644, 1 hunks, +1 -1");
}

#[test]
fn binary_files() {
    insta::assert_snapshot!(show("\
diff --git a/logo.png b/logo.png
index 1234567..89abcde 100644
Binary files a/logo.png and b/logo.png differ
diff --git a/a and b b/a and b
new file mode 100644
index 0000000..89abcde
Binary files /dev/null and b/a and b differ
diff --git a/data.bin b/data.bin
index 27f88af..f2ba8f8 100644
GIT binary patch
delta 6
Ncmb=Sn_zXd0RRVW0S5p8

delta 6
Ncmb=Qo?vwd0RRVQ0R;d6

diff --git a/next b/next
old mode 100644
new mode 100755
"), @"
    modified logo.png -> logo.png, 100644 -> 100644, binary of 46 bytes, +0 -0
    added none -> a and b, ? -> 100644, binary of 44 bytes, +0 -0
    modified data.bin -> data.bin, 100644 -> 100644, binary of 79 bytes, +0 -0
    modified next -> next, 100644 -> 100755, no content, +0 -0
    ");
}

#[test]
fn submodules_and_changes_of_type() {
    insta::assert_snapshot!(show("\
diff --git a/vendor/lib b/vendor/lib
index 1111111..2222222 160000
--- a/vendor/lib
+++ b/vendor/lib
@@ -1 +1 @@
-Subproject commit 1111111111111111111111111111111111111111
+Subproject commit 2222222222222222222222222222222222222222
diff --git a/link b/link
deleted file mode 100644
index 1234567..0000000
--- a/link
+++ /dev/null
@@ -1 +0,0 @@
-text
diff --git a/link b/link
new file mode 120000
index 0000000..1234567
--- /dev/null
+++ b/link
@@ -0,0 +1 @@
+target
\\ No newline at end of file
"), @"
    modified vendor/lib -> vendor/lib, 160000 -> 160000, 1 hunks, +1 -1, submodule
    deleted link -> none, 100644 -> ?, 1 hunks, +0 -1
    added none -> link, ? -> 120000, 1 hunks, +1 -0, link
    ");
}

#[test]
fn quoted_paths_and_paths_that_look_like_two() {
    insta::assert_snapshot!(show(b"\
diff --git \"a/tab\\tquote\\\"back\\\\\\303\\251\\377\" \"b/tab\\tquote\\\"back\\\\\\303\\251\\377\"
old mode 100644
new mode 100755
diff --git a/x b/x b/x b/x
old mode 100644
new mode 100755
diff --git \"a/new\\nline x\" \"b/new\\nline x\"
index 1234567..89abcde 100644
--- \"a/new\\nline x\"\t
+++ \"b/new\\nline x\"\t
@@ -1 +1 @@
-a
+b
diff --git a/plain \"b/bell\\a\"
similarity index 100%
rename from plain
rename to \"bell\\a\"
diff --git a/latin\xe9 b/latin\xe9
old mode 100644
new mode 100755
"), @r#"
    modified tab\tquote\"back\\\xc3\xa9\xff -> tab\tquote\"back\\\xc3\xa9\xff, 100644 -> 100755, no content, +0 -0
    modified x b/x -> x b/x, 100644 -> 100755, no content, +0 -0
    modified new\nline x -> new\nline x, 100644 -> 100644, 1 hunks, +1 -1
    renamed plain -> bell\x07, ? -> ?, no content, +0 -0, 100 % alike
    modified latin\xe9 -> latin\xe9, 100644 -> 100755, no content, +0 -0
    "#);
}

#[test]
fn a_path_is_shown_so_that_no_other_looks_the_same() {
    let shown = |field: &[u8]| {
        let text = [b"--- ", field, b"\n+++ ", field, b"\n@@ -1 +1 @@\n-a\n+b\n"].concat();
        let path = Diff::parse(&text).unwrap().files[0].path().into_owned();
        let parsed = Diff::parse(&text).unwrap();
        assert_eq!(path_bytes(&path).as_ref(), parsed.files[0].new_path.as_deref().unwrap());
        path
    };
    assert_eq!(shown("größe/日本.rs".as_bytes()), "größe/日本.rs");
    assert_eq!(shown(br#""gr\303\266\303\237e.rs""#), "größe.rs");
    assert_eq!(shown(br#""a\tb""#), r#""a\tb""#);
    assert_eq!(shown(br#""\"a\\tb\"""#), r#""\"a\\tb\"""#, "a name that has the quotes itself");
    assert_eq!(shown(br"back\slash"), r"back\slash");
    assert_eq!(shown(b"latin\xe9.c"), r#""latin\351.c""#);
    assert_eq!(shown("gnp.\u{202e}exe".as_bytes()), r#""gnp.\342\200\256exe""#);
}

#[test]
fn lines_that_look_like_headers_are_lines() {
    insta::assert_snapshot!(show("\
diff --git a/x.sql b/x.sql
index 1234567..89abcde 100644
--- a/x.sql
+++ b/x.sql
@@ -1,4 +1,4 @@
--- a/x
-- 
-diff --git a/y b/y
+++ b/x
+@@ -1 +1 @@
+\\ No newline
 @@ -9 +9 @@
\\ No newline at end of file
diff --git a/y b/y
old mode 100644
new mode 100755
"), @"
    modified x.sql -> x.sql, 100644 -> 100644, 1 hunks, +3 -3
    modified y -> y, 100644 -> 100755, no content, +0 -0
    ");
}

#[test]
fn prefixes_of_all_sorts() {
    let path = |old: &str, new: &str| {
        let text =
            format!("diff --git {old} {new}\nindex 1..2 100644\n--- {old}\t\n+++ {new}\t\n@@ -1 +1 @@\n-a\n+b\n");
        let mode = format!("diff --git {old} {new}\nold mode 100644\nnew mode 100755\n");
        let paths = [text, mode].map(|text| {
            let diff = Diff::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(diff.to_bytes(), text.as_bytes());
            diff.files[0].path().into_owned()
        });
        assert_eq!(paths[0], paths[1]);
        paths[0].clone()
    };
    assert_eq!(path("a/x y", "b/x y"), "x y");
    assert_eq!(path("b/x", "a/x"), "x", "reversed");
    assert_eq!(path("i/a/x", "w/a/x"), "a/x", "mnemonic");
    assert_eq!(path("c/x", "i/x"), "x", "mnemonic");
    assert_eq!(path("x y/z", "x y/z"), "x y/z", "none");
    assert_eq!(path("a/x", "a/x"), "a/x", "none, for a path that starts like a prefix");
    assert_eq!(path("old/dir/x y", "new/dir/x y"), "dir/x y", "chosen");
    assert_eq!(path("before/dir/x", "after/dir/x"), "dir/x", "chosen, of different lengths");
}

#[test]
fn new_and_deleted_files_without_a_prefix() {
    insta::assert_snapshot!(show("\
diff --git b/x y b/x y
new file mode 100644
index 0000000..1234567
--- /dev/null
+++ b/x y\t
@@ -0,0 +1 @@
+one
diff --git a/x a/x
deleted file mode 100644
index 1234567..0000000
--- a/x
+++ /dev/null
@@ -1 +0,0 @@
-one
"), @"
    added none -> b/x y, ? -> 100644, 1 hunks, +1 -0
    deleted a/x -> none, 100644 -> ?, 1 hunks, +0 -1
    ");
}

#[test]
fn plain_unified_diffs() {
    insta::assert_snapshot!(show("\
diff -ru old/src/x.c new/src/x.c
--- old/src/x.c\t2026-01-02 03:04:05.000000000 +0000
+++ new/src/x.c\t2026-01-02 03:04:06.000000000 +0000
@@ -1 +1 @@
-a
+b
Only in new: y
--- /dev/null\t1970-01-01 00:00:00.000000000 +0000
+++ b/z\t2026-01-02 03:04:06.000000000 +0000
@@ -0,0 +1 @@
+a
--- x.orig
+++ x
@@ -1 +0,0 @@
-a
"), @"
    preamble of 33 bytes
    modified src/x.c -> src/x.c, ? -> ?, 1 hunks, +1 -1, then 15 bytes
    added none -> z, ? -> ?, 1 hunks, +1 -0
    modified x.orig -> x, ? -> ?, 1 hunks, +0 -1
    ");
}

#[test]
fn a_mailed_patch_and_a_series() {
    insta::assert_snapshot!(show("\
From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001
From: A <a@example.org>
Subject: [PATCH 1/2] Say --- and @@ -1 +1 @@ in passing

---
 x | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/x b/x
index 1234567..89abcde 100644
--- a/x
+++ b/x
@@ -1 +1 @@
-a
+b
-- 
2.47.3

From 2222222222222222222222222222222222222222 Mon Sep 17 00:00:00 2001
Subject: [PATCH 2/2] Move

---
diff --git a/x b/y
similarity index 100%
rename from x
rename to y
-- 
2.47.3

"), @"
    preamble of 214 bytes
    modified x -> x, 100644 -> 100644, 1 hunks, +1 -1, then 114 bytes
    renamed x -> y, ? -> ?, no content, +0 -0, 100 % alike, then 12 bytes
    ");
}

#[test]
fn the_output_of_git_show() {
    insta::assert_snapshot!(show("\
commit 1111111111111111111111111111111111111111
Author: A <a@example.org>
Date:   Thu Jan 1 00:00:00 2026 +0000

    diff --git a/x b/x in a message is indented

diff --git a/x b/x
index 1234567..89abcde 100644
--- a/x
+++ b/x
@@ -1 +1 @@
-a
+b
"), @"
    preamble of 162 bytes
    modified x -> x, 100644 -> 100644, 1 hunks, +1 -1
    ");
}

#[test]
fn carriage_returns_at_every_line_end() {
    let text = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f\n-a\n+b\n\n";
    let diff = text.replace('\n', "\r\n");
    insta::assert_snapshot!(show(&diff), @"modified x -> x, 100644 -> 100644, 1 hunks, +1 -1");
    let diff = Diff::parse(diff.as_bytes()).unwrap();
    assert_eq!(diff.files[0].added().next().unwrap().text, b"b\r");
    assert_eq!(diff.files[0].hunks()[0].section, b"f");
}

#[test]
fn nothing_is_a_diff_without_files() {
    for text in ["", "\n", " \r\n\t\n"] {
        let diff = Diff::parse(text.as_bytes()).unwrap();
        assert_eq!((diff.files.len(), diff.counts().added), (0, 0));
        assert_eq!(diff.to_bytes(), text.as_bytes());
    }
}

#[test]
fn a_last_line_without_line_feed_and_the_last_line_number_are_read() {
    insta::assert_snapshot!(show("--- a/x\n+++ b/x\n@@ -4294967294 +4294967294 @@\n-a\n+b"),
        @"modified x -> x, ? -> ?, 1 hunks, +1 -1");
}

#[test]
fn counts_of_the_whole_diff() {
    let one = "--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n-a\n+b\n+c\n d\n";
    let two = one.replace("/x", "/y");
    let text = [one, &two].concat();
    let counts = Diff::parse(text.as_bytes()).unwrap().counts();
    assert_eq!((counts.added, counts.removed), (4, 2));
}
