//! The outbox: a folder that stands for what a forge would show. One file for each marker, written whole or not at all,
//! so that the same write made twice leaves one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use autopr_core::fault::Fault;
use autopr_core::ports::forge::{EffectKind, Marker, Remote, Target};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// The folder, and what was written to it or found in it last.
#[derive(Debug)]
pub(crate) struct Outbox {
    folder: PathBuf,
    last: Mutex<HashMap<EffectKind, PathBuf>>,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
struct Posted<T> {
    version: u32,
    marker: Marker,
    target: Target,
    at: Timestamp,
    content: T,
}

impl Outbox {
    /// Makes the folder when it does not exist. Blocks.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        Ok(Self { folder, last: Mutex::default() })
    }

    /// The folder's absolute path.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes `content` under the marker, unless that was done before: then what stands there stays. Blocks.
    pub(crate) fn post<T: Serialize>(
        &self,
        kind: EffectKind,
        target: &Target,
        marker: &Marker,
        content: &T,
    ) -> Result<Remote, Fault> {
        let path = self.path(kind, marker);
        if !path.exists() {
            let posted =
                Posted { version: 1, marker: marker.clone(), target: target.clone(), at: Timestamp::now(), content };
            self.write(&path, &posted)
                .map_err(|error| Fault::unavailable(format!("writing `{}`", path.display())).source(error))?;
        }
        Ok(self.seen(kind, path))
    }

    /// What stands under the marker. Blocks.
    pub(crate) fn find(&self, kind: EffectKind, marker: &Marker) -> Option<Remote> {
        let path = self.path(kind, marker);
        path.exists().then(|| self.seen(kind, path))
    }

    /// Reads back what was posted or found last. Blocks.
    pub(crate) fn last<T: DeserializeOwned>(&self, kind: EffectKind) -> Result<Option<T>, Fault> {
        let Some(path) = self.last_paths().get(&kind).cloned() else { return Ok(None) };
        let unreadable = |error: io::Error| {
            Fault::invalid(format!("reading `{}`; remove it to start anew", path.display())).source(error)
        };
        let bytes = fs::read(&path).map_err(unreadable)?;
        let posted: Posted<T> = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))?;
        Ok(Some(posted.content))
    }

    fn write<T: Serialize>(&self, path: &Path, posted: &Posted<T>) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.folder)?;
        serde_json::to_writer_pretty(&mut file, posted)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            // Another attempt at the same write was faster; what it wrote is the same.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
            Ok(_) => {}
        }
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, kind: EffectKind, marker: &Marker) -> PathBuf {
        let digest = hex::encode(&Sha256::digest(marker.0.as_bytes())[..16]);
        self.folder.join(format!("{}-{digest}.json", kind.as_str()))
    }

    fn seen(&self, kind: EffectKind, path: PathBuf) -> Remote {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let url = Some(path.display().to_string());
        self.last_paths().insert(kind, path);
        Remote { id, url }
    }

    fn last_paths(&self) -> MutexGuard<'_, HashMap<EffectKind, PathBuf>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
