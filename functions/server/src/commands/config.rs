//! `autopr config`.

use std::path::PathBuf;
use std::process::ExitCode;

use autopr_runtime::settings::{self, Format};

use super::{Done, FOUND, Failure};
use crate::cli::ConfigAction;

pub(crate) fn run(action: &ConfigAction, config: Option<PathBuf>) -> Done {
    let text = match action {
        ConfigAction::Check => {
            let checked = settings::check(&super::source(config)?);
            if !checked.valid {
                return Err(Failure::new(FOUND, checked.text));
            }
            Ok(checked.text)
        }
        ConfigAction::Show { json } => {
            settings::show(&super::settings(config)?, if *json { Format::Json } else { Format::Table })
        }
        ConfigAction::Schema => settings::schema(),
    };
    anstream::print!("{}", text.map_err(Failure::unusable)?);
    Ok(ExitCode::SUCCESS)
}
