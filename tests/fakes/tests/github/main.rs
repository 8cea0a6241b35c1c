//! The fake GitHub, looked at over HTTP: each rule that it keeps, shown once.

mod access;
mod description;
mod faults;
mod reading;
mod reviews;
mod webhooks;
mod writing;

use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A diff with two hunks in one file, a new file, a renamed one and a picture.
pub(crate) const DIFF: &str = "\
diff --git a/src/cart.rs b/src/cart.rs
index 1111111..2222222 100644
--- a/src/cart.rs
+++ b/src/cart.rs
@@ -1,4 +1,5 @@
 fn total(items: &[Item]) -> u64 {
-    items.iter().map(|i| i.price).sum()
+    let sum: u64 = items.iter().map(|i| i.price).sum();
+    sum - 1
 }
 
@@ -20,3 +21,3 @@ fn later() {
     one();
-    two();
+    three();
     four();
diff --git a/docs/new.md b/docs/new.md
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/docs/new.md
@@ -0,0 +1 @@
+hello
diff --git a/old name.txt b/new name.txt
similarity index 100%
rename from old name.txt
rename to new name.txt
diff --git a/logo.png b/logo.png
index 4444444..5555555 100644
Binary files a/logo.png and b/logo.png differ
";

pub(crate) const PULL: &str = "/repos/acme/shop/pulls/1";

/// A fake with the repository `acme/shop`, one pull request, and a client with a personal token.
pub(crate) struct Scene {
    pub(crate) github: FakeGitHub,
    pub(crate) client: Client,
    pub(crate) token: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new("acme", "shop")
                .file("README.md", "A shop.\n")
                .file("src/cart.rs", "fn total() {}\n")
                .collaborator("bot", Permission::Write)
                .collaborator("reader", Permission::Read),
        );
        github.open_pull("acme", "shop", NewPull::new("Count less", DIFF).body("Why not?").label("cart"));
        let client = Client::builder().user_agent("test").no_proxy().build().expect("a client");
        let token = github.token("bot");
        Self { github, client, token }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().expect("a method");
        self.client.request(method, format!("{}{path}", self.github.url())).bearer_auth(&self.token)
    }

    /// The status and the JSON answered.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.ask(method, path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        read(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("POST", path, Some(body)).await
    }

    /// Goes on as an App's installation; gives the App's number and its own signed token.
    pub(crate) async fn become_app(&mut self) -> (u64, String) {
        let app = self.github.install_app("acme");
        let jwt = jwt(&app.private_key, &app.app_id.to_string(), -30, 300);
        let url = format!("{}/app/installations/{}/access_tokens", self.github.url(), app.installation_id);
        let (status, given) = read(self.client.post(url).bearer_auth(&jwt).send().await.expect("an answer")).await;
        assert_eq!(status, 201, "{given}");
        self.token = given["token"].as_str().expect("a token").to_owned();
        (app.app_id, jwt)
    }
}

pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// An App's token, issued and ending this many seconds from now.
pub(crate) fn jwt(key: &str, issuer: &str, issued: i64, ends: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({ "iss": issuer, "iat": now + issued, "exp": now + ends });
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).expect("a key");
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).expect("a token")
}
