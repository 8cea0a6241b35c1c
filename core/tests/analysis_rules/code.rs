//! Conflict markers, Unicode and debugging statements.

use autopr_core::review::Severity::{self, High, Info, Low, Medium};
use rstest::rstest;

use crate::{changed, check_line, new_file, places, run};

#[test]
fn a_conflict_is_one_finding_on_its_first_marker() {
    let text = "fn a() {\n<<<<<<< HEAD\n    one();\n||||||| base\n=======\n    two();\n>>>>>>> feature\n}\n";
    assert_eq!(places(&run(&new_file("src/a.rs", text))), ["high conflict/marker src/a.rs:2"]);
}

#[test]
fn the_end_of_a_conflict_alone_counts_too() {
    let text = " fn a() {\n+=======\n+>>>>>>> 1234567 (message)\n }\n";
    assert_eq!(places(&run(&changed("src/a.rs", text))), ["high conflict/marker src/a.rs:12"]);
}

#[rstest]
#[case::underlined_title("docs/a.rst", "Title\n=======\n\ntext\n")]
#[case::underlined_in_code("src/a.py", "\"\"\"\nTitle\n=======\n\"\"\"\n")]
#[case::explained("docs/git.md", "Look for lines such as\n<<<<<<< HEAD\nand resolve them.\n")]
#[case::shift("src/a.c", "x = a <<<<<<< b;\n")]
#[case::long_rule("src/a.txt", "==========\n")]
fn text_that_only_looks_like_a_marker_is_none(#[case] path: &str, #[case] text: &str) {
    assert_eq!(places(&run(&new_file(path, text))), [""; 0]);
}

#[test]
fn markers_that_were_there_or_go_away_are_none() {
    let text = "-<<<<<<< HEAD\n one\n-=======\n-two\n->>>>>>> feature\n+three\n";
    assert_eq!(places(&run(&changed("src/a.rs", text))), [""; 0]);
    let text = " <<<<<<< HEAD\n+one\n =======\n >>>>>>> feature\n";
    assert_eq!(places(&run(&changed("src/a.rs", text))), [""; 0]);
}

#[rstest]
#[case::trojan_source("src/a.rs", "if access != \"user\u{202E} \u{2066}// admin\u{2069}\" {", Some((High, "unicode/bidi")))]
#[case::bidi_in_prose("README.md", "a \u{202E}b", Some((Medium, "unicode/bidi")))]
#[case::bidi_in_arabic_prose("docs/ar.md", "مرحبا \u{2067}abc\u{2069}", Some((Info, "unicode/bidi")))]
#[case::bidi_in_translation("locales/he.json", "\"x\": \"\u{2067}שלום\u{2069}\"", Some((Info, "unicode/bidi")))]
#[case::zero_width_space("src/a.ts", "const a\u{200B}b = 1;", Some((Medium, "unicode/invisible")))]
#[case::zero_width_joiner_in_a_name("src/a.go", "ad\u{200D}min := 1", Some((Medium, "unicode/invisible")))]
#[case::hangul_filler("src/a.js", "const { timeout,\u{3164}} = req.query;", Some((Medium, "unicode/invisible")))]
#[case::byte_order_mark_inside("src/a.py", "x = 1\u{FEFF}", Some((Medium, "unicode/invisible")))]
#[case::tags("src/a.md", "hi\u{E0068}\u{E0069}", Some((High, "unicode/tag")))]
#[case::variation_selectors("src/a.js", "const s = `\u{E0105}\u{E0120}`;", Some((High, "unicode/tag")))]
#[case::family_emoji("src/a.rs", "// \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", None)]
#[case::heart_on_fire("src/a.rs", "// \u{2764}\u{FE0F}\u{200D}\u{1F525}", None)]
#[case::flag_of_scotland("src/a.rs", "// \u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", None)]
#[case::persian("src/a.rs", "// می\u{200C}خواهم", None)]
#[case::hindi("src/a.rs", "// क्\u{200D}ष", None)]
#[case::japanese_variant("src/a.rs", "// 葛\u{E0100}", None)]
#[case::accents("src/a.rs", "// naïve façade — “quoted”", None)]
fn characters_that_deceive(#[case] path: &str, #[case] line: &str, #[case] expected: Option<(Severity, &str)>) {
    check_line(path, line, expected);
}

#[test]
fn a_byte_order_mark_at_the_start_of_a_file_is_fine() {
    assert_eq!(places(&run(&new_file("src/a.cs", "\u{FEFF}using System;\n"))), [""; 0]);
}

#[rstest]
#[case("src/a.rs", "    let x = dbg!(compute(y));", Some((Low, "debug/leftover")))]
#[case("src/a.rs", "    todo!()", Some((Info, "debug/leftover")))]
#[case("src/a.rs", "    // dbg!(x) prints", None)]
#[case("src/a.rs", "    let s = \"dbg!(x)\";", None)]
#[case("src/a.rs", "    my_dbg!(x)", None)]
#[case("tests/a.rs", "    todo!()", None)]
#[case("src/a.md", "    dbg!(x)", None)]
#[case("src/a.ts", "  debugger;", Some((Medium, "debug/leftover")))]
#[case("src/a.ts", "  const debugger_enabled = true;", None)]
#[case("src/a.ts", "  console.log('here', x);", Some((Info, "debug/leftover")))]
#[case("scripts/build.mjs", "  console.log('built');", None)]
#[case("src/a.test.ts", "  console.log('x');", None)]
#[case("src/a.test.ts", "  it.only('works', () => {", Some((Medium, "debug/focused-test")))]
#[case("src/a.spec.js", "describe.only('x', () => {", Some((Medium, "debug/focused-test")))]
#[case("src/a.spec.js", "model.fit('x')", None)]
#[case("pkg/a.py", "    breakpoint()", Some((Medium, "debug/leftover")))]
#[case("pkg/a.py", "    import pdb; pdb.set_trace()", Some((Medium, "debug/leftover")))]
#[case("pkg/a.py", "    # breakpoint()", None)]
#[case("pkg/a.py", "    self.breakpoint()", None)]
#[case("lib/a.rb", "    binding.pry", Some((Medium, "debug/leftover")))]
#[case("lib/a.rb", "    binding.pry_enabled?", None)]
#[case("pkg/a.go", "\tfmt.Println(\"DEBUG\", x)", Some((Low, "debug/leftover")))]
#[case("pkg/a.go", "\tfmt.Println(\"done\")", None)]
#[case("pkg/a_test.go", "\tFIt(\"works\", func() {", Some((Medium, "debug/focused-test")))]
fn statements_that_help_while_debugging(
    #[case] path: &str,
    #[case] line: &str,
    #[case] expected: Option<(Severity, &str)>,
) {
    check_line(path, line, expected);
}

#[test]
fn a_statement_that_only_moved_is_no_news() {
    let text = "-    dbg!(x);\n+        dbg!(x);\n";
    assert_eq!(places(&run(&changed("src/a.rs", text))), [""; 0]);
}

#[test]
fn in_a_test_module_a_macro_for_later_is_fine() {
    let text = "+#[cfg(test)]\n+mod tests {\n+    fn mock() { unimplemented!() }\n+}\n";
    assert_eq!(places(&run(&changed("src/a.rs", text))), [""; 0]);
}
