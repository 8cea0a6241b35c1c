//! The environment variables that hold settings, and how each is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;

use autopr_core::secrets::Values;
use autopr_core::yaml::{Diagnostic, Document, Path, Value, nearest};

use super::origin::Origin;
use super::reference::{self, Placed, Places};

/// One environment variable and the setting it holds.
struct Variable {
    name: &'static str,
    path: &'static str,
    form: Form,
}

/// How the text of a variable is read.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// As it is.
    Text,
    /// As a number, `true` or `false`.
    Plain,
    /// As it is; it may also stand in a file that `NAME_FILE` names.
    Secret,
    /// A secret of several lines, in which `\n` may stand for a line end.
    SecretLines,
    /// Secrets with commas between them.
    SecretList,
    /// `name=secret` pairs with commas between them.
    SecretPairs,
    /// An address, or a JSON object with its parts.
    Database,
}

/// When two variables hold the same setting, the first that is set counts.
const VARIABLES: [Variable; 24] = [
    Variable { name: "AUTOPR_ENV", path: "environment", form: Form::Text },
    Variable { name: "AUTOPR_HOST", path: "server.host", form: Form::Text },
    Variable { name: "AUTOPR_PORT", path: "server.port", form: Form::Plain },
    Variable { name: "PORT", path: "server.port", form: Form::Plain },
    Variable { name: "AUTOPR_API_KEYS", path: "server.api_keys", form: Form::SecretPairs },
    Variable { name: "AUTOPR_LOG_LEVEL", path: "logging.level", form: Form::Text },
    Variable { name: "DATABASE_URL", path: "database.url", form: Form::Database },
    Variable { name: "DATABASE_POOLER", path: "database.pooler", form: Form::Text },
    Variable { name: "REDIS_URL", path: "redis.url", form: Form::Secret },
    Variable { name: "GITHUB_TOKEN", path: "github.token", form: Form::Secret },
    Variable { name: "GITHUB_APP_ID", path: "github.app.id", form: Form::Plain },
    Variable { name: "GITHUB_APP_PRIVATE_KEY", path: "github.app.private_key", form: Form::SecretLines },
    Variable { name: "GITHUB_WEBHOOK_SECRET", path: "github.webhook_secrets", form: Form::SecretList },
    Variable { name: "OPENAI_API_KEY", path: "llm.providers.openai.api_key", form: Form::Secret },
    Variable { name: "ANTHROPIC_API_KEY", path: "llm.providers.anthropic.api_key", form: Form::Secret },
    Variable { name: "MISTRAL_API_KEY", path: "llm.providers.mistral.api_key", form: Form::Secret },
    Variable { name: "GEMINI_API_KEY", path: "llm.providers.gemini.api_key", form: Form::Secret },
    Variable { name: "DEFAULT_LLM_PROVIDER", path: "llm.default_provider", form: Form::Text },
    Variable { name: "MAX_CONCURRENT_WORKFLOWS", path: "workflow.max_concurrent", form: Form::Plain },
    Variable { name: "WORKFLOW_TIMEOUT", path: "workflow.timeout", form: Form::Plain },
    Variable { name: "AUTOPR_PUSH_AUDIENCE", path: "push.audience", form: Form::Text },
    Variable { name: "AUTOPR_PUSH_SERVICE_ACCOUNT", path: "push.service_account", form: Form::Text },
    Variable { name: "AUTOPR_PUSH_KEYS_URL", path: "push.keys_url", form: Form::Text },
    Variable { name: "AUTOPR_PUSH_TIMEOUT", path: "push.timeout", form: Form::Plain },
];

/// Those of the provider on Azure, which has an address and a deployment of the customer's own.
const AZURE: [Variable; 3] = [
    Variable { name: "AZURE_OPENAI_API_KEY", path: "llm.providers.azure_openai.api_key", form: Form::Secret },
    Variable { name: "AZURE_OPENAI_ENDPOINT", path: "llm.providers.azure_openai.base_url", form: Form::Text },
    Variable { name: "AZURE_OPENAI_DEPLOYMENT", path: "llm.providers.azure_openai.model", form: Form::Text },
];

/// The largest secret file that is read: a private key has some 3 KiB.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// The settings the environment holds.
pub(super) struct FromEnvironment {
    /// What stands there itself.
    pub(super) document: Document,
    /// What secrets hold that are named there.
    pub(super) secrets: Document,
    pub(super) origins: BTreeMap<Path, Origin>,
    /// The settings that it holds, rightly or wrongly.
    pub(super) set: BTreeSet<Path>,
}

/// Reads all variables; `dir` is the folder that files named by `NAME_FILE` are relative to. An empty variable counts
/// as not set, as it does in compose files.
pub(super) fn read(
    env: &BTreeMap<String, String>,
    dir: &FilePath,
    secrets: &Values,
    mistakes: &mut Vec<Diagnostic>,
) -> FromEnvironment {
    let mut values: Vec<(Path, Value)> = Vec::new();
    let mut secret_values: Vec<(Path, Value)> = Vec::new();
    let (mut origins, mut set) = (BTreeMap::new(), BTreeSet::new());
    for variable in VARIABLES.iter().chain(&AZURE) {
        let target = Path::from(variable.path);
        if origins.contains_key(&target) {
            continue;
        }
        match lookup(variable, env, dir) {
            Ok(Some((text, origin))) => {
                set.insert(target.clone());
                let is_database = variable.form == Form::Database;
                let (text, origin, into) = match reference::place(&text, variable.places(), is_database, secrets) {
                    Ok(None) => (text, origin, &mut values),
                    Ok(Some(Placed { text, names })) => (text, origin.secret(names), &mut secret_values),
                    Err(wrong) => {
                        mistakes.push(wrong.about(|message| mistake(&origin, &target, message)));
                        continue;
                    }
                };
                match variable.values(text, &target) {
                    Ok(read) => {
                        for (path, value) in read {
                            origins.insert(path.clone(), origin.clone());
                            into.push((path, value));
                        }
                    }
                    Err(message) => mistakes.push(mistake(&origin, &target, message)),
                }
            }
            Ok(None) => {}
            Err(diagnostic) => mistakes.push(*diagnostic),
        }
    }
    mistyped_names(env, mistakes);
    let document = |values| Document::from_values("environment", values);
    FromEnvironment { document: document(values), secrets: document(secret_values), origins, set }
}

/// The settings that are set and can be read, with where in their texts secrets may be named.
pub(super) fn texts(env: &BTreeMap<String, String>, dir: &FilePath) -> Vec<(Path, Places, String, Origin)> {
    let mut found: Vec<(Path, Places, String, Origin)> = Vec::new();
    for variable in VARIABLES.iter().chain(&AZURE) {
        let path = Path::from(variable.path);
        if !found.iter().any(|(known, ..)| *known == path)
            && let Ok(Some((text, origin))) = lookup(variable, env, dir)
        {
            found.push((path, variable.places(), text, origin));
        }
    }
    found
}

/// A mistake in what an environment variable holds.
pub(super) fn mistake(origin: &Origin, path: &Path, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(origin.to_string(), path.to_string(), message)
}

type Found = Option<(String, Origin)>;

fn lookup(variable: &Variable, env: &BTreeMap<String, String>, dir: &FilePath) -> Result<Found, Box<Diagnostic>> {
    let set = |name: &str| env.get(name).filter(|value| !value.trim().is_empty()).cloned();
    let direct = set(variable.name);
    let file_name = format!("{}_FILE", variable.name);
    let file = if variable.is_secret() { set(&file_name) } else { None };
    match (direct, file) {
        (Some(_), Some(_)) => {
            let origin = Origin::Variable { name: file_name };
            let message = format!("{} is set too", variable.name);
            Err(Box::new(mistake(&origin, &variable.path.into(), message).fix("keep one of them")))
        }
        (Some(text), None) => Ok(Some((text, Origin::Variable { name: variable.name.to_owned() }))),
        (None, Some(path)) => {
            let origin = Origin::VariableFile { name: file_name, path: path.clone().into() };
            match read_secret(&dir.join(path)) {
                Ok(text) => Ok(Some((text, origin))),
                Err(message) => Err(Box::new(mistake(&origin, &variable.path.into(), message))),
            }
        }
        (None, None) => Ok(None),
    }
}

fn read_secret(path: &FilePath) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("the file can't be read: {error}"))?;
    if metadata.len() > MAX_SECRET_BYTES {
        return Err(format!("the file has {} bytes, too many for a secret", metadata.len()));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("the file can't be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "the file is not text".to_owned())?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() { Err("the file is empty".to_owned()) } else { Ok(text.to_owned()) }
}

impl Variable {
    fn is_secret(&self) -> bool {
        !matches!(self.form, Form::Text | Form::Plain)
    }

    fn places(&self) -> Places {
        match self.form {
            Form::SecretList => Places::List,
            Form::SecretPairs => Places::Pairs,
            Form::Text | Form::Plain | Form::Secret | Form::SecretLines | Form::Database => Places::Whole,
        }
    }

    /// The settings a text stands for. An error never holds the text.
    fn values(&self, text: String, target: &Path) -> Result<Vec<(Path, Value)>, String> {
        if self.name == "AUTOPR_PORT" && text.starts_with("tcp://") {
            return Err("Kubernetes has set this for a service called autopr; set enableServiceLinks: false".to_owned());
        }
        let value = match self.form {
            Form::Text => Value::Text(text.trim().to_owned()),
            Form::Plain => Value::plain(text.trim()),
            Form::Secret => Value::Text(text),
            Form::SecretLines => Value::Text(text.replace("\\n", "\n")),
            Form::SecretList => Value::texts(text.split(',').map(|part| part.trim().to_owned())),
            Form::SecretPairs => return pairs(&text, target),
            Form::Database if text.trim_start().starts_with('{') => return database_parts(&text),
            Form::Database => Value::Text(text.trim().to_owned()),
        };
        Ok(vec![(target.clone(), value)])
    }
}

fn pairs(text: &str, target: &Path) -> Result<Vec<(Path, Value)>, String> {
    let mut read = BTreeMap::new();
    for (index, pair) in text.split(',').enumerate() {
        let (name, key) =
            pair.split_once('=').ok_or_else(|| format!("entry {} has no `=`; write name=key,name=key", index + 1))?;
        // What stands before the `=` may be a key too, if somebody forgot the name: many end in one.
        if !is_name(name.trim()) || key.trim().trim_matches('=').is_empty() {
            return Err(format!(
                "entry {} is not name=key; names have lower-case letters, digits, - and _, 32 at most",
                index + 1
            ));
        }
        let path = target.key(name.trim());
        if read.insert(path, Value::Text(key.trim().to_owned())).is_some() {
            return Err(format!("entry {} repeats a name; give each key a name of its own", index + 1));
        }
    }
    Ok(read.into_iter().collect())
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    text.len() <= 32 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(allowed)
}

/// The parts of a connection as the secret stores of the clouds keep them. They add keys of their own, which are let be.
pub(super) fn database_parts(text: &str) -> Result<Vec<(Path, Value)>, String> {
    let parts: BTreeMap<String, serde_json::Value> = serde_json::from_str(text)
        .map_err(|error| format!("begins like a JSON object but is none, at column {}", error.column()))?;
    let mut read = Vec::new();
    for (key, value) in parts {
        let key = match key.as_str() {
            "url" | "host" | "port" | "password" | "name" => key.as_str(),
            "username" | "user" => "username",
            "database" | "dbname" => "name",
            _ => continue,
        };
        let value = match value {
            serde_json::Value::String(text) if key == "port" => Value::plain(&text),
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Number(number) => Value::Number(number),
            _ => return Err(format!("`{key}` in the JSON object must be text or a number")),
        };
        read.push((Path::from("database").key(key), value));
    }
    if let Some(position) = read.iter().position(|(path, _)| *path == Path::from("database.url")) {
        return Ok(vec![read.swap_remove(position)]);
    }
    if read.is_empty() {
        return Err(
            "the JSON object has neither `url` nor `host`, `port`, `username`, `password` and `database`".to_owned()
        );
    }
    Ok(read)
}

/// A name that differs from a known one by one letter or a separator would otherwise be passed over in silence. Only
/// our own prefix is looked at.
fn mistyped_names(env: &BTreeMap<String, String>, mistakes: &mut Vec<Diagnostic>) {
    let known: Vec<&str> =
        VARIABLES.iter().map(|variable| variable.name).filter(|name| name.starts_with("AUTOPR_")).collect();
    for name in env.keys().filter(|name| name.starts_with("AUTOPR")) {
        let stem = name.strip_suffix("_FILE").unwrap_or(name);
        if known.contains(&stem) {
            continue;
        }
        let near = nearest(name, known.iter().copied()).filter(|near| strsim::damerau_levenshtein(name, near) == 1);
        if let Some(near) = near {
            let source = Origin::Variable { name: name.clone() }.to_string();
            mistakes.push(Diagnostic::new(source, "", "unknown name").fix(format!("did you mean {near}?")));
        }
    }
}
