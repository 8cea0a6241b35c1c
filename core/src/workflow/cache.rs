//! Definitions by digest, so that a store reads each version once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Definition;
use crate::fault::{Fault, FaultKind};

/// Definitions that were read before. Grows with the versions an operator has written, which are few.
#[derive(Debug, Default)]
pub struct DefinitionCache {
    known: RwLock<HashMap<String, Arc<Definition>>>,
}

impl DefinitionCache {
    /// Keeps a definition.
    pub fn insert(&self, definition: Arc<Definition>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(definition.digest(), definition);
    }

    /// The definition with that digest, if it is known.
    pub fn known(&self, digest: &str) -> Option<Arc<Definition>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// The definition with that digest, read from `json` if it is not known yet.
    ///
    /// # Errors
    /// When the stored JSON is no definition.
    pub fn get(&self, digest: &str, json: &str) -> Result<Arc<Definition>, Fault> {
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        let definition: Arc<Definition> = serde_json::from_str(json).map(Arc::new).map_err(|error| {
            Fault::new(FaultKind::Bug, format!("the stored definition {digest} is not readable")).json(&error)
        })?;
        self.insert(definition.clone());
        Ok(definition)
    }
}
