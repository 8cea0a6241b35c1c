//! What the parser says of a text it refuses.

use autopr_core::diff::Diff;

fn error(text: impl AsRef<[u8]>) -> String {
    Diff::parse(text.as_ref()).expect_err("the text is damaged").to_string()
}

const HEAD: &str = "diff --git a/x b/x\nindex 1234567..89abcde 100644\n--- a/x\n+++ b/x\n";

fn after_head(rest: &str) -> String {
    error(format!("{HEAD}{rest}"))
}

#[test]
fn a_text_that_is_no_diff() {
    insta::assert_snapshot!(error("\n<html>Bad gateway</html>\n"), @"line 2 (byte 1): no diff starts here or below: expected a `diff --git` line, or `---` and `+++` lines and a hunk (`@@ -1 +1 @@`)");
    insta::assert_snapshot!(error("@@ -1 +1 @@\n-a\n+b\n"), @"line 1 (byte 0): no diff starts here or below: expected a `diff --git` line, or `---` and `+++` lines and a hunk (`@@ -1 +1 @@`)");
}

#[test]
fn combined_diffs() {
    insta::assert_snapshot!(error("diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,2 -1,2 +1,3 @@@\n"), @"line 1 (byte 0): `diff --cc x` belongs to a combined diff of a merge, which has several old sides: compare with one parent instead, for example with `git diff A B` or `git show -m`");
    insta::assert_snapshot!(error("commit 1\n\ndiff --combined x\n"), @"line 3 (byte 10): `diff --combined x` belongs to a combined diff of a merge, which has several old sides: compare with one parent instead, for example with `git diff A B` or `git show -m`");
    insta::assert_snapshot!(after_head("@@@ -1 -1 +1 @@@ let key = 1;\n--a\n++b\n"), @"line 5 (byte 65): `@@@ -1 -1 +1 @@` belongs to a combined diff of a merge, which has several old sides: compare with one parent instead, for example with `git diff A B` or `git show -m`");
}

#[test]
fn hunks_that_are_cut_short() {
    insta::assert_snapshot!(after_head("@@ -1,3 +1,4 @@\n one\n-two\n+zwei\n"), @"line 9 (byte 97): the hunk is cut short: 1 of its old and 2 of its new lines are missing (a context line counts on both sides); get the whole diff again");
    insta::assert_snapshot!(after_head("@@ -1,2 +1,2 @@\n one\ndiff --git a/y b/y\n"), @"line 7 (byte 86): the hunk is cut short: 1 of its old and 1 of its new lines are missing (a context line counts on both sides); get the whole diff again");
    insta::assert_snapshot!(after_head("@@ -1,2 +1,2 @@\n"), @"line 6 (byte 81): the hunk is cut short: 2 of its old and 2 of its new lines are missing (a context line counts on both sides); get the whole diff again");
    insta::assert_snapshot!(after_head(""), @"line 5 (byte 65): no hunk (`@@ -1 +1 @@`) follows the `---` and `+++` lines: the diff is damaged or cut short, get it again");
    insta::assert_snapshot!(error("diff --git a/x b/x\n--- a/x\n"), @"line 2 (byte 19): no `+++` line follows this `---` line: the diff is damaged or cut short, get it again");
}

#[test]
fn hunks_that_do_not_fit_their_header() {
    insta::assert_snapshot!(after_head("@@ -1 +1 @@\n-a\n+b\n+token = 1\n"), @"line 8 (byte 83): the hunk has more lines than its header counts: the diff was edited or damaged, get it again");
    insta::assert_snapshot!(after_head("@@ -1 +1,2 @@\n-a\n-b\n+c\n"), @"line 7 (byte 82): the hunk has more lines than its header counts: the diff was edited or damaged, get it again");
    insta::assert_snapshot!(after_head("@@ -1,2 +1,2 @@\n-a\n*b\n"), @r#"line 7 (byte 84): a line of a hunk starts with `*`: expected a space, `+`, `-` or `\`; 1 old and 2 new lines of the hunk were still to come"#);
    insta::assert_snapshot!(after_head("@@ -1,2 +1,2 @@\n\\ No newline at end of file\n"), @"line 6 (byte 81): this line says that the line above it has no line feed, but no line of the hunk stands above it");
    insta::assert_snapshot!(after_head("@@ -1 +1 @@\n-a\n+b\n\n@@ -3 +3 @@\n-a\n+b\n"), @"line 9 (byte 84): this hunk belongs to no file: `---` and `+++` lines or another hunk must stand directly before it");
}

#[test]
fn hunk_headers() {
    insta::assert_snapshot!(after_head("@@ -1,x +1 @@ let password = 1;\n"), @"line 5 (byte 65): `@@ -1,x +1 @@` is not a hunk's header: expected `@@ -LINE,COUNT +LINE,COUNT @@` with lines counted from 1");
    insta::assert_snapshot!(after_head("@@ -1 +1 let password = 1;\n"), @"line 5 (byte 65): `@@ -1 +1 ` is not a hunk's header: expected `@@ -LINE,COUNT +LINE,COUNT @@` with lines counted from 1");
    insta::assert_snapshot!(after_head("@@ -0 +1 @@\n"), @"line 5 (byte 65): `@@ -0 +1 @@` is not a hunk's header: expected `@@ -LINE,COUNT +LINE,COUNT @@` with lines counted from 1");
    insta::assert_snapshot!(after_head("@@ -1,4294967296 +1 @@\n"), @"line 5 (byte 65): `@@ -1,4294967296 +1 @@` counts beyond line 4294967295, more than is supported");
    insta::assert_snapshot!(after_head("@@ -4294967295 +1 @@\n"), @"line 5 (byte 65): `@@ -4294967295 +1 @@` counts beyond line 4294967295, more than is supported");
    insta::assert_snapshot!(after_head("@@ -5 +5 @@\n-a\n+b\n@@ -5 +6 @@\n-a\n+b\n"), @"line 8 (byte 83): `@@ -5 +6 @@` starts before the end of the hunk above it: hunks must not overlap and must be in order");
}

#[test]
fn headers_and_paths() {
    insta::assert_snapshot!(error("diff --git a/x y z b/other\nold mode 100644\nnew mode 100755\n"), @"line 1 (byte 0): the two paths of `diff --git a/x y z b/other` can't be told apart: expected the same path twice; make the diff with git's usual prefixes a/ and b/");
    insta::assert_snapshot!(error("diff --git a/x b/x\nold mode rwx\n"), @"line 2 (byte 19): `old mode rwx` has no file mode: expected an octal number such as 100644");
    insta::assert_snapshot!(error("diff --git a/x b/x\nsimilarity index 90%\nmystery 1\n"), @"line 3 (byte 40): this is not a header git writes in a file's diff: expected `index`, `---`, `@@`, `diff --git` or an empty line");
    insta::assert_snapshot!(error("diff --git a/x b/x\nrename from \"x\\9\"\n"), @r#"line 2 (byte 19): `"x\9"` is not a path as git quotes it: expected a closing quote and only the escapes of C, octal in three digits"#);
    insta::assert_snapshot!(error("diff --git a/x b/x\nrename from \n"), @"line 2 (byte 19): this header names no file: a path must follow it");
    insta::assert_snapshot!(error("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n"), @"line 1 (byte 0): both sides are /dev/null: one of `---` and `+++` must name a file");
    insta::assert_snapshot!(error("diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n"), @"line 2 (byte 19): this hunk belongs to no file: `---` and `+++` lines or another hunk must stand directly before it");
}

#[test]
fn binary_patches() {
    insta::assert_snapshot!(error("diff --git a/x b/x\nGIT binary patch\nliteral 3\nKcmZQz\n"), @"line 5 (byte 53): the binary patch is cut short: its data must end with an empty line; get the whole diff again");
    insta::assert_snapshot!(error("diff --git a/x b/x\nGIT binary patch\nwhat 3\n"), @"line 3 (byte 36): `what 3` is not the start of binary data: expected `literal SIZE` or `delta SIZE`");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    insta::assert_snapshot!(error("diff --git a/x b/x\nold mode \u{1b}[31m\u{202e}1\n"), @r#"line 2 (byte 19): `old mode \u{1b}[31m\u{202e}1` has no file mode: expected an octal number such as 100644"#);
}
