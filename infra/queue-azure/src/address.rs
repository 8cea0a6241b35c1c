//! The address of a queue, which may hold a secret.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// What the name of the queue that messages are set aside in has behind the queue's own.
const POISON: &str = "-poison";

/// What a signature must allow, as its `sp=` has it ("Create an account SAS" of the REST API's reference): reading for the
/// look at the queue, adding for what publishes, updating to keep a message hidden, processing to take and remove it.
const PERMISSIONS: [(char, &str); 4] = [('r', "read"), ('a', "add"), ('u', "update"), ('p', "process")];

/// The most characters of a queue's name ("Naming Queues and Metadata" of the REST API's reference).
const LONGEST_NAME: usize = 63;

/// The address of a queue: `https://ACCOUNT.queue.core.windows.net/QUEUE`, which an identity gives access to, or the same
/// with a shared access signature behind it, which gives access to whoever knows it. The signature is never shown.
#[derive(Clone)]
pub struct QueueAddress {
    url: Url,
    signature: Option<SecretString>,
}

/// Why a text is not the address of a queue. It never holds the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is no URL.
    #[error("this is not the URL of a queue")]
    NotAnAddress,
    /// What is sent would not be hidden.
    #[error("the queue's URL must begin with https://")]
    Plain,
    /// An account's key or a connection string.
    #[error("this is a connection string, which gives the whole account away")]
    ConnectionString,
    /// There is no queue's name behind the account's.
    #[error("the URL has no queue's name at its end")]
    NoName,
    /// No queue can have the name.
    #[error("the URL's end is not a queue's name of 3 to 56 lower-case letters, digits and single hyphens")]
    Name,
    /// There is a query, and no signature in it.
    #[error("what follows the ? is not a shared access signature: it has no sig=")]
    NoSignature,
    /// The signature does not allow all that is needed; what is missing follows, such as `update (u), process (p)`.
    #[error("the signature does not allow to {0}")]
    Permissions(String),
}

impl BadAddress {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::ConnectionString => {
                "let the app's managed identity into the queue, and write https://ACCOUNT.queue.core.windows.net/QUEUE"
            }
            Self::NoSignature => "write the whole signature, or nothing behind the queue's name for a managed identity",
            Self::Permissions(_) => "make a signature with read, add, update and process: sp=raup",
            _ => "write https://ACCOUNT.queue.core.windows.net/QUEUE",
        }
    }
}

impl QueueAddress {
    /// Reads an address. On this machine it may be of an emulator, which has `http://` and the account before the queue.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        if text.contains("AccountName=") || text.contains("AccountKey=") {
            return Err(BadAddress::ConnectionString);
        }
        let mut url = Url::parse(text).map_err(|_| BadAddress::NotAnAddress)?;
        let plain = !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
        if url.cannot_be_a_base() || !url.has_host() || plain {
            return Err(BadAddress::NotAnAddress);
        }
        let signature = url.query().map(str::to_owned).filter(|query| !query.is_empty());
        if signature.is_some() && !url.query_pairs().any(|(name, value)| name == "sig" && !value.is_empty()) {
            return Err(BadAddress::NoSignature);
        }
        if signature.is_some() {
            let allowed = url.query_pairs().find(|(name, _)| name == "sp").map(|(_, value)| value.into_owned());
            let allowed = allowed.unwrap_or_default();
            let missing = PERMISSIONS.iter().filter(|(letter, _)| !allowed.contains(*letter));
            let missing: Vec<_> = missing.map(|(letter, name)| format!("{name} ({letter})")).collect();
            if !missing.is_empty() {
                return Err(BadAddress::Permissions(missing.join(", ")));
            }
        }
        url.set_query(None);
        match url.scheme() {
            "https" => {}
            // The client refuses to send an identity's token there.
            "http" if is_here(&url) && signature.is_some() => {}
            "http" => return Err(BadAddress::Plain),
            _ => return Err(BadAddress::NotAnAddress),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let address = Self { url, signature: signature.map(SecretString::from) };
        match address.name() {
            "" => Err(BadAddress::NoName),
            name if is_name(name) => Ok(address),
            _ => Err(BadAddress::Name),
        }
    }

    /// The queue's name.
    pub fn name(&self) -> &str {
        self.url.path().rsplit('/').next().unwrap_or_default()
    }

    /// Whether access is given by a signature, not by an identity.
    pub fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// The queue beside it that messages are set aside in.
    #[must_use]
    pub fn poison(&self) -> Self {
        let mut poison = self.clone();
        poison.url.set_path(&format!("{}{POISON}", self.url.path()));
        poison
    }

    /// The whole of it, for the client.
    pub(crate) fn expose(&self) -> Url {
        let mut url = self.url.clone();
        url.set_query(self.signature.as_ref().map(ExposeSecret::expose_secret));
        url
    }
}

impl fmt::Debug for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())?;
        if self.is_signed() { f.write_str("?********") } else { Ok(()) }
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether a queue can have the name, and the one beside it too.
fn is_name(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let hyphens = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    (3..=LONGEST_NAME - POISON.len()).contains(&name.len()) && letters && !hyphens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_queue_and_hides_its_signature() {
        for (text, name, shown) in [
            ("https://acc.queue.core.windows.net/reviews", "reviews", "https://acc.queue.core.windows.net/reviews"),
            (
                " https://acc.queue.core.windows.net/reviews/?sv=2024&sp=raup&sig=hunter2 ",
                "reviews",
                "https://acc.queue.core.windows.net/reviews?********",
            ),
            (
                "http://127.0.0.1:10001/devstoreaccount1/reviews?sp=rwdlacup&sig=hunter2",
                "reviews",
                "http://127.0.0.1:10001/devstoreaccount1/reviews?********",
            ),
        ] {
            let address = QueueAddress::parse(text).unwrap();
            assert_eq!(
                (address.name(), format!("{address}"), format!("{address:?}")),
                (name, shown.into(), shown.into())
            );
            assert_eq!(address.poison().name(), "reviews-poison");
            assert_eq!(address.is_signed(), address.expose().query().is_some_and(|query| query.contains("hunter2")));
        }
    }

    #[test]
    fn what_is_no_address_is_told_without_being_shown() {
        let long = format!("https://acc.queue.core.windows.net/{}", "q".repeat(57));
        for (text, why) in [
            ("", BadAddress::NotAnAddress),
            ("reviews", BadAddress::NotAnAddress),
            ("mailto:reviews", BadAddress::NotAnAddress),
            ("https://user:hunter2@acc.queue.core.windows.net/reviews", BadAddress::NotAnAddress),
            ("ftp://acc.queue.core.windows.net/reviews", BadAddress::NotAnAddress),
            ("http://acc.queue.core.windows.net/reviews?sp=raup&sig=hunter2", BadAddress::Plain),
            ("http://127.0.0.1:1/devstoreaccount1/reviews", BadAddress::Plain),
            ("DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=hunter2", BadAddress::ConnectionString),
            ("https://acc.queue.core.windows.net", BadAddress::NoName),
            ("https://acc.queue.core.windows.net/Reviews", BadAddress::Name),
            ("https://acc.queue.core.windows.net/-reviews", BadAddress::Name),
            ("https://acc.queue.core.windows.net/re--views", BadAddress::Name),
            (&long, BadAddress::Name),
            ("https://acc.queue.core.windows.net/reviews?sv=hunter2", BadAddress::NoSignature),
            (
                "https://acc.queue.core.windows.net/reviews?sp=ra&sig=hunter2",
                BadAddress::Permissions("update (u), process (p)".to_owned()),
            ),
            (
                "https://acc.queue.core.windows.net/reviews?sig=hunter2",
                BadAddress::Permissions("read (r), add (a), update (u), process (p)".to_owned()),
            ),
        ] {
            let found = QueueAddress::parse(text).unwrap_err();
            assert_eq!(found, why, "{text}");
            assert!(!format!("{found} {found:?} {}", found.fix()).contains("hunter2"));
        }
    }
}
