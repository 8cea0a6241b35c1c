//! Certificates for servers on this machine.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

/// A certificate with its key, and the authority that signed it. All of them in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// The certificate of the authority, which a client has to trust.
    pub authority: String,
}

impl Certificate {
    /// A certificate for `localhost` and 127.0.0.1 by a new authority.
    ///
    /// # Panics
    ///
    /// When keys can't be made.
    pub fn for_loopback() -> Self {
        Self::for_names(&["localhost", "127.0.0.1"])
    }

    /// A certificate for this machine that has ended long ago, by a new authority.
    ///
    /// # Panics
    ///
    /// When keys can't be made.
    pub fn that_has_ended() -> Self {
        Self::made(&["localhost", "127.0.0.1"], |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    /// A certificate for other names or addresses, by a new authority.
    ///
    /// # Panics
    ///
    /// When keys can't be made or a name is none.
    pub fn for_names(names: &[&str]) -> Self {
        Self::made(names, |_| ())
    }

    fn made(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut authority = CertificateParams::default();
        // A client takes a certificate for its own authority when both have the same name.
        authority.distinguished_name.push(DnType::CommonName, "authority of a test");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names for a certificate");
        params.distinguished_name.push(DnType::CommonName, "server of a test");
        change(&mut params);
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        Self { certificate: certificate.pem(), key: key.serialize_pem(), authority: authority.pem() }
    }
}
