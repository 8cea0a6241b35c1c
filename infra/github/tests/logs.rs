//! What the forge logs. A test of its own program, since a log belongs to a whole process.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autopr_core::ids::{CommitSha, PrNumber};
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{Marker, Target};
use autopr_github::{Credentials, GitHub, Settings};
use axum::Router;
use http::StatusCode;
use tracing_subscriber::fmt::MakeWriter;

/// What was logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_tell_the_operation_and_keep_the_rest() {
    let log = Log::default();
    tracing_subscriber::fmt().with_env_filter("trace").with_ansi(false).with_writer(log.clone()).init();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let app = Router::new().fallback(|| async { (StatusCode::UNPROCESSABLE_ENTITY, r#"{"message":"canary answer"}"#) });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let credentials = Credentials::Token("ghp_canary".to_owned().into());
    let (timeout, check_name) = (Duration::from_secs(20), "autopr/review".to_owned());
    let forge = GitHub::new(Settings { base_url, timeout, credentials, check_name }).unwrap();
    let target = Target { repository: "octo/demo".parse().unwrap(), number: PrNumber(7), installation: None };
    forge.create_comment(&target, &Marker("m".to_owned()), "canary comment").await.unwrap_err();
    forge.file(&target, &CommitSha::zero(), "canary/path").await.unwrap_err();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<_> = log.lines().filter(|line| line.contains("autopr_github")).collect();
    assert_eq!(ours.len(), 2, "{log}");
    let line = "autopr_github::http: asked GitHub operation=\"create_comment\" status=\"422\" duration_ms=";
    assert!(ours[0].contains("DEBUG") && ours[0].contains(line), "{}", ours[0]);
    for secret in ["canary", "?", "ref="] {
        assert!(!ours.concat().contains(secret), "{log}");
    }
    // Nor do the libraries underneath show what is secret.
    for secret in ["ghp_canary", "canary answer", "canary comment"] {
        assert!(!log.contains(secret), "{log}");
    }
}
