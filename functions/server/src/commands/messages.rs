//! `autopr messages`: what the queue has set aside, for a person.

use std::path::PathBuf;
use std::process::ExitCode;

use autopr::store::AnyStore;
use autopr_core::clock::Clock;
use autopr_core::message::{Message, V1};
use autopr_core::ports::Operations;
use autopr_core::ports::operations::DeadMessage;
use autopr_core::ports::store::AuditEntry;
use serde_json::json;
use uuid::Uuid;

use super::{Done, FOUND, Failure};
use crate::cli::MessagesAction;

/// Messages read at once.
const PAGE: u32 = 200;

pub(crate) fn run(action: &MessagesAction, config: Option<PathBuf>) -> Done {
    let loaded = super::settings(config)?;
    super::block_on(async {
        let opened = AnyStore::open(&loaded.settings.database).await.map_err(Failure::unusable)?;
        let store = opened.port();
        let done = match action {
            MessagesAction::List { json } => list(store.as_ref(), *json).await,
            MessagesAction::Show { id } => show(store.as_ref(), *id).await,
            MessagesAction::Redrive { ids, all } => change(store.as_ref(), ids, *all, Change::Redrive).await,
            MessagesAction::Discard { ids, all } => change(store.as_ref(), ids, *all, Change::Discard).await,
        };
        opened.close().await;
        done
    })
}

async fn all(store: &dyn Operations) -> Result<Vec<DeadMessage>, Failure> {
    let mut messages: Vec<DeadMessage> = Vec::new();
    loop {
        let after = messages.last().map_or(0, |message| message.id);
        let page = store.dead_messages(after, PAGE).await.map_err(Failure::unusable)?;
        if page.is_empty() {
            return Ok(messages);
        }
        messages.extend(page);
    }
}

async fn list(store: &dyn Operations, as_json: bool) -> Done {
    let messages = all(store).await?;
    if as_json {
        let shown = messages.iter().map(|message| {
            let DeadMessage { id, receive_count, reason, .. } = message;
            json!({ "id": id, "about": about(message), "taken": receive_count, "reason": reason })
        });
        anstream::println!("{:#}", serde_json::Value::Array(shown.collect()));
        return Ok(ExitCode::SUCCESS);
    }
    for message in &messages {
        let DeadMessage { id, receive_count, reason, .. } = message;
        anstream::println!("{id}  {}  taken {receive_count} times, {reason}", about(message));
    }
    if messages.is_empty() {
        anstream::println!("no message is set aside");
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(store: &dyn Operations, id: i64) -> Done {
    let found = store.dead_messages(id.saturating_sub(1), 1).await.map_err(Failure::unusable)?;
    match found.first().filter(|message| message.id == id) {
        Some(message) => {
            anstream::println!("{}", message.body);
            Ok(ExitCode::SUCCESS)
        }
        None => Err(missing(id)),
    }
}

#[derive(Clone, Copy)]
enum Change {
    Redrive,
    Discard,
}

async fn change(store: &dyn Operations, ids: &[i64], every: bool, change: Change) -> Done {
    let ids = match every {
        true => all(store).await?.into_iter().map(|message| message.id).collect(),
        false => ids.to_vec(),
    };
    for id in ids {
        let (action, done) = match change {
            Change::Redrive => ("message.redrive", "is on the queue again"),
            Change::Discard => ("message.discard", "is gone"),
        };
        let note = AuditEntry {
            key: format!("{action}/{id}/{}", Uuid::now_v7()),
            at: Clock::System.now(),
            actor: super::actor(),
            origin: super::host(),
            action: action.to_owned(),
            subject: format!("message {id}"),
            detail: None,
        };
        let changed = match change {
            Change::Redrive => store.redrive(id, &note).await,
            Change::Discard => store.discard(id, &note).await,
        };
        match changed.map_err(Failure::unusable)? {
            true => anstream::println!("message {id} {done}"),
            false => return Err(missing(id)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn missing(id: i64) -> Failure {
    Failure::new(FOUND, format!("no message {id} is set aside; `autopr messages list` shows which are"))
}

/// What a message is about, without what people wrote.
fn about(message: &DeadMessage) -> String {
    match Message::decode(&message.body) {
        Ok(Message::V1(V1::Event { event })) => {
            format!("{} of {}#{}, delivery {}", event.kind.as_str(), event.repository, event.number.0, event.delivery)
        }
        Ok(Message::V1(V1::Advance { execution, .. })) => format!("execution {execution}"),
        Err(_) => format!("{} bytes of another version", message.body.len()),
    }
}
