//! What a lock file holds.

use memchr::memmem;

use super::manifest::Dependency;

/// A lock file's text and how to search it.
pub(super) struct Lock<'d> {
    form: Form,
    text: &'d str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name = "…"` and `version = "…"` tables: Cargo, Poetry, uv, PDM.
    Toml,
    Cargo,
    /// `"name": "range"` as in the manifest: npm, Bun.
    Json,
    Yarn,
    Pnpm,
    GoSum,
    Gemfile,
    Composer,
}

impl<'d> Lock<'d> {
    /// Knows the form by the file's name. A lock file that is no text can't be judged.
    pub(super) fn read(path: &str, content: &'d [u8]) -> Option<Self> {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let form = match name {
            "Cargo.lock" => Form::Cargo,
            "uv.lock" | "poetry.lock" | "pdm.lock" => Form::Toml,
            "package-lock.json" | "bun.lock" => Form::Json,
            "yarn.lock" => Form::Yarn,
            "pnpm-lock.yaml" => Form::Pnpm,
            "go.sum" => Form::GoSum,
            "Gemfile.lock" => Form::Gemfile,
            "composer.lock" => Form::Composer,
            _ => return None,
        };
        Some(Self { form, text: std::str::from_utf8(content).ok()? })
    }

    /// Whether a workspace's lock file covers this member; only Cargo's names the members.
    pub(super) fn has_package(&self, name: &str) -> bool {
        self.form != Form::Cargo || self.has(&format!("name = \"{name}\""))
    }

    /// Whether what a manifest asks for is certainly not in here.
    pub(super) fn lacks(&self, wanted: &Dependency<'_>) -> bool {
        let (name, version) = (wanted.name, wanted.version);
        match self.form {
            Form::Cargo => !self.has_crate(name, version),
            Form::Toml => {
                let normal = name.to_ascii_lowercase().replace(['_', '.'], "-");
                let forms = [name.to_owned(), normal.clone(), normal.replace('-', "_"), normal.replace('-', ".")];
                !forms.iter().any(|name| self.has(&format!("name = \"{name}\"")))
            }
            Form::Json => !self.has(&format!("\"{name}\": \"{version}\"")),
            Form::Yarn => !self.has(&format!("{name}@{version}")) && !self.has(&format!("{name}@npm:{version}")),
            Form::Pnpm => {
                !self.has(&format!("{name}:")) && !self.has(&format!("{name}':")) && !self.has(&format!("{name}@"))
            }
            Form::GoSum => !self.has(&format!("{name} {version}/go.mod ")),
            Form::Gemfile => !self.has(&format!("    {name} (")),
            Form::Composer => !self.has(&format!("\"name\": \"{name}\"")),
        }
    }

    fn has(&self, text: &str) -> bool {
        memmem::find(self.text.as_bytes(), text.as_bytes()).is_some()
    }

    /// Whether a crate is locked at a version that the requirement allows.
    fn has_crate(&self, name: &str, requirement: &str) -> bool {
        let header = format!("name = \"{name}\"\nversion = \"");
        let found = memmem::find_iter(self.text.as_bytes(), header.as_bytes());
        let mut versions = found.filter_map(|at| self.text[at + header.len()..].split('"').next()).peekable();
        versions.peek().is_some() && versions.any(|version| allows(requirement, version))
    }
}

/// Whether Cargo's caret requirement allows a version. Any other requirement counts as fulfilled: the rule must not guess.
fn allows(requirement: &str, version: &str) -> bool {
    let wanted = requirement.strip_prefix('^').unwrap_or(requirement);
    let (Some(wanted), Some(locked)) = (numbers(wanted), numbers(version)) else { return true };
    let significant = wanted.iter().position(|number| *number > 0).map_or(wanted.len(), |first| first + 1);
    locked.get(..significant.min(locked.len())) == wanted.get(..significant.min(locked.len())) && locked >= wanted
}

/// `1.2.3` as numbers; a pre-release or an operator is nothing this rule judges.
fn numbers(version: &str) -> Option<Vec<u32>> {
    let version = version.split('+').next().unwrap_or_default();
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", "1.4.2", true)]
    #[case("1.5", "1.4.2", false)]
    #[case("2", "1.4.2", false)]
    #[case("0.8", "0.8.1", true)]
    #[case("0.9", "0.8.1", false)]
    #[case("0.0.3", "0.0.4", false)]
    #[case("^1.4", "1.4.2", true)]
    #[case(">=3", "1.0.0", true)]
    #[case("1.0.0-rc.1", "0.9.0", true)]
    #[case("", "0.9.0", true)]
    fn carets_are_judged_and_nothing_else(#[case] requirement: &str, #[case] locked: &str, #[case] expected: bool) {
        assert_eq!(allows(requirement, locked), expected);
    }
}
