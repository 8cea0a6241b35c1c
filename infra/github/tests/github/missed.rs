//! What reconciliation asks, against the fake GitHub: the list of deliveries, another try, installations, pull requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use autopr_core::event::Sender;
use autopr_core::fault::FaultKind;
use autopr_core::ids::{InstallationId, PrNumber};
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{Cursor, DeliveryTry, OpenPull, Page, Place};
use autopr_fakes::github::{FakeGitHub, Installed, NewPull, NewRepository};
use autopr_github::{Credentials, GitHub, Settings};
use serde_json::json;
use tokio::sync::mpsc;

use crate::server::{Server, reply, settings};

const DIFF: &str = "diff --git a/a.rs b/a.rs\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/a.rs\n\
    @@ -0,0 +1 @@\n+fn a() {}\n";

/// A GitHub with an App installed for `acme`, which has a repository with a pull request.
struct Scene {
    github: FakeGitHub,
    app: Installed,
}

impl Scene {
    fn new() -> Self {
        let github = FakeGitHub::start();
        github.add_repository(NewRepository::new("acme", "shop").private());
        github.open_pull("acme", "shop", NewPull::new("First", DIFF));
        let app = github.install_app("acme");
        Self { github, app }
    }

    fn app(&self) -> GitHub {
        self.app_numbered(self.app.app_id)
    }

    fn app_numbered(&self, id: u64) -> GitHub {
        let credentials = Credentials::App { id, private_key: self.app.private_key.clone().into() };
        GitHub::new(Settings { credentials, ..settings(self.github.url()) }).unwrap()
    }

    fn token(&self) -> GitHub {
        let credentials = Credentials::Token(self.github.token("acme").into());
        GitHub::new(Settings { credentials, ..settings(self.github.url()) }).unwrap()
    }

    fn place(&self, name: &str) -> Place {
        Place {
            repository: format!("acme/{name}").parse().unwrap(),
            installation: Some(InstallationId(self.app.installation_id)),
            since: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        }
    }

    /// What was asked since the last time: who asked for which path and query. Tokens are left out.
    fn asked(&self) -> Vec<String> {
        let requests = self.github.requests().into_iter().filter(|request| !request.is_token_request());
        let lines = requests.map(|request| {
            let (method, path, query, caller) = (request.method, request.path, request.query, request.caller);
            format!("{caller}: {method} {path} {query}").trim_end().to_owned()
        });
        let lines = lines.collect();
        self.github.forget_requests();
        lines
    }
}

/// Where webhooks go; what it answers can be changed. Tells of each webhook by its delivery id and signature.
async fn receiver(scene: &Scene) -> (Arc<AtomicU16>, mpsc::UnboundedReceiver<(String, String)>) {
    let status = Arc::new(AtomicU16::new(503));
    let (sender, arrived) = mpsc::unbounded_channel();
    let answered = Arc::clone(&status);
    let server = Server::start(move |asked| {
        let header = |name| asked.header(name).to_owned();
        sender.send((header("x-github-delivery"), header("x-hub-signature-256"))).unwrap();
        reply(answered.load(Ordering::SeqCst), json!({}))
    })
    .await;
    scene.github.send_webhooks_to(&format!("{}/webhooks/github", server.url), "a secret");
    (status, arrived)
}

#[tokio::test]
async fn every_try_at_a_delivery_is_listed_by_pages_the_newest_first() {
    let scene = Scene::new();
    let (status, mut arrived) = receiver(&scene).await;
    let lost = scene.github.deliver_pull_request("acme", "shop", 1, "opened").await;
    status.store(202, Ordering::SeqCst);
    for _ in 0..103 {
        scene.github.deliver_ping().await;
    }
    let again = scene.github.redeliver(lost.id).await;
    let forge = scene.app();
    let first = forge.deliveries(None).await.unwrap();
    assert_eq!((first.items.len(), first.requests), (100, 1));
    assert!(first.remaining.is_some_and(|left| left > 0));
    let second = forge.deliveries(first.next.as_ref()).await.unwrap();
    assert_eq!((second.items.len(), second.next.clone()), (5, None));
    let entry = |number, arrived, again, at| {
        let (delivery, event) = (lost.guid.parse().unwrap(), "pull_request".to_owned());
        DeliveryTry { number, delivery, event, at, arrived, again }
    };
    let (newest, oldest) = (&first.items[0], second.items.last().unwrap());
    assert_eq!(*newest, entry(again.id, true, true, newest.at));
    assert_eq!(*oldest, entry(lost.id, false, false, oldest.at));
    assert!(oldest.at <= newest.at && newest.at <= jiff::Timestamp::now());
    assert_eq!(first.items[1].event, "ping");
    let asked = scene.asked();
    assert_eq!(asked[0], "app: GET /app/hook/deliveries per_page=100");
    assert!(asked[1].starts_with("app: GET /app/hook/deliveries per_page=100&cursor=v"), "{}", asked[1]);
    assert_eq!(arrived.recv().await.unwrap().0, lost.guid);
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_delivery_that_could_not_be_made_at_all_did_not_arrive() {
    let scene = Scene::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    scene.github.send_webhooks_to(&format!("http://{closed}/"), "a secret");
    scene.github.deliver_pull_request("acme", "shop", 1, "opened").await;
    let page = scene.app().deliveries(None).await.unwrap();
    assert_eq!(page.items.iter().map(|entry| entry.arrived).collect::<Vec<_>>(), [false]);
}

#[tokio::test]
async fn a_delivery_asked_for_again_arrives_as_the_same_one() {
    let scene = Scene::new();
    let (status, mut arrived) = receiver(&scene).await;
    let lost = scene.github.deliver_pull_request("acme", "shop", 1, "opened").await;
    let first = arrived.recv().await.unwrap();
    status.store(202, Ordering::SeqCst);
    scene.app().redeliver(lost.id).await.unwrap();
    assert_eq!(arrived.recv().await.unwrap(), first, "the same delivery id and the same signed body");
    assert_eq!(scene.asked(), [format!("app: POST /app/hook/deliveries/{}/attempts", lost.id)]);
    let unknown = scene.app().redeliver(1).await.unwrap_err();
    assert_eq!(unknown.kind, FaultKind::NotFound);
    scene.github.assert_clean();
}

#[tokio::test]
async fn the_repositories_of_every_installation_are_places() {
    let scene = Scene::new();
    let suspended = scene.github.install_also(&scene.app, "idle");
    scene.github.add_repository(NewRepository::new("idle", "unseen"));
    scene.github.suspend(suspended.installation_id);
    let other = scene.github.install_also(&scene.app, "octo");
    for number in 0..101 {
        scene.github.add_repository(NewRepository::new("octo", &format!("r-{number:03}")).private());
    }
    scene.github.add_repository(NewRepository::new("stranger", "not-ours"));
    let forge = scene.app();
    let (mut places, mut requests, mut from): (Vec<Vec<Place>>, u32, Option<Cursor>) = (vec![], 0, None);
    loop {
        let page = forge.places(from.as_ref()).await.unwrap().expect("an App's places are known");
        requests += page.requests;
        places.push(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(places.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 100, 1]);
    assert_eq!(places[0], [scene.place("shop")]);
    assert_eq!(places[3][0].repository.as_str(), "octo/r-100");
    assert_eq!(places[3][0].installation, Some(InstallationId(other.installation_id)));
    let asked = scene.asked();
    assert_eq!(requests as usize, asked.len(), "each request is counted");
    let expected = [
        "app: GET /app/installations per_page=1&page=1",
        "installation: GET /installation/repositories per_page=100&page=1",
        "app: GET /app/installations per_page=1&page=2",
    ];
    assert_eq!(asked[..3], expected);
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_token_that_ended_early_is_renewed() {
    let scene = Scene::new();
    let forge = scene.app();
    forge.places(None).await.unwrap();
    scene.github.end_installation_tokens();
    let page = forge.places(None).await.unwrap().unwrap();
    assert_eq!(page.items, [scene.place("shop")]);
    scene.github.assert_clean();
}

#[tokio::test]
async fn open_pull_requests_come_by_their_last_change_as_a_webhook_tells_of_them() {
    let scene = Scene::new();
    let draft = NewPull::new("Second", DIFF).author("renovate[bot]").draft().label("cart").label("bug");
    let second = scene.github.open_pull("acme", "shop", draft);
    let closed = scene.github.open_pull("acme", "shop", NewPull::new("Closed", DIFF));
    scene.github.set_pull_state("acme", "shop", closed, false, false);
    scene.github.set_at_rest("acme", "shop", 1, Duration::from_secs(60));
    scene.github.set_at_rest("acme", "shop", second, Duration::from_secs(3600));
    let Page { items, next, requests, .. } = scene.app().open_pull_requests(&scene.place("shop"), None).await.unwrap();
    assert_eq!((next, requests), (None, 1));
    let known = |number| {
        let sha = |text: String| text.parse().unwrap();
        (sha(scene.github.base("acme", "shop", number)), sha(scene.github.head("acme", "shop", number)))
    };
    let [first, last]: [OpenPull; 2] = items.try_into().unwrap();
    assert_eq!((first.number, first.draft, &first.labels), (PrNumber(1), false, &vec![]));
    assert_eq!((first.base, first.head), known(1));
    assert_eq!(first.author, Sender { login: "contributor".to_owned(), bot: false });
    assert_eq!((last.number, last.draft), (PrNumber(second), true));
    assert_eq!((last.base, last.head), known(second));
    assert_eq!(last.author, Sender { login: "renovate[bot]".to_owned(), bot: true });
    assert_eq!(last.labels, ["cart", "bug"]);
    let apart = first.updated_at.as_second() - last.updated_at.as_second();
    assert!((3539..=3541).contains(&apart), "{apart} s");
    let expected =
        "installation: GET /repos/acme/shop/pulls state=open&sort=updated&direction=desc&per_page=100&page=1";
    assert_eq!(scene.asked(), [expected]);
    scene.github.assert_clean();
}

#[tokio::test]
async fn more_than_a_page_of_pull_requests_is_listed_by_pages() {
    let scene = Scene::new();
    for number in 2..=101 {
        scene.github.open_pull("acme", "shop", NewPull::new(&format!("No. {number}"), DIFF));
    }
    let (forge, place) = (scene.app(), scene.place("shop"));
    let first = forge.open_pull_requests(&place, None).await.unwrap();
    let second = forge.open_pull_requests(&place, first.next.as_ref()).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (100, 1, None));
    let foreign = forge.open_pull_requests(&place, Some(&Cursor("v1_2".to_owned()))).await.unwrap_err();
    assert_eq!(foreign.kind, FaultKind::Bug);
}

#[tokio::test]
async fn a_token_has_no_deliveries_and_names_no_places_but_lists_pull_requests() {
    let scene = Scene::new();
    let forge = scene.token();
    assert_eq!(forge.deliveries(None).await.unwrap(), Page::default());
    assert_eq!(forge.places(None).await.unwrap(), None);
    assert_eq!(forge.redeliver(1).await.unwrap_err().kind, FaultKind::Denied);
    assert!(scene.asked().is_empty(), "nothing of that is asked");
    let place = Place { installation: None, since: None, ..scene.place("shop") };
    assert_eq!(forge.open_pull_requests(&place, None).await.unwrap().items.len(), 1);
    scene.github.assert_clean();
}

#[tokio::test]
async fn what_is_forbidden_is_told() {
    let mut scene = Scene::new();
    let stranger = scene.app_numbered(scene.app.app_id + 500);
    for kind in [
        stranger.deliveries(None).await.unwrap_err().kind,
        stranger.places(None).await.unwrap_err().kind,
        stranger.redeliver(1).await.unwrap_err().kind,
    ] {
        assert_eq!(kind, FaultKind::Denied, "the key is not that App's");
    }
    scene.app = scene.github.install_app_with("acme", &[("metadata", "read")]);
    let fault = scene.app().open_pull_requests(&scene.place("shop"), None).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(fault.to_string().contains("pull_requests=read"), "{fault}");
}
