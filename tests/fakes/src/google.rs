//! What stands in for Google where services make themselves known: it signs OpenID Connect tokens, and serves the keys that
//! they are signed with.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A Google with keys of its own. It serves until the process ends.
pub struct FakeGoogle {
    url: String,
    pair: KeyPair,
    state: Arc<Mutex<State>>,
}

struct State {
    key_id: String,
    document: Value,
    max_age: u64,
    down: bool,
    fetches: usize,
}

impl FakeGoogle {
    /// Starts it with one key.
    ///
    /// # Panics
    ///
    /// When it can't make a key, or can't listen.
    pub fn start() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
        let state = State { key_id: String::new(), document: Value::Null, max_age: 3600, down: false, fetches: 0 };
        let state = Arc::new(Mutex::new(state));
        let served = Arc::clone(&state);
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody starts it");
                serve(listener, served).await;
            });
        });
        let address = told.recv().expect("it listens");
        let google = Self { url: format!("http://{address}/oauth2/v3/certs"), pair, state };
        google.rename_key("key-1");
        google
    }

    /// Where its keys are.
    pub fn keys_url(&self) -> &str {
        &self.url
    }

    /// How often its keys were fetched.
    pub fn fetches(&self) -> usize {
        self.state().fetches
    }

    /// Says for how many seconds its keys may be kept.
    pub fn keep_for(&self, seconds: u64) {
        self.state().max_age = seconds;
    }

    /// Answers 500 from now on, or its keys again.
    pub fn is_down(&self, down: bool) {
        self.state().down = down;
    }

    /// Signs with a key of that name from now on; the one before is no longer served.
    pub fn rename_key(&self, key_id: &str) {
        let public = self.pair.public_key();
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let (n, e) = (public.modulus(), public.exponent());
        let key = json!({
            "kid": key_id, "kty": "RSA", "alg": "RS256", "use": "sig",
            "n": part(n.big_endian_without_leading_zero()), "e": part(e.big_endian_without_leading_zero()),
        });
        // A kind of key that some other service of Google's has.
        let other = json!({ "kid": "other", "kty": "EC", "crv": "P-256", "alg": "ES256", "x": "", "y": "" });
        let mut state = self.state();
        state.key_id = key_id.to_owned();
        state.document = json!({ "keys": [other, key] });
    }

    /// What a good token says that speaks for this account to that audience, issued now and good for an hour.
    pub fn claims(audience: &str, account: &str) -> Value {
        let now = jiff::Timestamp::now().as_second();
        json!({
            "iss": "https://accounts.google.com", "aud": audience, "azp": "113774264463038321964",
            "sub": "113774264463038321964", "email": account, "email_verified": true, "iat": now, "exp": now + 3600,
        })
    }

    /// A token that says this, signed with its key.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": self.state().key_id.clone(), "typ": "JWT" });
        self.sign_as(&header, claims)
    }

    /// A token with another head, signed with its key all the same.
    ///
    /// # Panics
    ///
    /// When it can't sign.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let made = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        made.expect("a signature");
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |_| {
                let answer = answer(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
                async move { Ok::<_, Infallible>(answer) }
            });
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

fn answer(state: &mut State) -> Response<Full<Bytes>> {
    state.fetches += 1;
    let (status, body) = match state.down {
        true => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        false => (StatusCode::OK, state.document.to_string()),
    };
    let kept = format!("public, max-age={}, must-revalidate, no-transform", state.max_age);
    let answer = Response::builder().status(status).header("Cache-Control", kept).body(Full::new(body.into()));
    answer.expect("an answer")
}
