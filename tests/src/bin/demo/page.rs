//! What is printed: headings, facts, and the parts of the pull request's page that are new.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

const HEADING: Style = AnsiColor::Cyan.on_default().bold();
const STEP: Style = AnsiColor::Green.on_default().bold();

/// A step of the demo.
pub(crate) fn step(text: &str) {
    anstream::println!("\n{STEP}==> {text}{STEP:#}");
}

/// A fact with its name.
pub(crate) fn fact(name: &str, value: &str) {
    anstream::println!("    {name:<13} {value}");
}

/// A pull request's page, part by part: each is shown once, and one that comes twice on the page twice.
#[derive(Default)]
pub(crate) struct Page {
    shown: BTreeMap<String, usize>,
}

impl Page {
    /// Prints the parts that were not there before.
    pub(crate) fn print(&mut self, page: &str) {
        let mut there: BTreeMap<String, usize> = BTreeMap::new();
        for part in parts(page) {
            // A review that another followed is still the same review.
            let same = part.replace(" (an earlier commit)", "");
            let count = there.entry(same.clone()).or_default();
            *count += 1;
            let shown = self.shown.entry(same).or_default();
            if *count > *shown {
                *shown += 1;
                print(&part);
            }
        }
    }
}

/// Each begins with a heading, the first with the title.
fn parts(page: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in page.lines() {
        if is_heading(line) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

fn print(part: &str) {
    anstream::println!();
    for (index, line) in part.trim_end().lines().enumerate() {
        if index == 0 {
            anstream::println!("  {HEADING}{line}{HEADING:#}");
        } else {
            anstream::println!("{}", format!("  {line}").trim_end());
        }
    }
}

fn is_heading(line: &str) -> bool {
    line.starts_with("──── ")
}
