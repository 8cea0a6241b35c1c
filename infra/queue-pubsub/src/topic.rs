//! The full name of a topic.

use std::fmt;

/// The full name of a topic, `projects/PROJECT/topics/TOPIC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic(String);

/// A text that is no topic's full name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the full name of a topic of Pub/Sub")]
pub struct NoTopic;

impl Topic {
    /// Reads a topic's full name.
    ///
    /// # Errors
    /// When the text has another form ("Guidelines to name a topic, subscription, schema, or snapshot" of Pub/Sub, and for
    /// projects "Creating and managing projects" of Resource Manager).
    pub fn parse(text: &str) -> Result<Self, NoTopic> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            ["projects", project, "topics", topic] if is_project(project) && is_topic(topic) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NoTopic),
        }
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An old project may have the name of a domain before its own.
fn is_project(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte);
    (1..=100).contains(&text.len()) && text.bytes().all(plain)
}

fn is_topic(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+%".contains(&byte);
    (3..=255).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_name_is_taken() {
        for good in ["projects/acme-prod/topics/autopr", "projects/acme.com:prod/topics/a-b_c.d~e+f%25"] {
            assert_eq!(Topic::parse(good).map(|topic| topic.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "autopr",
            "projects/acme/topics/",
            "projects//topics/autopr",
            "projects/acme/topics/goog/le",
            "projects/acme/subscriptions/autopr",
            "projects/acme/topics/1autopr",
            "projects/acme/topics/autopr\n",
            "https://pubsub.googleapis.com/v1/projects/acme/topics/autopr",
        ] {
            assert_eq!(Topic::parse(bad), Err(NoTopic), "{bad}");
        }
    }
}
