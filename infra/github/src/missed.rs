//! What reconciliation asks: GitHub's list of webhook deliveries, where the App is installed, and open pull requests.

use autopr_core::event::Sender;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{CommitSha, DeliveryId, InstallationId, PrNumber, RepoName};
use autopr_core::ports::forge::{Cursor, DeliveryTry, OpenPull, Page, Place, Target};
use jiff::Timestamp;
use serde::Deserialize;

use crate::answer::Answer;
use crate::api::{Api, read};
use crate::app::App;
use crate::auth::Auth;
use crate::http::Request;
use crate::operation::Operation;
use crate::page;

/// The most entries GitHub puts on a page.
const PER_PAGE: u32 = 100;

/// An entry of `/app/hook/deliveries`. Every try is one.
#[derive(Deserialize)]
struct Delivery {
    id: u64,
    guid: DeliveryId,
    delivered_at: Timestamp,
    redelivery: bool,
    /// What our side answered; GitHub makes up one, 502 or so, when it could not be reached.
    status_code: i64,
    event: String,
}

#[derive(Deserialize)]
struct Installation {
    id: InstallationId,
    created_at: Timestamp,
    suspended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Repositories {
    repositories: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: RepoName,
    #[serde(default)]
    archived: bool,
}

#[derive(Deserialize)]
struct Pull {
    number: PrNumber,
    user: Option<Account>,
    base: Side,
    head: Side,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    labels: Vec<Label>,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct Account {
    login: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Side {
    sha: CommitSha,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

/// A page of the App's deliveries. A token has no list of them: those of a repository's webhook need more rights.
pub(crate) async fn deliveries(api: &Api, from: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault> {
    let Auth::App(app) = &api.auth else { return Ok(Page::default()) };
    let request = Request::get(Operation::Deliveries, ["app", "hook", "deliveries"]).query("per_page", PER_PAGE);
    let request = match from {
        Some(Cursor(cursor)) => request.query("cursor", cursor),
        None => request,
    };
    let answer = api.http.send(&request, &app.claim()?).await?;
    let (next, remaining) = (page::cursor(&answer.headers).map(Cursor), answer.remaining());
    let items = answer.json::<Vec<Delivery>>()?.into_iter().map(told).collect();
    Ok(Page { items, next, requests: 1, remaining })
}

fn told(delivery: Delivery) -> DeliveryTry {
    let Delivery { id, guid, delivered_at, redelivery, status_code, event } = delivery;
    let arrived = (200..300).contains(&status_code);
    DeliveryTry { number: id, delivery: guid, event, at: delivered_at, arrived, again: redelivery }
}

/// Asks for a delivery again. GitHub answers before it tries.
pub(crate) async fn redeliver(api: &Api, number: u64) -> Result<(), Fault> {
    let Auth::App(app) = &api.auth else {
        return Err(Fault::new(FaultKind::Denied, "asking for a delivery again: only an App can"));
    };
    let number = number.to_string();
    let path = ["app", "hook", "deliveries", &number, "attempts"];
    api.http.send(&Request::act(Operation::Redeliver, path), &app.claim()?).await?.bytes().map(drop)
}

/// A page of the repositories the App is installed in: those of one installation. None for a token.
pub(crate) async fn places(api: &Api, from: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault> {
    let Auth::App(app) = &api.auth else { return Ok(None) };
    let at = At::read(from)?;
    let request = Request::get(Operation::Installations, ["app", "installations"]);
    let request = request.query("per_page", 1).query("page", at.installation);
    let answer = api.http.send(&request, &app.claim()?).await?;
    let another = page::next(&answer.headers).map(|installation| At { installation, page: 1 });
    let mut page =
        Page { requests: 1, next: another.map(At::written), remaining: answer.remaining(), ..Page::default() };
    let found: Vec<Installation> = answer.json()?;
    let Some(found) = found.into_iter().next().filter(|found| found.suspended_at.is_none()) else {
        return Ok(Some(page));
    };
    page.requests = 2;
    match repositories(api, app, &found, at.page).await {
        Ok((items, more)) => {
            page.items = items;
            page.next = more.map(|page| At { page, ..at }.written()).or(page.next);
        }
        // One that was taken away or suspended meanwhile does not keep us from the others.
        Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::NotFound) => {
            tracing::info!(installation = found.id.0, %fault, "its repositories can't be listed");
        }
        Err(fault) => return Err(fault),
    }
    Ok(Some(page))
}

/// Where in the list of places: the page of the list of installations, each with one, and that of its repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    installation: u32,
    page: u32,
}

impl At {
    fn read(from: Option<&Cursor>) -> Result<Self, Fault> {
        let Some(Cursor(text)) = from else { return Ok(Self { installation: 1, page: 1 }) };
        let numbers = text.split_once('.').and_then(|(left, right)| Some((left.parse().ok()?, right.parse().ok()?)));
        let (installation, page) = numbers.ok_or_else(|| not_ours(Operation::Repositories))?;
        Ok(Self { installation, page })
    }

    fn written(self) -> Cursor {
        Cursor(format!("{}.{}", self.installation, self.page))
    }
}

async fn repositories(api: &Api, app: &App, of: &Installation, page: u32) -> Result<(Vec<Place>, Option<u32>), Fault> {
    let request = Request::get(Operation::Repositories, ["installation", "repositories"]);
    let answer = app.send(&api.http, of.id, &request.query("per_page", PER_PAGE).query("page", page)).await?;
    let more = page::next(&answer.headers);
    let Repositories { repositories } = answer.json()?;
    let place = |repository: Repository| Place {
        repository: repository.full_name,
        installation: Some(of.id),
        since: Some(of.created_at),
    };
    // Nobody can push to an archived one.
    Ok((repositories.into_iter().filter(|repository| !repository.archived).map(place).collect(), more))
}

/// A page of the open pull requests, those that changed last first.
pub(crate) async fn open_pull_requests(
    api: &Api,
    place: &Place,
    from: Option<&Cursor>,
) -> Result<Page<OpenPull>, Fault> {
    let operation = Operation::OpenPullRequests;
    let number: u32 = match from {
        Some(Cursor(text)) => text.parse().map_err(|_| not_ours(operation))?,
        None => 1,
    };
    let target = Target { repository: place.repository.clone(), number: PrNumber(0), installation: place.installation };
    let request = read(operation, &target, &["pulls"]).query("state", "open").query("sort", "updated");
    let request = request.query("direction", "desc").query("per_page", PER_PAGE).query("page", number);
    let answer: Answer = api.send(&target, &request).await?;
    let (next, remaining) = (page::next(&answer.headers), answer.remaining());
    let items = answer.json::<Vec<Pull>>()?.into_iter().map(open).collect();
    Ok(Page { items, next: next.map(|next| Cursor(next.to_string())), requests: 1, remaining })
}

fn open(pull: Pull) -> OpenPull {
    let Pull { number, user, base, head, draft, labels, updated_at } = pull;
    // An account that was deleted shows as `ghost`, as on GitHub's pages.
    let author = user.map_or_else(
        || Sender { login: "ghost".to_owned(), bot: false },
        |user| Sender { bot: user.kind == "Bot", login: user.login },
    );
    let labels = labels.into_iter().map(|label| label.name).collect();
    OpenPull { number, base: base.sha, head: head.sha, draft, labels, author, updated_at }
}

fn not_ours(operation: Operation) -> Fault {
    Fault::new(FaultKind::Bug, format!("{}: the cursor is not one of this listing", operation.doing()))
}
