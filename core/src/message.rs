//! What travels through a queue: tagged with a version, so that an old worker gives back what a newer one wrote.

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind};
use crate::ids::{ExecutionId, RepoName};

/// What stands at the end of a text that was cut.
pub const CUT: &str = " [cut]";

/// Characters that are written by their numbers.
const REFUSED: [char; 2] = ['\u{fffe}', '\u{ffff}'];

/// A message. A tag this program does not know is not an error of the message: it is given back to the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Message {
    /// The first version.
    #[serde(rename = "1")]
    V1(V1),
}

/// The messages of version 1.
#[expect(
    clippy::large_enum_variant,
    reason = "a message is made, sent and gone; a box would only be one allocation more"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum V1 {
    /// Something happened: find the workflows that want to know and run them.
    Event {
        /// What.
        event: Event,
    },
    /// An execution may go on. Carries the identity only; the state is in the store.
    Advance {
        /// Which.
        execution: ExecutionId,
        /// Where, so that repositories take turns; messages of older versions don't tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repository: Option<RepoName>,
    },
}

impl Message {
    /// The message that brings an event.
    pub fn event(event: Event) -> Self {
        Self::V1(V1::Event { event })
    }

    /// The message that lets an execution in that repository go on.
    pub fn advance(execution: ExecutionId, repository: RepoName) -> Self {
        Self::V1(V1::Advance { execution, repository: Some(repository) })
    }

    /// What takes turns with others of its kind: the repository.
    pub fn lane(&self) -> Option<&str> {
        match self {
            Self::V1(V1::Event { event }) => Some(event.repository.as_str()),
            Self::V1(V1::Advance { repository, .. }) => repository.as_ref().map(RepoName::as_str),
        }
    }

    /// The bytes to put on a queue.
    pub fn encode(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        // They stand in strings only. SQS takes no text with them, since XML has none
        // (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>).
        match text.contains(REFUSED) {
            true => text.replace(REFUSED[0], "\\ufffe").replace(REFUSED[1], "\\uffff"),
            false => text,
        }
    }

    /// The bytes to put on a queue that takes no more than `limit` of them. Free texts give way: first what follows a
    /// command, then the labels from the last one on. A cut text ends in [`CUT`]. What says what happened, where, and who
    /// did it is never touched, so that a limit below some 2 KiB may be exceeded.
    pub fn encode_within(&self, limit: usize) -> Encoded {
        let body = self.encode();
        let over = body.len().saturating_sub(limit);
        let event = match self {
            Self::V1(V1::Event { event }) if over > 0 => event,
            _ => return Encoded { body, cut: false },
        };
        let mut event = event.clone();
        let mut rest = over;
        if let EventKind::Command { arguments, .. } = &mut event.kind {
            rest = rest.saturating_sub(shorten(arguments, over));
        }
        shorten_list(&mut event.labels, rest);
        Encoded { body: Self::event(event).encode(), cut: true }
    }

    /// Reads a message back.
    ///
    /// # Errors
    /// When the bytes are not a message of a version this program knows.
    pub fn decode(body: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }
}

/// A message as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The bytes.
    pub body: String,
    /// Whether a text was cut to make them fit.
    pub cut: bool,
}

/// Cuts a text so that it takes `over` bytes less in JSON, as far as it can. Returns how many less it takes.
fn shorten(text: &mut String, over: usize) -> usize {
    let before = in_json(text);
    if over == 0 || before <= CUT.len() {
        return 0;
    }
    let mut room = before.saturating_sub(over).saturating_sub(CUT.len());
    let fits = |(_, c): &(usize, char)| {
        let rest = room.checked_sub(char_in_json(*c));
        room = rest.unwrap_or(0);
        rest.is_some()
    };
    let kept = text.char_indices().take_while(fits).last().map_or(0, |(start, c)| start + c.len_utf8());
    text.truncate(kept);
    text.push_str(CUT);
    before - in_json(text)
}

/// Makes a list of texts take `over` bytes less in JSON, as far as it can: the last ones go, and one is cut.
fn shorten_list(texts: &mut Vec<String>, mut over: usize) {
    while over > 0
        && let Some(mut text) = texts.pop()
    {
        if in_json(&text) >= over.saturating_add(CUT.len()) {
            shorten(&mut text, over);
            texts.push(text);
            return;
        }
        // Its quotes, and the comma before it.
        over = over.saturating_sub(in_json(&text) + 2 + usize::from(!texts.is_empty()));
    }
}

/// How many bytes a text takes in JSON, without its quotes.
fn in_json(text: &str) -> usize {
    text.chars().map(char_in_json).sum()
}

fn char_in_json(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if u32::from(c) < 0x20 || REFUSED.contains(&c) => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::event::Sender;
    use crate::ids::{DeliveryId, PrNumber};

    fn command(arguments: String, labels: Vec<String>) -> Event {
        Event {
            delivery: DeliveryId::new("d-1").unwrap(),
            at: Timestamp::UNIX_EPOCH,
            kind: EventKind::Command { name: "review".to_owned(), arguments, comment: None },
            repository: RepoName::new("acme/shop").unwrap(),
            number: PrNumber(7),
            base: None,
            head: None,
            draft: false,
            labels,
            sender: Sender { login: "dev".to_owned(), bot: false },
            installation: None,
        }
    }

    fn texts(message: &Message) -> (&str, &[String]) {
        match message {
            Message::V1(V1::Event { event }) => match &event.kind {
                EventKind::Command { arguments, .. } => (arguments, &event.labels),
                other => panic!("{other:?}"),
            },
            other @ Message::V1(_) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_follows_a_command_gives_way_before_the_labels_do() {
        let check = |limit: usize, arguments: &str, labels: &[&str]| {
            let given = Message::event(command("ü".repeat(50), vec!["one".into(), "a \"word\" and more".into()]));
            let bare = Message::event(command(String::new(), Vec::new())).encode().len();
            let encoded = given.encode_within(bare + limit);
            let read = Message::decode(&encoded.body).unwrap();
            assert_eq!(
                texts(&read),
                (arguments, labels.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice())
            );
            assert!(encoded.body.len() <= bare + limit);
        };
        check(127, &"ü".repeat(50), &["one", "a \"word\" and more"]);
        check(126, &format!("{}{CUT}", "ü".repeat(46)), &["one", "a \"word\" and more"]);
        check(40, &format!("üüü{CUT}"), &["one", "a \"word\" and more"]);
        check(33, CUT, &["one", "a \"word\" and more"]);
        check(27, CUT, &["one", "a \"wor [cut]"]);
        check(12, CUT, &["one"]);
        check(6, CUT, &[]);
    }

    proptest! {
        #[test]
        fn a_message_that_is_cut_fits_and_still_says_what_happened(
            arguments in "\\PC{0,400}|[\\x00-\\x7f]{0,400}|[a\\u{fffd}-\\u{ffff}]{0,99}",
            labels in prop::collection::vec("\\PC{0,60}|[\\x00-\\x7f]{0,60}", 0..8),
            room in 6_usize..1200,
        ) {
            let bare = command(String::new(), Vec::new());
            let limit = Message::event(bare.clone()).encode().len() + room;
            let given = Message::event(command(arguments.clone(), labels.clone()));
            let encoded = given.encode_within(limit);
            let read = Message::decode(&encoded.body).unwrap();
            prop_assert!(encoded.body.len() <= limit, "{} > {limit}", encoded.body.len());
            prop_assert_eq!(encoded.cut, given.encode().len() > limit);
            if !encoded.cut {
                prop_assert_eq!(&read, &given);
            }
            let (kept, kept_labels) = texts(&read);
            prop_assert!(kept == arguments || kept.strip_suffix(CUT).is_some_and(|kept| arguments.starts_with(kept)));
            for (kept, label) in kept_labels.iter().zip(&labels) {
                prop_assert!(kept == label || kept.strip_suffix(CUT).is_some_and(|kept| label.starts_with(kept)));
            }
            let Message::V1(V1::Event { event }) = read else { panic!("an event") };
            let kind = EventKind::Command { name: "review".to_owned(), arguments: String::new(), comment: None };
            prop_assert_eq!(Event { labels: Vec::new(), kind, ..event }, bare);
        }
    }

    #[test]
    fn what_sqs_refuses_is_written_by_its_number_and_read_back() {
        let text = "\u{fffe}a\u{ffff} \\uffff".to_owned();
        let message = Message::event(command(text.clone(), Vec::new()));
        let body = message.encode();
        assert!(body.contains(r"\ufffea\uffff \\uffff") && !body.contains(REFUSED), "{body}");
        assert_eq!(texts(&Message::decode(&body).unwrap()).0, text);
    }

    #[test]
    fn a_message_reads_back_and_an_unknown_version_does_not() {
        let message = Message::advance(ExecutionId::new(), RepoName::new("acme/shop").unwrap());
        assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        assert_eq!(message.lane(), Some("acme/shop"));
        let older = format!(r#"{{"v":"1","type":"advance","execution":"{}"}}"#, ExecutionId::new());
        assert_eq!(Message::decode(&older).unwrap().lane(), None);
        assert!(Message::decode(r#"{"v":"2","type":"advance"}"#).is_err());
        assert!(Message::decode(r#"{"v":"1","type":"other"}"#).is_err());
        assert!(Message::decode("").is_err());
    }
}
