//! The dependency lines that a change adds to a manifest.

use crate::analysis::file::File;

/// A package manager, by its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ecosystem {
    Cargo,
    Node,
    Python,
    Go,
    Ruby,
    Php,
}

impl Ecosystem {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "Cargo.toml" => Self::Cargo,
            "package.json" => Self::Node,
            "pyproject.toml" => Self::Python,
            "go.mod" => Self::Go,
            "Gemfile" => Self::Ruby,
            "composer.json" => Self::Php,
            _ => return None,
        })
    }

    /// The lock files that can belong to the manifest, the most usual first.
    pub(super) fn lock_files(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["Cargo.lock"],
            Self::Node => &["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"],
            Self::Python => &["uv.lock", "poetry.lock", "pdm.lock"],
            Self::Go => &["go.sum"],
            Self::Ruby => &["Gemfile.lock"],
            Self::Php => &["composer.lock"],
        }
    }
}

/// What a manifest says that matters here.
pub(super) struct Manifest<'d> {
    /// The name of the package it describes, where the lock file names that too.
    pub(super) package: Option<&'d str>,
    pub(super) added: Vec<Dependency<'d>>,
}

/// A dependency on an added line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency<'d> {
    pub(super) row: usize,
    pub(super) name: &'d str,
    /// The version asked for, as written; empty when none is.
    pub(super) version: &'d str,
}

impl Dependency<'_> {
    /// Name and version for a person.
    pub(super) fn label(&self) -> String {
        if self.version.is_empty() { self.name.to_owned() } else { format!("{} {}", self.name, self.version) }
    }
}

/// Whether an added line could name a dependency; only then is it worth reading other files.
pub(super) fn may_be_dependency(ecosystem: Ecosystem, line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    match ecosystem {
        Ecosystem::Cargo => toml_entry(line).is_some_and(|(key, _)| !PACKAGE_KEYS.contains(&key)),
        Ecosystem::Python => line.contains('"') || line.contains('='),
        Ecosystem::Node | Ecosystem::Php => json_entry(line).is_some(),
        Ecosystem::Go => go_entry(line).is_some(),
        Ecosystem::Ruby => ruby_entry(line).is_some(),
    }
}

/// Keys of `[package]` whose change has nothing to do with dependencies.
const PACKAGE_KEYS: [&str; 16] = [
    "name",
    "edition",
    "rust-version",
    "description",
    "license",
    "repository",
    "homepage",
    "documentation",
    "readme",
    "keywords",
    "categories",
    "publish",
    "authors",
    "exclude",
    "include",
    "resolver",
];

impl<'d> Manifest<'d> {
    /// Reads the added lines of `file`. With the content of the whole file every line's section is known; without it
    /// only that of lines whose section begins in the same hunk.
    pub(super) fn read(file: &File<'d>, ecosystem: Ecosystem, content: Option<&'d [u8]>) -> Self {
        let mut reader =
            Reader { ecosystem, section: Section::Unknown, groups: false, package: None, added: Vec::new() };
        if let Some(lines) = content.and_then(|content| numbered(file, content)) {
            reader.section = Section::Other;
            for (row, text) in lines {
                reader.line(row, text);
            }
        } else {
            let mut hunk = None;
            for (row, line) in file.shown() {
                if hunk.replace(line.hunk) != Some(line.hunk) {
                    reader.section = Section::Unknown;
                }
                if let Ok(text) = std::str::from_utf8(line.text) {
                    reader.line(line.is_added().then_some(row), text);
                }
            }
        }
        Self { package: reader.package, added: reader.added }
    }
}

/// The lines of the whole file, each with its place among the rows if it was added; nothing when they disagree.
fn numbered<'d>(file: &File<'d>, content: &'d [u8]) -> Option<Vec<(Option<usize>, &'d str)>> {
    let mut lines: Vec<(Option<usize>, &str)> =
        std::str::from_utf8(content).ok()?.lines().map(|line| (None, line)).collect();
    for (row, line) in file.added() {
        let place = lines.get_mut((line.number as usize).checked_sub(1)?)?;
        if place.1.as_bytes() != line.text {
            return None;
        }
        place.0 = Some(row);
    }
    Some(lines)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section<'d> {
    /// Not shown.
    Unknown,
    Other,
    Package,
    /// A table or object of dependencies.
    Dependencies,
    /// A list of requirements (`pyproject.toml`).
    List,
    /// The table of a single dependency.
    Single(&'d str),
}

struct Reader<'d> {
    ecosystem: Ecosystem,
    section: Section<'d>,
    /// Whether every list of the section holds requirements (`pyproject.toml`).
    groups: bool,
    package: Option<&'d str>,
    added: Vec<Dependency<'d>>,
}

impl<'d> Reader<'d> {
    fn line(&mut self, row: Option<usize>, text: &'d str) {
        match self.ecosystem {
            Ecosystem::Cargo => self.cargo(row, text),
            Ecosystem::Python => self.python(row, text),
            Ecosystem::Node => self.json(row, text, &["dependencies", "devDependencies", "optionalDependencies"]),
            Ecosystem::Php => self.json(row, text, &["require", "require-dev"]),
            Ecosystem::Go => self.go(row, text),
            Ecosystem::Ruby => {
                if let (Some(row), Some(name)) = (row, ruby_entry(text)) {
                    self.added.push(Dependency { row, name, version: "" });
                }
            }
        }
    }

    fn cargo(&mut self, row: Option<usize>, text: &'d str) {
        if let Some(header) = toml_header(text) {
            self.section = cargo_section(header);
            if let (Some(row), Section::Single(name)) = (row, self.section) {
                self.added.push(Dependency { row, name, version: "" });
            }
            return;
        }
        let Some((key, value)) = toml_entry(text) else { return };
        match self.section {
            Section::Package if key == "name" => self.package = quoted(value),
            Section::Dependencies => {
                let Some(row) = row else { return };
                let (name, field) = key.split_once('.').map_or((key, ""), |(name, field)| (name, field));
                let renamed =
                    value.split_once("package").and_then(|(_, rest)| quoted(rest.trim_start_matches([' ', '='])));
                let version = match (value.starts_with('{'), field) {
                    (true, _) => {
                        value.split_once("version").and_then(|(_, rest)| quoted(rest.trim_start_matches([' ', '='])))
                    }
                    (false, "" | "version") => quoted(value),
                    _ => None,
                };
                self.added.push(Dependency { row, name: renamed.unwrap_or(name), version: version.unwrap_or("") });
            }
            _ => {}
        }
    }

    fn python(&mut self, row: Option<usize>, text: &'d str) {
        let trimmed = text.trim();
        if self.section == Section::List {
            if trimmed.starts_with(']') {
                self.section = Section::Other;
            } else if let (Some(row), Some(name)) = (row, requirement(trimmed)) {
                self.added.push(Dependency { row, name, version: "" });
            }
            return;
        }
        if let Some(header) = toml_header(text) {
            self.section = match header {
                "project" | "project.optional-dependencies" | "dependency-groups" => Section::Package,
                header if header.starts_with("tool.poetry") && header.ends_with("dependencies") => {
                    Section::Dependencies
                }
                _ => Section::Other,
            };
            self.groups = header != "project";
            return;
        }
        let Some((key, value)) = toml_entry(text) else { return };
        match self.section {
            Section::Package
                if value.starts_with('[') && !value.contains(']') && (key == "dependencies" || self.groups) =>
            {
                self.section = Section::List;
            }
            Section::Dependencies if key != "python" => {
                if let Some(row) = row {
                    self.added.push(Dependency { row, name: key, version: "" });
                }
            }
            _ => {}
        }
    }

    fn json(&mut self, row: Option<usize>, text: &'d str, sections: &[&str]) {
        let trimmed = text.trim();
        if let Some(name) = trimmed.strip_suffix('{').and_then(|head| quoted(head.trim())) {
            self.section = if sections.contains(&name) { Section::Dependencies } else { Section::Other };
        } else if trimmed.starts_with('}') {
            self.section = Section::Other;
        } else if self.section == Section::Dependencies
            && let (Some(row), Some((name, version))) = (row, json_entry(text))
        {
            let local =
                ["workspace:", "file:", "link:", "portal:", "catalog:"].iter().any(|by| version.starts_with(by));
            let platform = self.ecosystem == Ecosystem::Php && !name.contains('/');
            if !local && !platform {
                self.added.push(Dependency { row, name, version });
            }
        }
    }

    fn go(&mut self, row: Option<usize>, text: &'d str) {
        let trimmed = text.trim();
        if let Some(block) = trimmed.strip_suffix('(') {
            self.section = if block.trim() == "require" { Section::Dependencies } else { Section::Other };
        } else if trimmed == ")" {
            self.section = Section::Other;
        } else if let Some(replaced) = trimmed.strip_prefix("replace ").or(trimmed.contains("=>").then_some(trimmed)) {
            let name = replaced.split_whitespace().next().unwrap_or_default();
            self.added.retain(|dependency| dependency.name != name);
        } else if let (Some(row), Some((name, version))) = (row, go_entry(text))
            && (self.section == Section::Dependencies || trimmed.starts_with("require "))
        {
            self.added.push(Dependency { row, name, version });
        }
    }
}

fn cargo_section(header: &str) -> Section<'_> {
    if header.starts_with("workspace") || header.starts_with("patch") {
        return Section::Other;
    }
    if header == "package" {
        return Section::Package;
    }
    let last = |text: &str| matches!(text, "dependencies" | "dev-dependencies" | "build-dependencies");
    let (head, tail) = header.rsplit_once('.').unwrap_or(("", header));
    if last(tail) {
        return Section::Dependencies;
    }
    let table = head.rsplit_once('.').map_or(head, |(_, table)| table);
    if last(table) { Section::Single(tail.trim_matches('"')) } else { Section::Other }
}

/// `[header]`, without the brackets.
fn toml_header(line: &str) -> Option<&str> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let inside = line.strip_prefix('[')?.strip_suffix(']')?;
    (!inside.contains([',', '"', ' ']) || inside.starts_with("target.")).then(|| inside.trim_matches(['[', ']']))
}

/// `key = value`, without a comment line.
fn toml_entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once('=')?;
    let key = key.trim().trim_matches('"');
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    plain.then_some((key, value.trim()))
}

/// `"name": "version"`.
fn json_entry(line: &str) -> Option<(&str, &str)> {
    let (name, version) = line.trim().trim_end_matches(',').split_once(':')?;
    Some((quoted(name.trim())?, quoted(version.trim())?))
}

/// `path/to/module v1.2.3`.
fn go_entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let mut words = line.strip_prefix("require ").unwrap_or(line).split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    let comment = words.next().is_none_or(|word| word.starts_with("//"));
    let numbered = version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (comment && numbered && name.contains('.') && !name.starts_with("//")).then_some((name, version))
}

/// `gem "name"`, from the registry rather than a path or repository.
fn ruby_entry(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("gem ")?.trim_start();
    let elsewhere = ["path:", "git:", "github:", ":path", ":git"].iter().any(|word| rest.contains(word));
    quoted(rest).filter(|_| !elsewhere)
}

/// The name in `"name[extra]>=1.0; marker",`.
fn requirement(line: &str) -> Option<&str> {
    let text = quoted(line)?;
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    (end > 0 && !text.contains('@')).then(|| &text[..end])
}

/// The text between the quotes a value begins with.
fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(inside, _)| inside)
}
