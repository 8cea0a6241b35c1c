//! Which queue it is, and who may use it.

use autopr_queue_azure::{AzureQueue, QueueAddress};
use autopr_runtime::settings::Source;

use crate::failed::Failed;

/// The variable that names the queue.
const QUEUE: &str = "AUTOPR_QUEUE_URL";

/// The variable that names a file with the queue's URL, which is a secret when it has a signature.
const QUEUE_FILE: &str = "AUTOPR_QUEUE_URL_FILE";

/// The variable that names the managed identity, of a container app that has several or none of its own (as all SDKs of Azure
/// have it).
const CLIENT: &str = "AZURE_CLIENT_ID";

/// The longest file that is read.
const LONGEST: u64 = 64 * 1024;

/// The queue that the variables name, and which of them does. Nothing is connected yet.
pub(crate) fn named(source: &Source) -> Result<(AzureQueue, &'static str), Failed> {
    let set = |name: &str| source.env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let (variable, text) = match (set(QUEUE), set(QUEUE_FILE)) {
        (Some(_), Some(_)) => {
            return Err(Failed::variable(QUEUE_FILE, format!("{QUEUE} is set too"), "keep one of them"));
        }
        (Some(url), None) => (QUEUE, url.to_owned()),
        (None, Some(path)) => {
            let unreadable = |why: String| Failed::variable(QUEUE_FILE, why, "name a file that holds the queue's URL");
            (QUEUE_FILE, read(&source.dir.join(path)).map_err(unreadable)?)
        }
        (None, None) => {
            let fix = "set it to the queue's URL, https://ACCOUNT.queue.core.windows.net/QUEUE";
            return Err(Failed::variable(QUEUE, "the queue is not named", fix));
        }
    };
    let address = QueueAddress::parse(&text).map_err(|bad| Failed::variable(variable, &bad, bad.fix()))?;
    Ok((AzureQueue::new(address, set(CLIENT).map(str::to_owned))?, variable))
}

fn read(path: &std::path::Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("the file can't be read: {error}");
    match std::fs::metadata(path).map_err(unreadable)?.len() {
        0..=LONGEST => std::fs::read_to_string(path).map_err(unreadable),
        bytes => Err(format!("the file has {bytes} bytes, too many for a URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("url"), "https://acc.queue.core.windows.net/reviews?sp=raup&sig=hunter2\n")
            .unwrap();
        let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match named(&Source { env, dir: dir.path().to_owned(), ..Source::default() }) {
            Ok((queue, variable)) => format!("{} by {variable}", queue.name()),
            Err(Failed::Settings(mistakes)) => {
                let told = mistakes.iter().map(|mistake| format!("{}: {}", mistake.path, mistake.message));
                told.collect::<Vec<_>>().join("\n")
            }
            Err(Failed::Other(why)) => why,
        }
    }

    #[test]
    fn the_queue_is_named_by_a_variable_or_a_file() {
        let url = "https://acc.queue.core.windows.net/reviews";
        assert_eq!(told(&[(QUEUE, url)]), "reviews by AUTOPR_QUEUE_URL");
        assert_eq!(told(&[(QUEUE, url), (CLIENT, "0f3c")]), "reviews by AUTOPR_QUEUE_URL");
        assert_eq!(told(&[(QUEUE_FILE, "url"), (QUEUE, " ")]), "reviews by AUTOPR_QUEUE_URL_FILE");
    }

    #[test]
    fn what_is_wrong_with_the_variables_is_told() {
        let url = "https://acc.queue.core.windows.net/reviews?sv=hunter2";
        let weak = "https://acc.queue.core.windows.net/reviews?sp=rap&sig=hunter2";
        for (variables, expected) in [
            (&[][..], "AUTOPR_QUEUE_URL: the queue is not named"),
            (&[(QUEUE, url)], "AUTOPR_QUEUE_URL: what follows the ? is not a shared access signature: it has no sig="),
            (&[(QUEUE, weak)], "AUTOPR_QUEUE_URL: the signature does not allow to update (u)"),
            (&[(QUEUE, url), (QUEUE_FILE, "url")], "AUTOPR_QUEUE_URL_FILE: AUTOPR_QUEUE_URL is set too"),
            (
                &[(QUEUE_FILE, "none")],
                "AUTOPR_QUEUE_URL_FILE: the file can't be read: No such file or directory (os error 2)",
            ),
        ] {
            assert_eq!(told(variables), expected);
        }
    }
}
