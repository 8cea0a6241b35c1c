//! Apps, their installations, tokens and webhook deliveries; and what a token may ask about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::github::auth::Who;
use crate::github::call::{Answer, Context};
use crate::github::clock::written;
use crate::github::state::{App, Hook, Installation, Token};
use crate::github::wire;
use crate::github::written::Delivery;

/// How long an installation's token lives.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(3600);

pub(super) fn rate_limit(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (reset, limit, left) = context.limit;
    let core = json!({ "limit": limit, "remaining": left, "reset": reset, "used": limit - left });
    let search = json!({ "limit": 30, "remaining": 30, "reset": reset, "used": 0 });
    Ok(Answer::json(200, json!({ "resources": { "core": core, "search": search }, "rate": core })))
}

pub(super) fn user(context: &mut Context<'_>) -> Result<Answer, Answer> {
    Ok(Answer::json(200, wire::own_user(context.who.login(), &written(context.now), context.call.urls())))
}

/// The App that calls.
fn caller<'a>(context: &'a Context<'_>) -> Result<&'a App, Answer> {
    context.state.apps.iter().find(|app| Some(app.id) == context.who.app()).ok_or_else(Answer::not_found)
}

pub(super) fn own(context: &mut Context<'_>) -> Result<Answer, Answer> {
    Ok(Answer::json(200, wire::app(caller(context)?, context.call.urls())))
}

fn installed<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Installation> {
    context.state.installations.iter().filter(|known| Some(known.app) == context.who.app())
}

pub(super) fn installations(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let slug = &caller(context)?.slug;
    let shown = installed(context).map(|known| wire::installation(known, slug, context.call.urls())).collect();
    Ok(context.page(shown))
}

/// The repositories of the installation that calls.
pub(super) fn repositories(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let Who::Installation { id, only, .. } = &context.who else { return Err(Answer::not_found()) };
    let known = context.state.installations.iter().find(|known| known.id == *id).ok_or_else(Answer::not_found)?;
    let all = context.state.repositories.iter().filter(|of| of.owner.eq_ignore_ascii_case(&known.account));
    let seen = all.filter(|of| only.as_ref().is_none_or(|only| only.contains(&of.id)));
    let shown: Vec<Value> = seen.map(|of| wire::repository(of, context.call.urls())).collect();
    let count = shown.len();
    let (page, link) = context.paged(shown);
    let selection = if only.is_some() { "selected" } else { "all" };
    let body = json!({ "total_count": count, "repository_selection": selection, "repositories": page });
    Ok(Answer::json(200, body).with_link(link))
}

pub(super) fn of_repository(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let owner = &context.repository()?.owner;
    let slug = &caller(context)?.slug;
    let known = installed(context).find(|known| known.account.eq_ignore_ascii_case(owner));
    let known = known.ok_or_else(Answer::not_found)?;
    Ok(Answer::json(200, wire::installation(known, slug, context.call.urls())))
}

pub(super) fn token(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let id = context.number("installation_id")?;
    let known = installed(context).find(|known| known.id == id).ok_or_else(Answer::not_found)?.clone();
    if known.suspended {
        return Err(Answer::error(403, "This installation has been suspended"));
    }
    let only = asked_repositories(context, &known)?;
    let permissions = asked_permissions(context, &known)?;
    let token = format!("ghs_{}", &crate::github::digest(format!("{id} {}", context.state.id()).as_bytes())[..36]);
    let until = context.now.checked_add(TOKEN_LIFE).unwrap_or(context.now);
    let selection = if only.is_some() { "selected" } else { "all" };
    context
        .state
        .tokens
        .insert(token.clone(), Token::Installation { id, until, permissions: permissions.clone(), only: only.clone() });
    let mut shown = json!({
        "token": token, "expires_at": written(until), "permissions": permissions, "repository_selection": selection,
    });
    if let Some(only) = only {
        let urls = context.call.urls();
        let named = context.state.repositories.iter().filter(|repository| only.contains(&repository.id));
        shown["repositories"] = named.map(|repository| wire::repository(repository, urls)).collect();
    }
    Ok(Answer::json(201, shown))
}

/// The repositories a token is asked for: all, when none are named.
fn asked_repositories(context: &Context<'_>, known: &Installation) -> Result<Option<BTreeSet<u64>>, Answer> {
    let (names, ids) = (context.body["repositories"].as_array(), context.body["repository_ids"].as_array());
    if names.is_none() && ids.is_none() {
        return Ok(None);
    }
    let missing = || {
        Answer::error(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    };
    let mut found = BTreeSet::new();
    for name in names.into_iter().flatten() {
        let repository = context.state.repository(&known.account, name.as_str().unwrap_or_default());
        found.insert(repository.ok_or_else(missing)?.id);
    }
    for id in ids.into_iter().flatten() {
        let mut all = context.state.repositories.iter().filter(|of| of.owner.eq_ignore_ascii_case(&known.account));
        found.insert(all.find(|repository| Some(repository.id) == id.as_u64()).ok_or_else(missing)?.id);
    }
    Ok(Some(found))
}

/// The permissions a token is asked for; more than were granted are refused.
fn asked_permissions(context: &Context<'_>, known: &Installation) -> Result<BTreeMap<String, String>, Answer> {
    let Some(asked) = context.body["permissions"].as_object() else { return Ok(known.permissions.clone()) };
    let rank = |level: &str| ["read", "write", "admin"].iter().position(|known| *known == level);
    let mut given = BTreeMap::from([("metadata".to_owned(), "read".to_owned())]);
    for (name, level) in asked {
        let level = level.as_str().unwrap_or_default();
        let granted = known.permissions.get(name).and_then(|granted| rank(granted));
        if granted.is_none() || rank(level) > granted {
            return Err(Answer::error(422, "The permissions requested are not granted to this installation."));
        }
        given.insert(name.clone(), level.to_owned());
    }
    Ok(given)
}

/// How the App's webhooks are set up. A secret is never shown.
pub(super) fn hook(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let Hook { url, form, secret, any_certificate } = &context.state.hook;
    let mut shown = json!({
        "content_type": if *form { "form" } else { "json" }, "insecure_ssl": if *any_certificate { "1" } else { "0" },
    });
    if let Some(url) = url {
        shown["url"] = json!(url);
    }
    if *secret {
        shown["secret"] = json!("********");
    }
    Ok(Answer::json(200, shown))
}

fn delivered(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id, "guid": delivery.guid, "delivered_at": written(delivery.at),
        "redelivery": delivery.redelivery, "duration": delivery.seconds,
        "status": if (200..300).contains(&delivery.status_code) { "OK" } else { "Invalid HTTP Response" },
        "status_code": delivery.status_code, "event": delivery.event, "action": delivery.action,
        "installation_id": delivery.installation, "repository_id": delivery.repository,
    })
}

pub(super) fn deliveries(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let ask = |name: &str| context.call.query(name);
    let before: Option<u64> = ask("cursor").and_then(|cursor| cursor.trim_start_matches('v').parse().ok());
    let good = |delivery: &&Delivery| match ask("status") {
        Some("success") => (200..300).contains(&delivery.status_code),
        Some("failure") => !(200..300).contains(&delivery.status_code),
        _ => true,
    };
    let newest_first = context.state.deliveries.iter().rev().filter(good);
    let after_cursor: Vec<&Delivery> =
        newest_first.filter(|delivery| before.is_none_or(|before| delivery.id < before)).collect();
    let size = ask("per_page").and_then(|size| size.parse().ok()).unwrap_or(30).clamp(1, 100);
    let shown = after_cursor.iter().take(size).map(|delivery| delivered(delivery)).collect();
    // This listing is paged by a cursor, not by number.
    let link = after_cursor.get(size).and(after_cursor.get(size - 1)).map(|last| {
        let (api, id) = (&context.call.api, last.id);
        format!("<{api}/app/hook/deliveries?per_page={size}&cursor=v{id}>; rel=\"next\"")
    });
    Ok(Answer::json(200, shown).with_link(link))
}

fn delivery_asked<'a>(context: &'a Context<'_>) -> Result<&'a Delivery, Answer> {
    let id = context.number("delivery_id")?;
    context.state.deliveries.iter().find(|delivery| delivery.id == id).ok_or_else(Answer::not_found)
}

pub(super) fn delivery(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let delivery = delivery_asked(context)?;
    let mut shown = delivered(delivery);
    let payload: Value = serde_json::from_slice(&delivery.body).unwrap_or_default();
    let headers = json!({ "X-GitHub-Delivery": delivery.guid, "X-GitHub-Event": delivery.event });
    shown["url"] = json!(delivery.url);
    shown["request"] = json!({ "headers": headers, "payload": payload });
    shown["response"] = json!({ "headers": {}, "payload": "" });
    Ok(Answer::json(200, shown))
}

pub(super) fn redeliver(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let id = delivery_asked(context)?.id;
    context.redeliver.push(id);
    Ok(Answer::json(202, json!({})))
}
