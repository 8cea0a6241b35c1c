//! Defaults, file and environment put together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path as FilePath, PathBuf};

use autopr_core::secrets::Values;
use autopr_core::yaml::{self, Diagnostic, Document, Path, Step};
use serde_json::Value as Json;

use super::environment::{self, FromEnvironment};
use super::origin::Origin;
use super::server::Environment;
use super::{Needs, Settings, json_schema, reference, rules};

/// Where settings are looked for.
#[derive(Clone, Default)]
pub struct Source {
    /// The environment variables.
    pub env: BTreeMap<String, String>,
    /// Which configuration file is read.
    pub config: ConfigFile,
    /// The folder that relative file names start from.
    pub dir: PathBuf,
    /// What was found under the names of [`Source::references`].
    pub secrets: Values,
    /// Beginnings of settings, such as `llm.providers`, whose secrets this process has no use for and perhaps no right to:
    /// where the file names one there, the setting counts as absent.
    pub unused: &'static [&'static str],
}

/// Which configuration file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConfigFile {
    /// `configs/<AUTOPR_ENV>.yaml` in the folder, if it exists.
    #[default]
    OfEnvironment,
    /// The one the user named, which must exist.
    Named(PathBuf),
    /// None: the folder belongs to somebody else, such as a repository under review.
    None,
}

/// Settings that are valid, with the origin of each.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The configuration file that was read.
    pub file: Option<String>,
    origins: Origins,
}

/// Everything that is wrong with the settings.
#[derive(Clone)]
pub struct Invalid {
    /// Every mistake: those of the file in its order, then those of the environment, then those between keys.
    pub mistakes: Vec<Diagnostic>,
    file: Option<(String, String)>,
}

/// Settings as far as they can be understood, with everything that is wrong with them.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The settings; where one is wrong, what it would be without it. None when nothing can be said of them, as of a file
    /// that can't be read: what holds in its place would be taken for what was meant.
    pub settings: Option<Settings>,
    /// Every mistake: those of the file in its order, then those of the environment, then those between keys.
    pub mistakes: Vec<Diagnostic>,
    /// The configuration file that was read.
    pub file: Option<String>,
}

/// Where each value comes from.
#[derive(Clone)]
pub(super) struct Origins {
    file: Option<Document>,
    environment: BTreeMap<Path, Origin>,
    /// Those of secrets that the file names.
    secrets: BTreeMap<Path, Origin>,
}

impl Settings {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// Every mistake in the file, in the environment and between the two.
    pub fn load(source: &Source) -> Result<Loaded, Invalid> {
        Self::load_as(source, |_| Needs::NOTHING)
    }

    /// Reads and checks all settings of a process that needs more than valid settings.
    ///
    /// # Errors
    /// Every mistake, and everything that is missing.
    pub fn load_for(source: &Source, needs: Needs) -> Result<Loaded, Invalid> {
        Self::load_as(source, |_| needs)
    }

    /// Reads as much as can be understood of the settings of a process that needs more than valid settings. For looking
    /// into a set-up that is wrong in several ways at once; nothing may be run with it.
    pub fn read(source: &Source, needs: Needs) -> Reading {
        let Parts { settings, mistakes, file, origins: _, unreadable } = Self::parts(source, |_| needs);
        let settings = settings.filter(|_| !unreadable);
        Reading { settings, mistakes, file: file.map(|(name, _)| name) }
    }

    /// Reads and checks all settings; as those of the process that they are themselves taken for.
    pub(super) fn load_as(source: &Source, needs: impl Fn(&Self) -> Needs) -> Result<Loaded, Invalid> {
        let Parts { settings, mistakes, file, origins, unreadable: _ } = Self::parts(source, needs);
        match settings {
            Some(settings) if mistakes.is_empty() => Ok(Loaded { settings, file: file.map(|(name, _)| name), origins }),
            _ => {
                let file = file.and_then(|(name, text)| Some((name, String::from_utf8(text).ok()?)));
                Err(Invalid { mistakes, file })
            }
        }
    }

    fn parts(source: &Source, needs: impl Fn(&Self) -> Needs) -> Parts {
        let mut mistakes = Vec::new();
        let found = find_file(source).unwrap_or_else(|mistake| {
            mistakes.push(*mistake);
            None
        });
        let schema = json_schema::of_settings();
        let mut in_environment = Vec::new();
        let FromEnvironment { document, secrets, origins: environment, set } =
            environment::read(&source.env, &source.dir, &source.secrets, &mut in_environment);
        let mut file = found.as_ref().and_then(|(name, text)| parse(name, text, &mut mistakes));
        let nameless = source.config == ConfigFile::OfEnvironment && environment_name(source).is_none();
        let unreadable = nameless || !mistakes.is_empty();
        let (values, of_secrets) = match &mut file {
            Some(file) => reference::take(file, &set, source, &mut mistakes),
            None => Default::default(),
        };
        let file_values = file.as_ref().and_then(|document| prune(document, &schema, &mut mistakes));
        mistakes.append(&mut in_environment);
        let origins = Origins { file, environment, secrets: of_secrets };
        let hiding = json_schema::hiding(schema.clone());
        // Later wins.
        let layers = [(&Document::from_values("secrets", values), &hiding), (&secrets, &hiding), (&document, &schema)];
        let mut merged = merge(file_values, None);
        for (document, schema) in layers {
            let mut found = Vec::new();
            merged = merge(Some(merged), prune(document, schema, &mut found));
            mistakes.extend(found.into_iter().map(|mistake| origins.name_variable(mistake)));
        }
        let settings = deserialise(merged, &origins, &mut mistakes);
        if let Some(settings) = &settings {
            rules::check(settings, &origins, needs(settings), &mut mistakes);
        }
        Parts { settings, mistakes, file: found, origins, unreadable }
    }
}

/// What reading settings comes to.
struct Parts {
    settings: Option<Settings>,
    mistakes: Vec<Diagnostic>,
    /// The file's name and content.
    file: Option<(String, Vec<u8>)>,
    origins: Origins,
    /// Whether nothing could be understood of the file, or nobody knows which is meant.
    unreadable: bool,
}

impl Loaded {
    /// Where the value of a key comes from, such as `workflow.timeout`.
    pub fn origin(&self, path: impl Into<Path>) -> Origin {
        self.origins.of(&path.into())
    }

    /// How many environment variables were used.
    pub fn variables(&self) -> usize {
        let mut names: Vec<String> = self.origins.environment.values().map(Origin::to_string).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }
}

impl fmt::Debug for Source {
    /// Without the values of the variables, among which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.keys().collect();
        f.debug_struct("Source")
            .field("env", &names)
            .field("config", &self.config)
            .field("dir", &self.dir)
            .field("secrets", &self.secrets)
            .finish()
    }
}

impl fmt::Debug for Invalid {
    /// Without the file's text, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invalid").field("mistakes", &self.mistakes).finish_non_exhaustive()
    }
}

impl fmt::Debug for Origins {
    /// Without the file's text, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origins").field("environment", &self.environment).finish_non_exhaustive()
    }
}

impl fmt::Display for Invalid {
    /// All mistakes for a person, with excerpts of the file where they hold no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text_of = |name: &str| self.file.as_ref().filter(|file| file.0 == name).map(|file| file.1.as_str());
        f.write_str(&yaml::render(&self.mistakes, text_of))
    }
}

impl std::error::Error for Invalid {}

impl Origins {
    pub(super) fn of(&self, path: &Path) -> Origin {
        for origins in [&self.environment, &self.secrets] {
            let mut ancestors = std::iter::successors(Some(path.clone()), Path::parent);
            if let Some(origin) = ancestors.find_map(|path| origins.get(&path)) {
                return origin.clone();
            }
        }
        match &self.file {
            Some(file) if file.get(path).is_some() => {
                let place = file.at(path);
                Origin::File { name: file.source().to_owned(), line: place.line, column: place.column }
            }
            _ => Origin::Default,
        }
    }

    /// A mistake in the value of a key, placed where that value comes from. It shows no line of the file, which may
    /// hold a secret.
    pub(super) fn mistake(&self, path: &Path, message: impl Into<String>) -> Diagnostic {
        match (self.of(path), &self.file) {
            (Origin::File { .. }, Some(file)) => file.mistake(path, message).without_excerpt(),
            (origin, _) => environment::mistake(&origin, path, message),
        }
    }

    /// [`Origins::mistake`] with a message that may hold the value, which is left out when it is a secret's.
    pub(super) fn mistake_in_value(&self, path: &Path, message: impl Into<String>) -> Diagnostic {
        match self.of(path) {
            Origin::Secret { .. } => self.mistake(path, "the secret's value is none that this setting can have"),
            _ => self.mistake(path, message),
        }
    }

    fn name_variable(&self, mut mistake: Diagnostic) -> Diagnostic {
        mistake.source = self.of(&Path::from(mistake.path.as_str())).to_string();
        mistake
    }
}

/// The name and content of the configuration file, if there is one.
pub(super) fn find_file(source: &Source) -> Result<Option<(String, Vec<u8>)>, Box<Diagnostic>> {
    let (name, required) = match &source.config {
        ConfigFile::Named(path) => (path.clone(), true),
        ConfigFile::OfEnvironment => match environment_name(source) {
            Some(name) => (FilePath::new("configs").join(format!("{name}.yaml")), false),
            // The value is reported with the other variables.
            None => return Ok(None),
        },
        ConfigFile::None => return Ok(None),
    };
    let shown = name.display().to_string();
    match std::fs::read(source.dir.join(&name)) {
        Ok(text) => Ok(Some((shown, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => Ok(None),
        Err(error) => Err(Box::new(
            Diagnostic::new(shown, "", format!("the configuration file can't be read: {error}"))
                .fix("name a YAML file that exists"),
        )),
    }
}

/// The environment whose file is read; none when the variable is not one of the known words, so that it can't name
/// another folder.
fn environment_name(source: &Source) -> Option<Environment> {
    let word = source.env.get("AUTOPR_ENV").map(|word| word.trim()).filter(|word| !word.is_empty());
    match word {
        Some(word) => Environment::ALL.into_iter().find(|environment| environment.as_str() == word),
        None => Some(Environment::default()),
    }
}

fn parse(name: &str, text: &[u8], mistakes: &mut Vec<Diagnostic>) -> Option<Document> {
    match Document::parse(name, text) {
        Ok(document) if document.is_empty() => None,
        Ok(document) => Some(document),
        Err(found) => {
            mistakes.extend(found.into_iter().map(Diagnostic::without_excerpt));
            None
        }
    }
}

fn prune(document: &Document, schema: &Json, mistakes: &mut Vec<Diagnostic>) -> Option<Json> {
    let (rest, mut found) = document.prune(schema);
    mistakes.append(&mut found);
    rest.map(|rest| rest.root().to_json())
}

/// Puts what counts more over what counts less.
fn merge(file: Option<Json>, environment: Option<Json>) -> Json {
    let mut merged = file.unwrap_or_else(|| Json::Object(serde_json::Map::new()));
    let environment = environment.unwrap_or(Json::Null);
    // One way to name the database takes the place of the other.
    if let (Some(ours), Some(theirs)) =
        (environment.get("database"), merged.get_mut("database").and_then(Json::as_object_mut))
    {
        if ours.get("url").is_some() {
            theirs.retain(|key, _| !matches!(key.as_str(), "host" | "port" | "username" | "password" | "name"));
        } else if ours.get("host").is_some() {
            theirs.remove("url");
        }
    }
    overlay(&mut merged, environment);
    if let Some(database) = merged.get_mut("database").and_then(Json::as_object_mut)
        && database.contains_key("host")
        && !database.contains_key("url")
    {
        // The default address gives way to the parts.
        database.insert("url".to_owned(), Json::Null);
    }
    merged
}

fn overlay(below: &mut Json, above: Json) {
    match (below, above) {
        (Json::Object(below), Json::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key).or_insert(Json::Null), value);
            }
        }
        (_, Json::Null) => {}
        (below, above) => *below = above,
    }
}

/// Reads the merged values; what their types refuse is reported and left out, so that everything is found at once.
fn deserialise(mut values: Json, origins: &Origins, mistakes: &mut Vec<Diagnostic>) -> Option<Settings> {
    loop {
        let error = match serde_path_to_error::deserialize::<_, Settings>(&values) {
            Ok(settings) => return Some(settings),
            Err(error) => error,
        };
        let steps = error.path().iter().filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(Step::Key(key.clone())),
            serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index)),
            _ => None,
        });
        let path = Path::from(steps.collect::<Vec<_>>());
        mistakes.push(origins.mistake_in_value(&path, error.inner().to_string()));
        if !remove(&mut values, path.steps()) {
            return None;
        }
    }
}

fn remove(values: &mut Json, steps: &[Step]) -> bool {
    match (steps, values) {
        ([Step::Key(key)], Json::Object(map)) => map.remove(key).is_some(),
        ([Step::Key(key), rest @ ..], Json::Object(map)) => map.get_mut(key).is_some_and(|inner| remove(inner, rest)),
        ([Step::Index(index), rest @ ..], Json::Array(items)) => match (rest, items.get_mut(*index)) {
            ([], Some(_)) => {
                items.remove(*index);
                true
            }
            (rest, Some(inner)) => remove(inner, rest),
            (_, None) => false,
        },
        _ => false,
    }
}
