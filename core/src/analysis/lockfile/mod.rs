//! A manifest that asks for dependencies its lock file does not know.

mod lock;
mod manifest;

use std::collections::BTreeSet;

use crate::diff::{Change as What, Diff, LineKind};
use crate::review::Severity;

use super::file::{Change, File, folder};
use super::finding::{Findings, Hit};
use super::rule::Rule;
use lock::Lock;
use manifest::{Ecosystem, Manifest};

pub(super) const RULES: &[Rule] = &[DRIFT];

const DRIFT: Rule = Rule {
    id: "lockfile/drift",
    severity: Severity::Medium,
    title: "Lock file not updated",
    reason: "The manifest asks for a dependency that the lock file does not hold, so a locked build fails or resolves anew.",
    fix: "Run the package manager once and commit the lock file with the manifest.",
};

/// Compares the dependency lines that were added to a manifest with a lock file that the change does not touch. It
/// speaks only when the lock file's content is known and lacks what the line asks for; a lock file that is not there
/// or could not be read is no reason to guess.
pub(super) fn check(file: &File<'_>, change: &Change<'_>, findings: &mut Findings) {
    let Some(ecosystem) = Ecosystem::of(file.name()) else { return };
    let covered = lock_places(&file.path, ecosystem).any(|place| change.paths.contains(&place));
    if covered {
        return;
    }
    let Some((path, content)) = lock_places(&file.path, ecosystem).find_map(|place| {
        let content = change.content(&place)?;
        Some((place, content))
    }) else {
        return;
    };
    let Some(lock) = Lock::read(&path, content) else { return };
    let manifest = Manifest::read(file, ecosystem, change.content(&file.path));
    if manifest.package.is_some_and(|package| !lock.has_package(package)) {
        return;
    }
    let mut missing = manifest.added.iter().filter(|wanted| lock.lacks(wanted));
    if let Some(first) = missing.next() {
        let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
        let more = match missing.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let title = format!("`{name}` does not hold `{}`{more}: it was not updated with the manifest", first.label());
        let line = file.rows[first.row].text;
        let start = line.len() - line.trim_ascii_start().len();
        findings.add(Hit::new(&DRIFT, first.row, start..line.trim_ascii_end().len()).title(title));
    }
}

/// For each changed manifest whose lock file is not in the change: the manifest, and where the lock file may be. Of
/// several manifests each comes to its turn before one has all its places.
pub(super) fn wants(diff: &Diff<'_>) -> Vec<String> {
    let files = || diff.files.iter().filter(|file| file.change != What::Deleted);
    let present: BTreeSet<String> = files().map(|file| file.path().into_owned()).collect();
    let mut turns: Vec<(usize, String)> = Vec::new();
    for file in files() {
        let path = file.path();
        let name = path.rsplit_once('/').map_or(path.as_ref(), |(_, name)| name);
        let Some(ecosystem) = Ecosystem::of(name) else { continue };
        let mut lines = file.hunks().iter().flat_map(|hunk| hunk.lines());
        let changed =
            lines.any(|line| line.kind == LineKind::Added && manifest::may_be_dependency(ecosystem, line.text));
        if changed && !lock_places(&path, ecosystem).any(|place| present.contains(&place)) {
            let folders = folders(&path);
            let by_name =
                ecosystem.lock_files().iter().flat_map(|name| folders.iter().map(move |f| format!("{f}{name}")));
            turns.extend(std::iter::once(path.to_string()).chain(by_name).enumerate());
        }
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, path)| path).collect()
}

/// Where the lock file of a manifest may stand, the nearest first.
fn lock_places(manifest: &str, ecosystem: Ecosystem) -> impl Iterator<Item = String> {
    let names = ecosystem.lock_files();
    folders(manifest).into_iter().flat_map(move |folder| names.iter().map(move |name| format!("{folder}{name}")))
}

/// The manifest's own folder, the root, and the folders between, which may hold the lock file of a workspace.
fn folders(manifest: &str) -> Vec<&str> {
    let mut folders: Vec<&str> =
        std::iter::successors(Some(folder(manifest)), |inner| inner.strip_suffix('/').map(folder)).collect();
    if folders.len() > 2 {
        folders[1..].rotate_right(1);
    }
    folders
}
