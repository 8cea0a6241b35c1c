//! How fast a diff of 100,000 lines is parsed, mapped and printed.

use std::borrow::Cow;
use std::fmt::Write;
use std::hint::black_box;

use autopr_core::diff::{Claim, Diff, LineMap, Side, anchor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Lines are quoted as they stand.
fn as_it_is(text: &str) -> Cow<'_, str> {
    text.into()
}

/// A diff of 100,000 lines like those people write: some hundred files, hunks with context, lines of all lengths.
fn generated() -> String {
    let mut text = String::new();
    let mut lines = 0;
    let mut file = 0;
    while lines < 100_000 {
        let path = format!("src/module_{}/part_{file}.rs", file % 17);
        write!(text, "diff --git a/{path} b/{path}\nindex 1234567..89abcde 100644\n--- a/{path}\n+++ b/{path}\n")
            .unwrap();
        for hunk in 0..8 {
            let start = hunk * 80 + 1;
            writeln!(text, "@@ -{start},14 +{start},16 @@ impl Module{file} {{").unwrap();
            for line in 0..18 {
                let mark = if (3..7).contains(&line) {
                    '-'
                } else if (7..13).contains(&line) {
                    '+'
                } else {
                    ' '
                };
                let indent = " ".repeat(line % 4 * 4);
                let rest = "value.update(index)?; ".repeat((line * 7 + hunk) % 4);
                writeln!(text, "{mark}{indent}let item_{line} = {rest}").unwrap();
            }
            // With eight above: ten lines of context, four removed, six added.
            text.push_str(" }\n \n");
            lines += 21;
        }
        lines += 4;
        file += 1;
    }
    text
}

fn benchmark(criterion: &mut Criterion) {
    let text = generated();
    let diff = Diff::parse(text.as_bytes()).expect("the generated diff is whole");
    let mut group = criterion.benchmark_group("diff of 100,000 lines");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| Diff::parse(black_box(text.as_bytes()))));
    group.bench_function("read every line", |bencher| {
        bencher.iter(|| black_box(&diff).files.iter().map(|file| file.lines().count()).sum::<usize>());
    });
    group.bench_function("print", |bencher| bencher.iter(|| black_box(&diff).to_bytes()));
    group.bench_function("map", |bencher| bencher.iter(|| LineMap::new(black_box(&diff))));
    group.finish();

    let map = LineMap::new(&diff);
    let path = diff.files[0].path().into_owned();
    let claim = Claim { path, side: Side::Right, start: 1, end: 1, quote: "no such line".to_owned() };
    criterion.bench_function("anchor a quote that is nowhere", |bencher| {
        bencher.iter(|| anchor(&map, black_box(&claim), as_it_is))
    });
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
