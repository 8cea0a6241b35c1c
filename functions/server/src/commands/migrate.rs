//! `autopr migrate`.

use std::path::PathBuf;
use std::process::ExitCode;

use autopr::store::{self, AnyStore};
use autopr_core::ports::schema::Schema;

use super::{Done, FOUND, Failure};
use crate::cli::MigrateArgs;

pub(crate) fn run(arguments: &MigrateArgs, config: Option<PathBuf>) -> Done {
    let loaded = super::settings(config)?;
    let settings = &loaded.settings.database;
    super::block_on(async {
        if arguments.check || arguments.dry_run {
            let schema = store::schema(settings).await.map_err(Failure::unusable)?;
            tell_newer(&schema);
            return Ok(if arguments.check { check(&schema) } else { dry_run(&schema) });
        }
        let (actor, origin) = (super::actor(), super::host());
        let (opened, before) = AnyStore::migrated(settings, &actor, &origin).await.map_err(Failure::unusable)?;
        tell_newer(&before);
        for migration in &before.pending {
            anstream::println!("applied {} {}", migration.version, migration.name);
        }
        opened.close().await;
        anstream::println!("{} is up to date", store::place(settings));
        Ok(ExitCode::SUCCESS)
    })
}

fn check(schema: &Schema) -> ExitCode {
    for migration in &schema.pending {
        anstream::println!("pending {} {}", migration.version, migration.name);
    }
    match schema.pending.is_empty() {
        true => {
            anstream::println!("up to date");
            ExitCode::SUCCESS
        }
        false => ExitCode::from(FOUND),
    }
}

fn dry_run(schema: &Schema) -> ExitCode {
    for migration in &schema.pending {
        anstream::println!("-- {} {}\n{}", migration.version, migration.name, migration.sql.trim_end());
    }
    ExitCode::SUCCESS
}

fn tell_newer(schema: &Schema) {
    if !schema.newer.is_empty() {
        let versions: Vec<_> = schema.newer.iter().map(ToString::to_string).collect();
        anstream::eprintln!(
            "autopr: a newer version has applied {}, which this one does not know",
            versions.join(", ")
        );
    }
}
