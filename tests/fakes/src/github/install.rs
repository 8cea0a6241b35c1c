//! Accounts with tokens, and Apps with keys.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use data_encoding::BASE64;

use super::FakeGitHub;
use super::state::{App, Installation, Token};

/// What an App is granted unless told otherwise: the least the engine needs.
const GRANTED: [(&str, &str); 5] =
    [("checks", "write"), ("contents", "read"), ("issues", "write"), ("metadata", "read"), ("pull_requests", "write")];

/// What an App is told of unless told otherwise.
const EVENTS: [&str; 3] = ["pull_request", "issue_comment", "check_run"];

/// An App that was installed for an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Installed {
    /// The App's number.
    pub app_id: u64,
    /// The installation's number.
    pub installation_id: u64,
    /// The App's private key, as PEM (PKCS #8). It was made for this process.
    pub private_key: String,
    /// The account that what the App writes is attributed to.
    pub login: String,
}

impl FakeGitHub {
    /// A personal access token (`ghp_…`) of this account. What it may do follows from the account's permissions.
    pub fn token(&self, login: &str) -> String {
        let mut state = self.shared.state();
        let id = state.id();
        let token = format!("ghp_{}", &super::digest(format!("{login} {id}").as_bytes())[..36]);
        state.tokens.insert(token.clone(), Token::Personal { login: login.to_owned() });
        token
    }

    /// Installs an App for an account with the permissions the engine needs.
    ///
    /// # Panics
    ///
    /// When no key can be made.
    pub fn install_app(&self, account: &str) -> Installed {
        self.install_app_with(account, &GRANTED)
    }

    /// Installs an App for an account with these permissions and levels.
    ///
    /// # Panics
    ///
    /// When no key can be made.
    pub fn install_app_with(&self, account: &str, permissions: &[(&str, &str)]) -> Installed {
        let (private_key, public_key) = key();
        let mut state = self.shared.state();
        let (app, id) = (state.id(), state.id());
        let slug = format!("autopr-{app}");
        let login = format!("{slug}[bot]");
        let own = granted(&GRANTED);
        let events = EVENTS.map(str::to_owned).to_vec();
        state.apps.push(App { id: app, slug, public_key: public_key.clone(), permissions: own, events });
        let permissions = granted(permissions);
        state.installations.push(Installation { id, app, account: account.to_owned(), permissions, suspended: false });
        Installed { app_id: app, installation_id: id, private_key: private_key.clone(), login }
    }

    /// Installs the same App for one more account.
    pub fn install_also(&self, known: &Installed, account: &str) -> Installed {
        let mut state = self.shared.state();
        let id = state.id();
        let permissions = granted(&GRANTED);
        let account = account.to_owned();
        state.installations.push(Installation { id, app: known.app_id, account, permissions, suspended: false });
        Installed { installation_id: id, ..known.clone() }
    }

    /// Lets the App itself ask for these permissions and events. What was granted stays as it is.
    pub fn change_app(&self, known: &Installed, permissions: &[(&str, &str)], events: &[&str]) {
        let mut state = self.shared.state();
        for app in state.apps.iter_mut().filter(|app| app.id == known.app_id) {
            app.permissions = granted(permissions);
            app.events = events.iter().map(|event| (*event).to_owned()).collect();
        }
    }

    /// Suspends an installation: its tokens stop working and no new ones are given.
    pub fn suspend(&self, installation: u64) {
        let mut state = self.shared.state();
        state
            .installations
            .iter_mut()
            .filter(|known| known.id == installation)
            .for_each(|known| known.suspended = true);
    }

    /// Ends every installation token now, as GitHub may do before their time.
    pub fn end_installation_tokens(&self) {
        self.shared.state().tokens.retain(|_, token| matches!(token, Token::Personal { .. }));
    }
}

fn granted(permissions: &[(&str, &str)]) -> BTreeMap<String, String> {
    permissions.iter().map(|&(name, level)| (name.to_owned(), level.to_owned())).collect()
}

/// A private and a public key as PEM, the same for the whole process: making one takes a while.
fn key() -> &'static (String, String) {
    static KEY: OnceLock<(String, String)> = OnceLock::new();
    KEY.get_or_init(|| {
        let made = || {
            let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
            let private: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
            Some((pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref())))
        };
        made().unwrap_or_else(|| panic!("no RSA key could be made"))
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|from| &text[from..(from + 64).min(text.len())]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
