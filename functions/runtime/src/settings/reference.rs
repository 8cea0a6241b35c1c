//! Settings that name a secret of AWS Secrets Manager instead of holding it: `aws-sm://NAME` or `aws-sm://NAME#KEY`. Which
//! they are is told here, and what somebody has fetched for them is put in their places before anything is checked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use autopr_core::secrets::{AWS, Address, Malformed, Reference, Values};
use autopr_core::yaml::{Diagnostic, Document, Node, Path, Value};
use secrecy::ExposeSecret;

use super::environment::{self, database_parts};
use super::load::{Source, find_file};
use super::origin::Origin;

/// Where in the text of a setting addresses may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// The whole text is one.
    Whole,
    /// Each part between commas.
    List,
    /// What follows the first `=` of each part between commas, or the whole text.
    Pairs,
}

/// A text with the secrets in their places.
pub(super) struct Placed {
    pub(super) text: String,
    /// The addresses, for people.
    pub(super) names: String,
}

/// Why a text that names secrets can't be used.
pub(super) struct Wrong {
    message: String,
    fix: &'static str,
}

impl Wrong {
    pub(super) fn about(self, mistake: impl FnOnce(String) -> Diagnostic) -> Diagnostic {
        mistake(self.message).fix(self.fix)
    }
}

impl Source {
    /// The secrets that settings name, in no particular order. What can't be read is passed over here and reported by
    /// loading.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        let mut note = |setting: &Path, origin: &Origin, address: Address| {
            found.push(Reference { address, setting: setting.to_string(), origin: origin.to_string() });
        };
        let mut set = BTreeSet::new();
        for (path, places, text, origin) in environment::texts(&self.env, &self.dir) {
            for address in addresses(&text, places) {
                note(&path, &origin, address);
            }
            set.insert(path);
        }
        let Ok(Some((name, text))) = find_file(self) else { return found };
        let Ok(document) = Document::parse(name, &text) else { return found };
        let wanted = |path: &Path| !is_overridden(path, &set) && !is_unused(path, self.unused);
        for path in naming(document.root()).into_iter().filter(wanted) {
            let Some(node) = document.get(&path) else { continue };
            let origin = place_of(&document, &path);
            for (index, item) in node.items().iter().enumerate() {
                addresses(item.text().unwrap_or_default(), Places::Whole)
                    .into_iter()
                    .for_each(|address| note(&path.index(index), &origin, address));
            }
            addresses(node.text().unwrap_or_default(), Places::Whole)
                .into_iter()
                .for_each(|address| note(&path, &origin, address));
        }
        found
    }

    /// The same source with what was found under the names that [`Source::references`] told.
    #[must_use]
    pub fn resolved(&self, secrets: &Values) -> Self {
        Self { secrets: secrets.clone(), ..self.clone() }
    }
}

/// Puts the secrets into a text; none when it names no secret. `takes_object` says that the setting can be a JSON object.
pub(super) fn place(text: &str, places: Places, takes_object: bool, secrets: &Values) -> Result<Option<Placed>, Wrong> {
    let mut names = Vec::new();
    let mut whole = String::new();
    for (index, (before, part)) in parts(text, places).into_iter().enumerate() {
        let value = match Address::parse(part) {
            Ok(None) => Cow::Borrowed(part),
            Ok(Some(address)) => {
                names.push(address.to_string());
                Cow::Owned(value(&address, takes_object, secrets)?)
            }
            Err(malformed) => return Err(wrong_form(part, malformed)),
        };
        if index > 0 {
            whole.push(',');
        }
        whole.push_str(before);
        whole.push_str(&value);
    }
    Ok((!names.is_empty()).then(|| Placed { text: whole, names: names.join(", ") }))
}

/// Takes the settings that name secrets out of a configuration file. Returns their values, and where each comes from. Those
/// that one of the environment's settings takes the place of, or that the process has no use for, are only taken out.
pub(super) fn take(
    document: &mut Document,
    set: &BTreeSet<Path>,
    source: &Source,
    mistakes: &mut Vec<Diagnostic>,
) -> (Vec<(Path, Value)>, BTreeMap<Path, Origin>) {
    let (mut values, mut origins) = (Vec::new(), BTreeMap::new());
    for path in naming(document.root()) {
        if is_unused(&path, source.unused) {
            // Half of an App is a mistake.
            let whole = if is_under(&path, APP) { APP.into() } else { path };
            document.remove(&whole);
            continue;
        }
        if !is_overridden(&path, set) {
            match read(document, &path, &source.secrets) {
                Ok(Some((read, origin))) => {
                    origins.extend(read.iter().map(|(path, _)| (path.clone(), origin.clone())));
                    values.extend(read);
                }
                // A list with something else than text in it, which is reported with the other mistakes.
                Ok(None) => continue,
                Err(mistake) => mistakes.push(*mistake),
            }
        }
        document.remove(&path);
    }
    (values, origins)
}

/// What counts only together.
const APP: &str = "github.app";

type Read = Option<(Vec<(Path, Value)>, Origin)>;

fn read(document: &Document, path: &Path, secrets: &Values) -> Result<Read, Box<Diagnostic>> {
    let Some(node) = document.get(path) else { return Ok(None) };
    let mistake =
        |path: &Path, wrong: Wrong| Box::new(wrong.about(|message| document.mistake(path, message)).without_excerpt());
    let at = place_of(document, path);
    let Some(text) = node.text() else {
        let (mut texts, mut names) = (Vec::new(), Vec::new());
        for (index, item) in node.items().iter().enumerate() {
            let Some(text) = item.text() else { return Ok(None) };
            let placed = place(text, Places::Whole, false, secrets);
            match placed.map_err(|wrong| mistake(&path.index(index), wrong))? {
                Some(placed) => {
                    texts.push(placed.text);
                    names.push(placed.names);
                }
                None => texts.push(text.to_owned()),
            }
        }
        return Ok(Some((vec![(path.clone(), Value::texts(texts))], at.secret(names.join(", ")))));
    };
    let is_database = *path == Path::from("database.url");
    let placed = place(text, Places::Whole, is_database, secrets).map_err(|wrong| mistake(path, wrong))?;
    let Some(Placed { text, names }) = placed else { return Ok(None) };
    let values = if is_database && text.trim_start().starts_with('{') {
        database_parts(&text).map_err(|message| Box::new(document.mistake(path, message).without_excerpt()))?
    } else if NUMBERS.iter().any(|number| *path == Path::from(*number)) {
        vec![(path.clone(), Value::plain(text.trim()))]
    } else {
        vec![(path.clone(), Value::Text(text))]
    };
    Ok(Some((values, at.secret(names))))
}

/// The settings that are numbers and stand beside a secret in one JSON object.
const NUMBERS: [&str; 2] = ["database.port", "github.app.id"];

/// The paths of the texts, and of the lists of texts, that name secrets.
fn naming(root: &Node) -> Vec<Path> {
    fn walk(node: &Node, path: &Path, found: &mut Vec<Path>) {
        let is_naming = |node: &Node| node.text().is_some_and(|text| text.trim_start().starts_with(AWS));
        if is_naming(node) || node.items().iter().any(is_naming) {
            found.push(path.clone());
        }
        for entry in node.entries() {
            walk(&entry.node, &path.key(&entry.key), found);
        }
    }
    let mut found = Vec::new();
    walk(root, &Path::default(), &mut found);
    found
}

fn place_of(document: &Document, path: &Path) -> Origin {
    let place = document.at(path);
    Origin::File { name: document.source().to_owned(), line: place.line, column: place.column }
}

/// Whether a setting of the file gives way to one of the environment's.
fn is_overridden(path: &Path, set: &BTreeSet<Path>) -> bool {
    let database = Path::from("database");
    let connection = ["url", "host", "port", "username", "password", "name"];
    let is_connection = || connection.iter().any(|key| *path == database.key(*key));
    set.contains(path) || (set.contains(&database.key("url")) && is_connection())
}

/// Whether a setting lies under one of these beginnings.
fn is_unused(path: &Path, unused: &[&str]) -> bool {
    unused.iter().any(|beginning| is_under(path, beginning))
}

fn is_under(path: &Path, beginning: &str) -> bool {
    path.steps().starts_with(Path::from(beginning).steps())
}

/// The addresses in a text.
fn addresses(text: &str, places: Places) -> Vec<Address> {
    parts(text, places).into_iter().filter_map(|(_, part)| Address::parse(part).ok().flatten()).collect()
}

/// The parts of a text that may be addresses, each with what stands before it.
fn parts(text: &str, places: Places) -> Vec<(&str, &str)> {
    match places {
        Places::List => text.split(',').map(|part| ("", part)).collect(),
        Places::Pairs if !text.trim_start().starts_with(AWS) => {
            text.split(',').map(|pair| pair.split_at(pair.find('=').map_or(0, |equals| equals + 1))).collect()
        }
        Places::Whole | Places::Pairs => vec![("", text)],
    }
}

fn value(address: &Address, takes_object: bool, secrets: &Values) -> Result<String, Wrong> {
    let Some(value) = secrets.get(address) else {
        let message = format!("{address} names a secret of AWS Secrets Manager, which this program does not read");
        return Err(Wrong { message, fix: "set the value itself, or mount it as a file and name that with NAME_FILE" });
    };
    // As in a secret's file, the line end that an editor adds is not part of it.
    let text = value.expose_secret().trim_end_matches(['\n', '\r']);
    if text.trim().is_empty() {
        return Err(Wrong { message: format!("{address} is empty"), fix: "give the secret a value" });
    }
    let is_object = || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
    if !takes_object && text.trim_start().starts_with('{') && is_object() {
        let message = format!("{address} holds a JSON object");
        return Err(Wrong { message, fix: "name the key that is meant: aws-sm://NAME#KEY" });
    }
    Ok(text.to_owned())
}

fn wrong_form(part: &str, malformed: Malformed) -> Wrong {
    // It may be a secret behind the scheme.
    let message = format!("{} characters that begin like a secret's address are none: {malformed}", part.trim().len());
    Wrong { message, fix: "write aws-sm://NAME, or aws-sm://NAME#KEY when the secret is a JSON object" }
}
