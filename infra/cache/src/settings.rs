//! How to reach Redis.

use std::fmt;
use std::time::Duration;

use autopr_core::fault::Fault;
use redis::{Client, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The parameter of the address that names a file with the certificates to trust, in PEM; the word is PostgreSQL's.
const AUTHORITY: &str = "sslrootcert";

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://USER:PASSWORD@HOST:PORT/NUMBER`, or `rediss://` with TLS. The user is one of Redis's access control lists
    /// and may be left out. With `?sslrootcert=FILE` the certificates in that file are trusted instead of the system's.
    pub url: SecretString,
    /// Whether TLS is used even if the address begins with `redis://`.
    pub ssl: bool,
    /// How long one command may take, a connection that has to be made first included.
    pub timeout: Duration,
    /// The most connections. They are shared by all who ask, as Redis answers in the order of the questions, so that no
    /// more than a few are opened however high this is.
    pub max_connections: u32,
    /// How long Redis is left alone after it did not answer.
    pub pause: Duration,
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, ssl, timeout, max_connections, pause } = self;
        write!(f, "RedisSettings {{ ssl: {ssl}, timeout: {timeout:?}, max_connections: {max_connections}, ")?;
        write!(f, "pause: {pause:?} }}")
    }
}

impl RedisSettings {
    /// What connections are made with. Nothing is connected yet.
    ///
    /// # Errors
    /// A fault of kind `Invalid` that names the setting when the address or the file of certificates can't be used.
    pub(crate) fn client(&self) -> Result<Client, Fault> {
        let unusable = |why: &str| Fault::invalid(format!("redis.url (REDIS_URL) can't be used: {why}"));
        // The reasons of the libraries are left out where they could quote the password.
        let mut url = Url::parse(self.url.expose_secret()).map_err(|_| unusable("it is no address"))?;
        if self.ssl && url.scheme() == "redis" {
            url.set_scheme("rediss").map_err(|()| unusable("it is no address"))?;
        }
        if !matches!(url.scheme(), "redis" | "rediss") {
            return Err(unusable("it begins with neither redis:// nor rediss://"));
        }
        if url.fragment().is_some() {
            return Err(unusable("what follows a # has no meaning here; in a password it is written %23"));
        }
        let authority = url.query_pairs().find(|(name, _)| name == AUTHORITY).map(|(_, file)| file.into_owned());
        url.set_query(None);
        if url.scheme() == "redis" {
            return match authority {
                None => Client::open(url).map_err(|error| unusable(error.category())),
                Some(_) => Err(unusable("sslrootcert is for rediss://, or for redis.ssl")),
            };
        }
        // Whoever came first has chosen the same: there is one in this program.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let root_cert = authority.map(|file| {
            let unreadable = |error| unusable(&format!("sslrootcert: can't read {file}: {error}"));
            let pem = std::fs::read(&file).map_err(unreadable)?;
            match pem.windows(27).any(|line| line == b"-----BEGIN CERTIFICATE-----") {
                true => Ok(pem),
                false => Err(unusable(&format!("sslrootcert: {file} holds no certificate in PEM form"))),
            }
        });
        let certificates = TlsCertificates { client_tls: None, root_cert: root_cert.transpose()? };
        Client::build_with_tls(url, certificates).map_err(|error| unusable(error.category()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        let seconds = Duration::from_secs(1);
        let url = SecretString::from(url);
        let settings = RedisSettings { url, ssl: false, timeout: seconds, max_connections: 1, pause: seconds };
        assert!(!format!("{settings:?}").contains("hunter2"));
        settings.client().map(drop).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_with_an_address_is_told_without_its_password() {
        for (url, why) in [
            ("hunter2", "it is no address"),
            ("http://:hunter2@cache", "it begins with neither redis:// nor rediss://"),
            ("redis://:hunter2#x@cache", "it is no address"),
            ("rediss://:hunter2@cache/0#insecure", "what follows a #"),
            ("redis://:hunter2@cache/first", ""),
            ("redis://:hunter2@cache?sslrootcert=/x", "sslrootcert is for rediss://"),
            ("rediss://:hunter2@cache?sslrootcert=/nowhere/x.pem", "can't read /nowhere/x.pem"),
            ("rediss://:hunter2@cache?sslrootcert=/dev/null", "/dev/null holds no certificate"),
        ] {
            let text = refused(url);
            assert!(text.starts_with("redis.url (REDIS_URL) can't be used: ") && text.contains(why), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
