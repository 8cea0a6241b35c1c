//! Real histories. `AUTOPR_TEST_HISTORIES` names a folder of git bundles, `AUTOPR_TEST_COMMITS` how many of the latest
//! commits of each to read (300 unless told otherwise).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use autopr_core::diff::{Diff, LineMap, Side};

use crate::oracle::check_files;
use crate::repository::{self, git, output};

/// Stands before each commit. A zero byte can't stand in a text diff.
const SEPARATOR: &[u8] = b"\0==== commit ====";

#[test]
fn real_histories_are_read_as_git_reads_them() {
    let Some(folder) = std::env::var_os("AUTOPR_TEST_HISTORIES").map(PathBuf::from) else {
        eprintln!(
            "NOT RUN: AUTOPR_TEST_HISTORIES is not set, so no real history was read; set it to a folder of git bundles"
        );
        return;
    };
    let commits = std::env::var("AUTOPR_TEST_COMMITS").map_or(300, |count| count.parse().expect("a number of commits"));
    let mut bundles: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    bundles.retain(|path| path.extension().is_some_and(|extension| extension == "bundle"));
    assert!(!bundles.is_empty(), "no *.bundle in {}", folder.display());
    bundles.sort();
    for bundle in bundles {
        read_history(&bundle, commits);
    }
}

fn read_history(bundle: &Path, commits: u32) {
    let directory = tempfile::tempdir().unwrap();
    let clone = ["clone", "-q", "--bare", bundle.to_str().unwrap(), "."];
    output(&mut git(directory.path(), clone));
    let log = |form: &[&str]| {
        let count = format!("-n{commits}");
        let how = ["log", &count, "-M", "-C", "--diff-merges=first-parent", "--format=%x00==== commit ===="];
        output(&mut git(directory.path(), [how.as_slice(), form].concat()))
    };
    let patches = log(&["-p", "--full-index"]);
    let raws = log(&["--raw", "-z"]);
    let numstats = log(&["--numstat", "-z"]);

    let (mut read, mut files, mut bytes, mut time) = (0, 0, 0, Duration::ZERO);
    let (patches, raws, numstats) = (split(&patches), split(&raws), split(&numstats));
    assert_eq!((patches.len(), patches.len()), (raws.len(), numstats.len()));
    for ((text, raw), numbers) in patches.into_iter().zip(raws).zip(numstats) {
        let start = Instant::now();
        let diff = Diff::parse(text).unwrap_or_else(|error| panic!("{error}\n{}", text.escape_ascii()));
        time += start.elapsed();
        assert!(diff.to_bytes() == text);
        check_files(
            &diff,
            &repository::raw_changes(raw.trim_ascii()),
            &repository::numbers(numbers.trim_ascii()),
            false,
        );
        let map = LineMap::new(&diff);
        for file in &diff.files {
            let lines = file.hunks().iter().flat_map(|hunk| hunk.side_lines(Side::Right)).take(20);
            for line in lines {
                assert_eq!(map.line(&file.path(), Side::Right, line.new.unwrap()), Some(line.text));
            }
        }
        (read, files, bytes) = (read + 1, files + diff.files.len(), bytes + text.len());
    }
    let name = bundle.file_name().unwrap_or_default().to_string_lossy();
    let speed = bytes as f64 / 1e6 / time.as_secs_f64();
    eprintln!("{name}: {read} commits, {files} files, {:.1} MB, parsed at {speed:.0} MB/s", bytes as f64 / 1e6);
}

/// The parts of a log, one for each commit. One more byte ends the separator: a line feed, or with `-z` a zero.
fn split(log: &[u8]) -> Vec<&[u8]> {
    let found = log.windows(SEPARATOR.len()).enumerate().filter(|(_, window)| *window == SEPARATOR);
    let mut starts: Vec<usize> = found.map(|(at, _)| at).collect();
    starts.push(log.len());
    starts.windows(2).map(|pair| log[pair[0]..pair[1]].get(SEPARATOR.len() + 1..).unwrap_or_default()).collect()
}
