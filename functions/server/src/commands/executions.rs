//! `autopr executions` and `autopr audit`: what was done.

use std::path::PathBuf;
use std::process::ExitCode;

use autopr::store::AnyStore;
use autopr_core::ports::operations::{Filter, Summary};
use serde_json::json;

use super::{Done, Failure};
use crate::cli::{AuditArgs, ExecutionsArgs};

pub(crate) fn executions(arguments: &ExecutionsArgs, config: Option<PathBuf>) -> Done {
    let loaded = super::settings(config)?;
    let filter = Filter {
        workflow: arguments.workflow.clone(),
        status: arguments.status,
        repository: arguments.repository.clone(),
    };
    super::block_on(async {
        let opened = AnyStore::open(&loaded.settings.database).await.map_err(Failure::unusable)?;
        let listed = opened.port().executions(&filter, arguments.before, arguments.limit).await;
        opened.close().await;
        let listed = listed.map_err(Failure::unusable)?;
        if arguments.json {
            let shown = listed.iter().map(as_json);
            anstream::println!("{:#}", serde_json::Value::Array(shown.collect()));
        } else {
            listed.iter().for_each(print);
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn print(summary: &Summary) {
    let Summary { id, workflow, repository, number, status, created_at, error, .. } = summary;
    let error = error.as_deref().map(|error| format!("  {}", error.replace('\n', " "))).unwrap_or_default();
    let (status, number) = (status.as_str(), number.0);
    anstream::println!("{id}  {created_at:.0}  {status:<10}  {workflow}  {repository}#{number}{error}");
}

fn as_json(summary: &Summary) -> serde_json::Value {
    json!({
        "id": summary.id,
        "workflow": summary.workflow,
        "repository": summary.repository,
        "number": summary.number.0,
        "head": summary.head,
        "status": summary.status.as_str(),
        "created_at": summary.created_at,
        "completed_at": summary.completed_at,
        "error": summary.error,
    })
}

pub(crate) fn audit(arguments: &AuditArgs, config: Option<PathBuf>) -> Done {
    let loaded = super::settings(config)?;
    super::block_on(async {
        let opened = AnyStore::open(&loaded.settings.database).await.map_err(Failure::unusable)?;
        let log = opened.port().audit_log(arguments.before, arguments.limit).await;
        opened.close().await;
        let log = log.map_err(Failure::unusable)?;
        if arguments.json {
            let shown = log.iter().map(|(id, entry)| {
                json!({
                    "id": id, "at": entry.at, "actor": entry.actor, "origin": entry.origin, "action": entry.action,
                    "subject": entry.subject, "detail": entry.detail,
                })
            });
            anstream::println!("{:#}", serde_json::Value::Array(shown.collect()));
        } else {
            for (id, entry) in &log {
                let detail = entry.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
                let (at, actor, origin) = (entry.at, &entry.actor, &entry.origin);
                anstream::println!("{id}  {at:.0}  {actor} at {origin}  {} {}{detail}", entry.action, entry.subject);
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
