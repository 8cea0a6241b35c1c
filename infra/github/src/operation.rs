//! What we ask GitHub for: the closed set of words that metrics and logs show.

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Identity,
    Installation,
    InstallationToken,
    PullRequest,
    Diff,
    Files,
    File,
    FileSize,
    Permission,
    Reviews,
    CreateReview,
    Checks,
    CreateCheck,
    Statuses,
    CreateStatus,
    Comments,
    CreateComment,
    Describe,
    AddLabels,
    React,
    Deliveries,
    Redeliver,
    Installations,
    Repositories,
    OpenPullRequests,
    HookConfig,
    RateLimit,
}

impl Operation {
    /// The word for metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Installation => "installation",
            Self::InstallationToken => "installation_token",
            Self::PullRequest => "pull_request",
            Self::Diff => "diff",
            Self::Files => "files",
            Self::File => "file",
            Self::FileSize => "file_size",
            Self::Permission => "permission",
            Self::Reviews => "reviews",
            Self::CreateReview => "create_review",
            Self::Checks => "checks",
            Self::CreateCheck => "create_check",
            Self::Statuses => "statuses",
            Self::CreateStatus => "create_status",
            Self::Comments => "comments",
            Self::CreateComment => "create_comment",
            Self::Describe => "describe",
            Self::AddLabels => "add_labels",
            Self::React => "react",
            Self::Deliveries => "deliveries",
            Self::Redeliver => "redeliver",
            Self::Installations => "installations",
            Self::Repositories => "repositories",
            Self::OpenPullRequests => "open_pull_requests",
            Self::HookConfig => "hook_config",
            Self::RateLimit => "rate_limit",
        }
    }

    /// What is being done, for the text of an error.
    pub(crate) fn doing(self) -> &'static str {
        match self {
            Self::Identity => "asking who we are",
            Self::Installation => "looking up the App's installation",
            Self::InstallationToken => "getting a token for the App's installation",
            Self::PullRequest => "reading the pull request",
            Self::Diff => "reading the diff",
            Self::Files => "listing the changed files",
            Self::File => "reading a file",
            Self::FileSize => "reading the size of a file",
            Self::Permission => "reading an account's permission",
            Self::Reviews => "listing the reviews",
            Self::CreateReview => "posting the review",
            Self::Checks => "listing the checks",
            Self::CreateCheck => "posting the check",
            Self::Statuses => "listing the commit's statuses",
            Self::CreateStatus => "posting the commit's status",
            Self::Comments => "listing the comments",
            Self::CreateComment => "posting the comment",
            Self::Describe => "writing the description",
            Self::AddLabels => "adding labels",
            Self::React => "reacting to the comment",
            Self::Deliveries => "listing the App's deliveries",
            Self::Redeliver => "asking for a delivery again",
            Self::Installations => "listing the App's installations",
            Self::Repositories => "listing the repositories of an installation",
            Self::OpenPullRequests => "listing the open pull requests",
            Self::HookConfig => "reading the configuration of the App's webhook",
            Self::RateLimit => "asking how many requests are left",
        }
    }
}
