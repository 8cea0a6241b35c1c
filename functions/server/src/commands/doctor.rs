//! `autopr doctor`.

use std::path::PathBuf;
use std::process::ExitCode;

use autopr_runtime::settings::{Needs, Settings};

use super::{Done, FOUND, Failure, UNUSABLE};
use crate::cli::{DoctorArgs, VERSION};
use crate::doctor;

pub(crate) fn run(arguments: &DoctorArgs, config: Option<PathBuf>) -> Done {
    let reading = Settings::read(&super::source(config)?, Needs::SERVE);
    super::block_on(async {
        let report = doctor::examine(&reading, VERSION, !arguments.no_models).await;
        match arguments.json {
            true => anstream::print!("{}", report.json().map_err(Failure::unusable)?),
            false => anstream::print!("{}", report.text()),
        }
        Ok(match &reading.settings {
            None => ExitCode::from(UNUSABLE),
            Some(_) if report.failed() => ExitCode::from(FOUND),
            Some(_) => ExitCode::SUCCESS,
        })
    })
}
