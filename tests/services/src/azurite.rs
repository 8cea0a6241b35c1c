//! Azurite, which stands in for Azure Storage Queue.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{Process, log_of};
use crate::program::{User, cache, find_installed};

/// The account that every Azurite has.
const ACCOUNT: &str = "devstoreaccount1";

/// Its key, which is no secret ("Use the Azurite emulator" of Azure's documentation).
const KEY: [&str; 2] = ["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6", "IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="];

/// The version of the service whose form of signatures is used.
const VERSION: &str = "2018-11-09";

/// An Azurite server that forgets everything at its end. It ends when dropped.
pub struct Azurite {
    process: Process,
    folder: Folder,
    port: u16,
    client: reqwest::Client,
    /// It speaks TLS, and takes tokens besides signatures.
    secured: bool,
}

/// A message that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// Its text, decoded from Base64 where it is that.
    pub text: String,
    /// How often it was handed out.
    pub dequeue_count: u32,
}

impl Azurite {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// When Azurite is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server with TLS and this certificate. It takes an identity's tokens too, of which it checks all but by whom
    /// they are signed.
    ///
    /// # Panics
    ///
    /// When Azurite is not installed or does not start.
    pub fn start_secured(certificate: &Certificate) -> Self {
        Self::start_with(Some(certificate))
    }

    fn start_with(certificate: Option<&Certificate>) -> Self {
        let (process, folder) = (Process::default(), Folder::new(User::Same, false));
        if let Some(Certificate { certificate, key, .. }) = certificate {
            folder.write("certificate.pem", certificate);
            folder.write("key.pem", key);
        }
        let secured = certificate.is_some();
        // The tests' own requests are of no interest to anybody.
        let client = reqwest::Client::builder().danger_accept_invalid_certs(secured).no_proxy().build();
        let mut server = Self { process, folder, port: 0, client: client.expect("a client"), secured };
        for _ in 0..5 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("Azurite does not start\n{}", log_of(&server.folder));
    }

    fn launch(&mut self) -> bool {
        let program = find_installed("azurite-queue", cache().join("azurite/node_modules/.bin"));
        let mut command = Command::new(program);
        command.args(["--queueHost", "127.0.0.1", "--queuePort", &self.port.to_string()]).args([
            "--inMemoryPersistence",
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--silent",
        ]);
        if self.secured {
            command.args(["--oauth", "basic", "--cert", "certificate.pem", "--key", "key.pem"]);
        }
        let (port, secured) = (self.port, self.secured);
        self.process.start(&mut command, &self.folder, || answers(port, secured))
    }

    /// The address, such as `127.0.0.1:10001`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of a queue with a signature that allows everything.
    pub fn queue_url(&self, queue: &str) -> String {
        self.queue_url_at(&self.address(), queue)
    }

    /// The same by way of a proxy at that address.
    pub fn queue_url_at(&self, address: &str, queue: &str) -> String {
        let scheme = if self.secured { "https" } else { "http" };
        format!("{scheme}://{address}/{ACCOUNT}/{queue}?{}", signature("rwdlacup"))
    }

    /// The URL of a queue without a signature.
    pub fn bare_queue_url(&self, queue: &str) -> String {
        self.queue_url(queue).split('?').next().unwrap_or_default().to_owned()
    }

    /// The URL of a queue with a signature whose time is over.
    pub fn expired_queue_url(&self, queue: &str) -> String {
        self.queue_url(queue).replace("2099", "2019")
    }

    /// Makes a queue and the one beside it for what is set aside.
    pub async fn create(&self, queue: &str) {
        for name in [queue.to_owned(), format!("{queue}-poison")] {
            let made = self.client.put(self.queue_url(&name)).send().await.expect("an answer");
            assert!(made.status().is_success(), "{name}: {}", made.status());
        }
    }

    /// Puts a text on a queue as it is.
    pub async fn put(&self, queue: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let url = self.of(queue, "/messages", "");
        let put = self.client.post(url).body(body).send().await.expect("an answer");
        assert!(put.status().is_success(), "{}", put.status());
    }

    /// How many messages a queue has, hidden ones among them.
    pub async fn messages(&self, queue: &str) -> u32 {
        let asked = self.client.get(self.of(queue, "", "comp=metadata")).send().await.expect("an answer");
        let count = asked.headers().get("x-ms-approximate-messages-count").and_then(|count| count.to_str().ok());
        count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{queue}: {}", asked.status()))
    }

    /// The messages of a queue that are not hidden, 32 at most.
    pub async fn peek(&self, queue: &str) -> Vec<Peeked> {
        let url = self.of(queue, "/messages", "peekonly=true&numofmessages=32");
        let asked = self.client.get(url).send().await.expect("an answer");
        let told = asked.text().await.expect("a text");
        let peeked = told.split("<QueueMessage>").skip(1).map(|message| {
            let text = between(message, "MessageText").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let decoded = BASE64.decode(text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let dequeue_count = between(message, "DequeueCount").parse().expect("a number");
            Peeked { text: decoded.unwrap_or(text), dequeue_count }
        });
        peeked.collect()
    }

    /// Stops it where it is: it takes connections and does not answer.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Kills it: nobody answers at its address, and what it had is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn of(&self, queue: &str, path: &str, query: &str) -> String {
        let url = self.queue_url(queue);
        let (before, signature) = url.split_once('?').unwrap_or((&url, ""));
        format!("{before}{path}?{query}&{signature}")
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        self.process.kill();
    }
}

fn between<'m>(text: &'m str, tag: &str) -> &'m str {
    let inner = text.split_once(&format!("<{tag}>")).map_or("", |(_, rest)| rest);
    inner.split_once("</").map_or("", |(inner, _)| inner)
}

/// The query that gives access to the account's queues ("Create an account SAS" of the REST API's reference).
fn signature(permissions: &str) -> String {
    let (expiry, protocols) = ("2099-01-01T00:00:00Z", "https,http");
    let signed = format!("{ACCOUNT}\n{permissions}\nq\nsco\n\n{expiry}\n\n{protocols}\n{VERSION}\n");
    let key = BASE64.decode(KEY.concat().as_bytes()).expect("Base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
    mac.update(signed.as_bytes());
    let signature = BASE64.encode(&mac.finalize().into_bytes());
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("sv", VERSION),
            ("ss", "q"),
            ("srt", "sco"),
            ("sp", permissions),
            ("se", expiry),
            ("spr", protocols),
            ("sig", &signature),
        ])
        .finish()
}

fn answers(port: u16, secured: bool) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        if secured {
            // It takes connections once it can serve them.
            return Ok(true);
        }
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("GET /{ACCOUNT}?comp=list HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut status = [0; 9];
        stream.read_exact(&mut status)?;
        // Without a signature it refuses, which is an answer.
        Ok::<_, std::io::Error>(status.starts_with(b"HTTP/1."))
    };
    ask().unwrap_or(false)
}
