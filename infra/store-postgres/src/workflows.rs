//! What this process knows to be in the tables of workflows and definitions, which only grow: it need not be written again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use autopr_core::fault::Fault;
use autopr_core::workflow::Definition;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::accept;
use crate::row::fault;

/// Identities of workflows by name, and digests of definitions.
#[derive(Debug, Default)]
pub(crate) struct Workflows {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    workflows: HashMap<String, Uuid>,
    definitions: HashSet<String>,
}

impl Workflows {
    /// Makes sure that the workflow and its definition are there; returns the workflow's identity and the definition's
    /// digest.
    pub(crate) async fn ensure(
        &self,
        connection: &mut PgConnection,
        definition: &Arc<Definition>,
        now: Timestamp,
    ) -> Result<(Uuid, String), Fault> {
        let digest = definition.digest();
        let (workflow, written) = {
            let known = self.known();
            (known.workflows.get(&definition.name).copied(), known.definitions.contains(&digest))
        };
        if !written {
            sqlx::query(
                "INSERT INTO workflow_definitions (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
            )
            .bind(&digest)
            .bind(definition.to_json())
            .execute(&mut *connection)
            .await
            .map_err(fault("insert_definition"))?;
        }
        let workflow = match workflow {
            Some(workflow) => workflow,
            None => named(connection, definition, now).await?,
        };
        Ok((workflow, digest))
    }

    /// Remembers what is there for good.
    pub(crate) fn remember(&self, name: &str, workflow: Uuid, digest: String) {
        let mut known = self.known();
        known.workflows.insert(name.to_owned(), workflow);
        known.definitions.insert(digest);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn named(connection: &mut PgConnection, definition: &Arc<Definition>, now: Timestamp) -> Result<Uuid, Fault> {
    let known = sqlx::query_scalar("SELECT id FROM workflows WHERE name = $1")
        .bind(&definition.name)
        .fetch_optional(&mut *connection)
        .await
        .map_err(fault("workflow_id"))?;
    match known {
        Some(id) => Ok(id),
        None => accept::upsert_workflow(connection, definition, now).await,
    }
}
