//! Files that do not belong in a repository.

use crate::diff::{Change, Content, Diff, FileDiff};
use crate::review::Severity;

use super::Options;
use super::file::File;
use super::finding::{Findings, Hit};
use super::rule::Rule;

pub(super) const RULES: &[Rule] = &[LARGE, BINARY, LEFTOVER, ENV, KEY];

const LARGE: Rule = Rule {
    id: "file/large",
    severity: Severity::Low,
    title: "Large file added",
    reason: "Git keeps every version for ever: each clone pays for it, even after the file is deleted.",
    fix: "Keep it in Git LFS, a release or an object store, or generate it in the build.",
};

const BINARY: Rule = Rule {
    id: "file/binary",
    severity: Severity::Medium,
    title: "Executable or archive added",
    reason: "Nobody can review what a binary does, and nobody can tell which source it was built from.",
    fix: "Build it from source in CI, or fetch a released version by its checksum.",
};

const LEFTOVER: Rule = Rule {
    id: "file/leftover",
    severity: Severity::Low,
    title: "File left behind by a tool",
    reason: "A merge, an editor or the operating system made it; nothing needs it.",
    fix: "Delete it and add its name to .gitignore.",
};

const ENV: Rule = Rule {
    id: "file/env",
    severity: Severity::Medium,
    title: "Environment file added",
    reason: "Such files hold the real settings of one machine, usually with credentials.",
    fix: "Commit a .env.example without values, and add the file itself to .gitignore.",
};

const KEY: Rule = Rule {
    id: "file/key-store",
    severity: Severity::Medium,
    title: "Key or credential file added",
    reason: "By its name the file holds private keys or passwords.",
    fix: "Remove it, replace the keys in it, and keep the new ones in a secret store.",
};

/// Looks at new files only.
pub(super) fn check(file: &File<'_>, options: &Options<'_>, findings: &mut Findings) {
    if !file.is_new() {
        return;
    }
    let name = file.name().to_ascii_lowercase();
    let bytes = added_bytes(file, options);
    if bytes > options.large_file_bytes {
        let size = bytes as f64 / f64::from(1 << 20);
        findings.add(Hit::on_file(&LARGE, file, format!("Large file added: `{}`, {size:.1} MiB", file.path)));
    }
    let Some((rule, severity)) = by_name(&name, matches!(file.diff.content, Content::Binary(_))) else { return };
    // Keys and archives under test data are there to be tested with.
    let severity = if file.kind.is_soft() && rule.id != LEFTOVER.id { Severity::Info } else { severity };
    let title = format!("{}: `{}`", rule.title, file.path);
    findings.add(Hit::on_file(rule, file, title).severity(severity));
}

fn by_name(name: &str, binary: bool) -> Option<(&'static Rule, Severity)> {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if matches!(extension, "orig" | "rej" | "swp" | "swo") || name.ends_with('~') {
        return Some((&LEFTOVER, LEFTOVER.severity));
    }
    if matches!(name, ".ds_store" | "thumbs.db" | "desktop.ini" | "npm-debug.log" | "yarn-error.log") {
        return Some((&LEFTOVER, LEFTOVER.severity));
    }
    if is_env(name) {
        return Some((&ENV, ENV.severity));
    }
    if matches!(name, "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519" | ".pgpass" | ".netrc" | "_netrc" | ".htpasswd")
        || matches!(extension, "p12" | "pfx" | "jks" | "keystore" | "kdbx" | "ppk")
    {
        return Some((&KEY, KEY.severity));
    }
    if binary && EXECUTABLES.contains(&extension) {
        let known = name == "gradle-wrapper.jar" || name == "maven-wrapper.jar";
        return Some((&BINARY, if known { Severity::Info } else { BINARY.severity }));
    }
    None
}

/// `.env` and `.env.production`, but not the templates that are meant to be committed.
fn is_env(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(".env") else { return false };
    let template = ["example", "sample", "template", "dist", "defaults", "default", "test", "ci", "schema", "vault"];
    rest.is_empty() || rest.strip_prefix('.').is_some_and(|part| !part.split('.').any(|word| template.contains(&word)))
}

const EXECUTABLES: &[&str] = &[
    "exe", "dll", "so", "dylib", "a", "o", "obj", "class", "jar", "war", "ear", "pyc", "pyd", "zip", "tar", "gz",
    "tgz", "bz2", "xz", "zst", "7z", "rar", "iso", "dmg", "deb", "rpm", "msi", "apk", "aab", "ipa", "whl", "egg",
    "nupkg", "gem", "node",
];

/// New binary files without a `literal` block in the diff.
pub(super) fn wants_size(diff: &Diff<'_>) -> Vec<String> {
    let unknown = |file: &&FileDiff<'_>| match file.content {
        Content::Binary(raw) => file.change == Change::Added && literal_size(raw).is_none(),
        _ => false,
    };
    diff.files.iter().filter(unknown).map(|file| file.path().into_owned()).take(20).collect()
}

/// The size of the new content: exact for text, for a binary patch the size git gives after `literal`, else what the
/// forge told; zero when nobody did.
fn added_bytes(file: &File<'_>, options: &Options<'_>) -> u64 {
    match file.diff.content {
        Content::Binary(raw) => {
            literal_size(raw).or_else(|| options.sizes.get(&*file.path).copied()).unwrap_or_default()
        }
        _ => file.added().map(|(_, row)| row.text.len() as u64 + 1).sum(),
    }
}

/// In `GIT binary patch` the first block is the new content: `literal SIZE`, the size before compression.
fn literal_size(raw: &[u8]) -> Option<u64> {
    let line = raw.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"literal "))?;
    std::str::from_utf8(line.trim_ascii()).ok()?.parse().ok()
}
