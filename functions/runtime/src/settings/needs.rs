//! What a kind of process can't do without.

/// What a kind of process can't do without, beyond valid settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The secret that webhooks are signed with.
    pub webhook_secret: WebhookSecret,
    /// Credentials for GitHub.
    pub github: bool,
    /// Of every model that would be asked, all that it takes to do so. None at all is no mistake.
    pub models: bool,
    /// A database that other machines can use too.
    pub postgres: bool,
    /// All by which the requests are known that push messages.
    pub push: bool,
}

/// When the secret that webhooks are signed with is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookSecret {
    /// Never: the process takes no webhooks.
    Unused,
    /// In every environment but development, where a process without it refuses every webhook.
    OutsideDevelopment,
    /// Always: the process does nothing else.
    Always,
}

impl Needs {
    /// Nothing but valid settings.
    pub const NOTHING: Self =
        Self { webhook_secret: WebhookSecret::Unused, github: false, models: false, postgres: false, push: false };

    /// Those of a process that takes webhooks and runs executions.
    pub const SERVE: Self =
        Self { webhook_secret: WebhookSecret::OutsideDevelopment, github: true, models: true, ..Self::NOTHING };

    /// Those of a process that runs executions.
    pub const WORK: Self = Self { webhook_secret: WebhookSecret::Unused, ..Self::SERVE };

    /// Those of a process that only takes webhooks.
    pub const INTAKE: Self = Self { webhook_secret: WebhookSecret::Always, ..Self::NOTHING };
}
