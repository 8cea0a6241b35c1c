//! Secrets that settings name instead of holding: which one is meant, and what was found under the name. Who fetches them
//! lies with the clouds.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// How a setting begins whose value is a secret of AWS Secrets Manager.
pub const AWS: &str = "aws-sm://";

/// The longest name that is taken: an Amazon Resource Name has at most 2048 characters (the API's reference for
/// `GetSecretValue`, `SecretId`).
const LONGEST: usize = 2048;

/// Which secret is meant: `aws-sm://NAME`, or `aws-sm://NAME#KEY` for one value of a secret that is a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The secret's name, which may hold slashes, or its Amazon Resource Name.
    pub name: String,
    /// The key of the value, when the secret is a JSON object.
    pub key: Option<String>,
}

/// Why a text that begins like the address of a secret is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing stands between the scheme and the key.
    #[error("the secret's name is missing")]
    NoName,
    /// A `#` with nothing behind it.
    #[error("nothing follows the #")]
    NoKey,
    /// The name has white space, or something else that no name has.
    #[error("the secret's name has characters that no name has")]
    Name,
}

impl Address {
    /// Reads a setting's text; none when it is a value itself.
    ///
    /// # Errors
    /// [`Malformed`] when it begins like an address and is none.
    pub fn parse(text: &str) -> Result<Option<Self>, Malformed> {
        let Some(address) = text.trim().strip_prefix(AWS) else { return Ok(None) };
        let (name, key) = match address.split_once('#') {
            Some((_, "")) => return Err(Malformed::NoKey),
            Some((name, key)) => (name, Some(key.to_owned())),
            None => (address, None),
        };
        if name.is_empty() {
            return Err(Malformed::NoName);
        }
        // Names that the service makes by itself, such as `rds!db-…`, have more characters than it allows us.
        if name.len() > LONGEST || !name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\,".contains(&byte)) {
            return Err(Malformed::Name);
        }
        Ok(Some(Self { name: name.to_owned(), key }))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{AWS}{}", self.name)?;
        match &self.key {
            Some(key) => write!(f, "#{key}"),
            None => Ok(()),
        }
    }
}

/// A setting whose value is a secret that has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The secret.
    pub address: Address,
    /// The setting, such as `database.url`.
    pub setting: String,
    /// Where the setting's value comes from, such as `environment variable DATABASE_URL`.
    pub origin: String,
}

/// What was found under the names. Never shown.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<Address, SecretString>);

impl Values {
    /// What was found under a name.
    pub fn get(&self, address: &Address) -> Option<&SecretString> {
        self.0.get(address)
    }

    /// Keeps what was found under a name.
    pub fn insert(&mut self, address: Address, value: SecretString) {
        self.0.insert(address, value);
    }
}

impl PartialEq for Values {
    /// Whether nothing has changed. How long this takes tells who measures it something, but nobody who does can choose
    /// either side.
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|((address, value), (other_address, other_value))| {
                address == other_address && value.expose_secret() == other_value.expose_secret()
            })
    }
}

impl fmt::Debug for Values {
    /// The names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(ToString::to_string)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_secret_and_perhaps_a_key() {
        let read = |text: &str| Address::parse(text).map(|found| found.map(|found| (found.name, found.key)));
        let found = |name: &str, key: Option<&str>| Ok(Some((name.to_owned(), key.map(str::to_owned))));
        assert_eq!(read("hunter2"), Ok(None));
        assert_eq!(read("postgresql://u@h/d#aws-sm://"), Ok(None));
        assert_eq!(read("aws-sm://autopr/prod/database"), found("autopr/prod/database", None));
        assert_eq!(read(" aws-sm://autopr/prod/database#url\n"), found("autopr/prod/database", Some("url")));
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:autopr/db-AbCdEf";
        assert_eq!(read(&format!("aws-sm://{arn}#a#b")), found(arn, Some("a#b")));
        assert_eq!(read("aws-sm://rds!db-1#password"), found("rds!db-1", Some("password")));
        assert_eq!(read("aws-sm://"), Err(Malformed::NoName));
        assert_eq!(read("aws-sm://#key"), Err(Malformed::NoName));
        assert_eq!(read("aws-sm://name#"), Err(Malformed::NoKey));
        assert_eq!(read("aws-sm://a b"), Err(Malformed::Name));
        assert_eq!(read("aws-sm://a,b"), Err(Malformed::Name));
        let text = "aws-sm://a/b#c";
        assert_eq!(Address::parse(text).unwrap().unwrap().to_string(), text);
    }

    #[test]
    fn values_are_compared_and_never_shown() {
        let values = |value: &str| {
            let mut values = Values::default();
            values.insert(Address { name: "a".to_owned(), key: None }, value.into());
            values
        };
        assert_eq!(values("hunter2"), values("hunter2"));
        assert_ne!(values("hunter2"), values("hunter3"));
        assert_ne!(values("hunter2"), Values::default());
        assert_eq!(format!("{:?}", values("hunter2")), r#"{"aws-sm://a"}"#);
    }
}
