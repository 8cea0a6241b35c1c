//! `autopr-demo`: the real engine between a GitHub and a language model that are played by this program.
//!
//! Run it with `scripts/demo`, which builds it first.

mod account;
mod change;
mod example;
mod page;
mod script;
mod shop;

use std::io;
use std::panic::{self, PanicHookInfo};
use std::path::PathBuf;
use std::process::ExitCode;

use autopr_local_git::RangeSpec;
use clap::Parser;

use change::Change;
use page::step;
use shop::Shop;

/// Shows a review: starts the engine, a fake GitHub and a scripted model on free ports of this machine, opens a pull
/// request, and prints what its author would see. Nothing leaves the machine, and no key is needed.
#[derive(Debug, Parser)]
#[command(name = "scripts/demo")]
struct Arguments {
    /// A git repository whose commits make the pull request. Without it a small example is used, which also shows what
    /// a second push brings.
    repository: Option<PathBuf>,
    /// Which commits: A..B, or A for A..HEAD, counted from their merge base. Without it, what the current branch adds to
    /// the default branch, or else the last commit.
    #[arg(requires = "repository")]
    range: Option<RangeSpec>,
    /// Leave everything running, to try things by hand, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    // The parts this is made of are those of tests, which end with a panic. Here that is an error like any other.
    panic::set_hook(Box::new(|info| anstream::eprintln!("\nerror: {}", reason(info))));
    let arguments = Arguments::parse();
    match panic::catch_unwind(|| run(&arguments)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            anstream::eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn reason(info: &PanicHookInfo<'_>) -> String {
    info.payload_as_str().unwrap_or("the demo can't go on").to_owned()
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut shop = match &arguments.repository {
        Some(repository) => own(repository, arguments.range.clone().unwrap_or(RangeSpec::Default))?,
        None => example()?,
    };
    step("dev comments: /autopr help");
    shop.comment("/autopr help")?;
    shop.show();
    step("the account");
    account::print(&shop);
    shop.content()?;
    if arguments.keep { keep(&mut shop) } else { shop.close() }
}

fn example() -> Result<Shop, String> {
    let example = example::make()?;
    let mut shop = Shop::open("shop")?;
    step("dev opens a pull request");
    shop.pull(example.opened.pull(example::TITLE, example::BODY, "payments"))?;
    shop.show();
    shop.concluded("failure")?;
    if shop.sent(&example::leaked()) {
        return Err("the leaked key was sent to the model or posted".to_owned());
    }
    step("dev pushes a commit that mends what blocks");
    shop.push(&example.mended)?;
    shop.show();
    shop.concluded("success")?;
    Ok(shop)
}

fn own(repository: &std::path::Path, range: RangeSpec) -> Result<Shop, String> {
    let change = Change::read(repository, &range)?;
    let name = repository.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mut shop = Shop::open(&plain(&name.unwrap_or_default()))?;
    step(&format!("dev opens a pull request: {}", change.description));
    let (title, body) = change.message();
    shop.pull(change.pull(title, body, "topic"))?;
    shop.show();
    anstream::println!(
        "\n    (The analysers' findings are real. The scripted model can't read, and reports nothing here.)"
    );
    Ok(shop)
}

/// A name as a repository on GitHub can have it.
fn plain(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    if name.is_empty() { "repository".to_owned() } else { name }
}

fn keep(shop: &mut Shop) -> Result<(), String> {
    step("everything keeps running until Ctrl-C");
    shop.invite().map_err(|error: io::Error| format!("the payloads can't be written: {error}"))?;
    shop.watch()
}
