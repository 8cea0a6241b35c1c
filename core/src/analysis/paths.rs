//! What a path says of a file: its language, and whether it is a test, documentation, generated or a translation.

/// What a path says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The language, by file extension.
    pub(super) language: Language,
    /// A test, a fixture or a mock.
    pub(super) test: bool,
    /// Documentation.
    pub(super) docs: bool,
    /// An example, a demo or a tutorial.
    pub(super) example: bool,
    /// Generated, vendored, minified or a lock file: nobody writes it by hand.
    pub(super) generated: bool,
    /// Translated texts.
    pub(super) locale: bool,
}

/// A language the rules know something of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Go,
    Python,
    Ruby,
    /// JavaScript and TypeScript in all their file types.
    Script,
    Php,
    /// Other languages with `//` comments: Java, Kotlin, Scala, C, C++, C#, Swift, Dart …
    Braces,
    /// Other programming languages.
    Code,
    Shell,
    /// Settings, data, markup and prose.
    Other,
}

impl Language {
    /// Whether this is a programming language whose changes deserve tests.
    pub(super) fn is_code(self) -> bool {
        !matches!(self, Self::Other | Self::Shell)
    }
}

impl Kind {
    /// Classifies a path with `/` as separator.
    pub(super) fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let original = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let within = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder.trim_start_matches('_')));
        Self {
            language: language(extension),
            test: within(TEST_FOLDERS) || is_test_name(name, original),
            docs: within(&["doc", "docs", "documentation", "website", "blog"]) || is_docs_name(name, extension),
            example: within(&["example", "examples", "demo", "demos", "sample", "samples", "tutorial", "tutorials"]),
            generated: within(GENERATED_FOLDERS) || is_generated_name(name),
            locale: within(&["locale", "locales", "i18n", "l10n", "lang", "langs", "translations"])
                || matches!(extension, "po" | "pot" | "xlf" | "xliff" | "arb" | "strings" | "resx" | "ftl"),
        }
    }

    /// Whether a secret here is most likely made up.
    pub(super) fn is_soft(self) -> bool {
        self.test || self.docs || self.example
    }
}

const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "__tests__",
    "tests__",
    "spec",
    "specs",
    "testdata",
    "test_data",
    "test_files",
    "test-data",
    "fixture",
    "fixtures",
    "fixtures__",
    "mock",
    "mocks",
    "mocks__",
    "e2e",
    "snapshots",
    "testutil",
    "testutils",
    "stubs",
];

const GENERATED_FOLDERS: &[&str] = &[
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "node_modules",
    "bower_components",
    "dist",
    "generated",
    "gen",
    "target",
    ".yarn",
    "pods",
];

fn language(extension: &str) -> Language {
    match extension {
        "rs" => Language::Rust,
        "go" => Language::Go,
        "py" | "pyi" => Language::Python,
        "rb" | "rake" => Language::Ruby,
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" | "astro" => Language::Script,
        "php" => Language::Php,
        "java" | "kt" | "kts" | "scala" | "groovy" | "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" | "cs"
        | "swift" | "dart" | "m" | "mm" | "zig" => Language::Braces,
        "ex" | "exs" | "erl" | "hs" | "ml" | "clj" | "lua" | "pl" | "pm" | "r" | "jl" | "nim" | "fs" => Language::Code,
        "sh" | "bash" | "zsh" | "fish" | "ps1" => Language::Shell,
        _ => Language::Other,
    }
}

fn is_test_name(name: &str, original: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let bare = original.rsplit_once('.').map_or(original, |(bare, _)| bare);
    let affixed = ["_test", "_tests", "-test", "_spec", "-spec", "_testing"].iter().any(|end| stem.ends_with(end));
    affixed
        || stem.starts_with("test_")
        || matches!(stem, "test" | "tests" | "conftest" | "testing")
        || [".test.", ".tests.", ".spec.", ".stories.", ".cy."].iter().any(|infix| name.contains(infix))
        || [".snap", ".golden", ".feature"].iter().any(|end| name.ends_with(end))
        || ["Test", "Tests", "Spec", "IT"]
            .iter()
            .any(|end| bare.strip_suffix(end).is_some_and(|head| head.ends_with(|c: char| c.is_ascii_lowercase())))
}

fn is_docs_name(name: &str, extension: &str) -> bool {
    matches!(extension, "md" | "mdx" | "markdown" | "rst" | "adoc" | "asciidoc" | "txt" | "org" | "tex" | "rdoc")
        || ["readme", "changelog", "license", "licence", "contributing", "authors", "notice", "news"]
            .iter()
            .any(|start| name.split_once('.').map_or(name, |(stem, _)| stem) == *start)
}

fn is_generated_name(name: &str) -> bool {
    is_lock_name(name)
        || GENERATED_ENDS.iter().any(|end| name.ends_with(end))
        || name.starts_with("zz_generated")
        || name.starts_with("mock_") && name.ends_with(".go")
}

/// Whether this (lower-case) file name is that of a lock file.
pub(super) fn is_lock_name(name: &str) -> bool {
    name.ends_with(".lock")
        || matches!(
            name,
            "go.sum"
                | "go.work.sum"
                | "package-lock.json"
                | "npm-shrinkwrap.json"
                | "pnpm-lock.yaml"
                | "bun.lockb"
                | "packages.lock.json"
                | "gradle.lockfile"
                | ".terraform.lock.hcl"
                | "package.resolved"
        )
}

const GENERATED_ENDS: &[&str] = &[
    ".min.js",
    ".min.css",
    ".min.mjs",
    ".bundle.js",
    ".map",
    ".pb.go",
    ".pb.gw.go",
    ".pb.cc",
    ".pb.h",
    ".pb.rs",
    "_pb2.py",
    "_pb2_grpc.py",
    "_pb2.pyi",
    "_pb.js",
    "_pb.d.ts",
    ".g.dart",
    ".freezed.dart",
    ".designer.cs",
    ".g.cs",
    "_gen.go",
    "_generated.go",
    ".gen.go",
    ".generated.go",
    ".generated.ts",
    ".gen.ts",
    ".generated.cs",
    "_string.go",
    "_easyjson.go",
    "_mock.go",
    ".pbtxt",
    ".svg",
    ".ipynb",
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::go_test("prometheus/registry_test.go")]
    #[case::folder("axum/src/routing/tests/nest.rs")]
    #[case::rust_module("axum/src/json/tests.rs")]
    #[case::testdata("service/_testdata/x.diff")]
    #[case::jest("src/a.test.tsx")]
    #[case::python("pkg/test_views.py")]
    #[case::java("src/main/OrderTest.java")]
    fn a_test_is_known_by_its_path(#[case] path: &str) {
        assert!(Kind::of(path).test, "{path}");
    }

    #[rstest]
    #[case("src/latest.rs")]
    #[case("src/contest/entry.go")]
    #[case("src/Attest.java")]
    #[case("src/UNIT.c")]
    fn a_name_that_only_sounds_like_a_test_is_none(#[case] path: &str) {
        assert!(!Kind::of(path).test, "{path}");
    }

    #[rstest]
    #[case("Cargo.lock")]
    #[case("web/yarn.lock")]
    #[case("vendor/github.com/x/y/z.go")]
    #[case("web/app.min.js")]
    #[case("api/v1/api.pb.go")]
    #[case("go.sum")]
    fn generated_files_are_known(#[case] path: &str) {
        assert!(Kind::of(path).generated, "{path}");
    }
}
