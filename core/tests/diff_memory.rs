//! What parsing costs in memory: far less than the text itself.
//!
//! The peak resident size of this process is read from Linux before and after. This file holds one test, so nothing else
//! allocates in between.

#![cfg(target_os = "linux")]

use std::fmt::Write;

use autopr_core::diff::{Diff, LineMap, Side};

/// The highest resident size so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells the peak");
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn a_diff_and_its_map_take_far_less_than_the_text() {
    let mut text = String::with_capacity(80 << 20);
    for file in 0.. {
        if text.len() > 64 << 20 {
            break;
        }
        let path = format!("src/module_{file}/mod.rs");
        write!(text, "diff --git a/{path} b/{path}\nindex 1234567..89abcde 100644\n--- a/{path}\n+++ b/{path}\n")
            .unwrap();
        for hunk in 0..10 {
            let start = hunk * 100 + 1;
            writeln!(text, "@@ -{start},7 +{start},8 @@ impl Module {{").unwrap();
            for line in 0..3 {
                writeln!(text, "     let before = context(line, {line});").unwrap();
            }
            text.push_str("-    let removed = compute(&input)?;\n+    let added = compute(&input, options)?;\n+    check(added)?;\n");
            for line in 0..3 {
                writeln!(text, "     let after = context(line, {line});").unwrap();
            }
        }
    }
    let start = peak();
    let diff = Diff::parse(text.as_bytes()).unwrap();
    let parsed = peak();
    let map = LineMap::new(&diff);
    let mapped = peak();

    assert!(map.contains("src/module_9/mod.rs", Side::Right, 901));
    assert_eq!(diff.counts().added, diff.counts().removed * 2);
    let share = |bytes: usize| bytes as f64 / text.len() as f64;
    let (parsing, both) = (share(parsed - start), share(mapped - start));
    eprintln!("of the {} MB text, parsing took {parsing:.2} and parsing and mapping {both:.2}", text.len() >> 20);
    assert!(parsing > 0.01, "nothing was measured");
    assert!(parsing < 0.3, "parsing took {parsing:.2} of the text");
    assert!(both < 0.5, "parsing and mapping took {both:.2} of the text");
}
