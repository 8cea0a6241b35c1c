//! The token formats, from the vendors' public documentation.

use super::check;
use super::format::{Format, rule, token};
use crate::analysis::rule::Rule;
use crate::review::Severity;

/// Every format. An order exists only to be read: formats do not overlap.
pub(super) static FORMATS: &[Format] = &[
    // Cloud providers
    token(
        rule!("aws-access-key-id", "AWS access key id", "IAM, Security credentials", High),
        &["AKIA", "ASIA"],
        r"A[KS]IA[A-Z2-7]{16}",
    ),
    token(
        rule!("aws-secret-key", "AWS secret access key", "IAM, Security credentials"),
        &[
            "SECRET_ACCESS_KEY",
            "secret_access_key",
            "secretAccessKey",
            "SecretAccessKey",
            "secret-access-key",
            "AWS_SECRET_KEY",
            "aws_secret_key",
        ],
        r#"[A-Za-z_-]+["'\]]{0,2}\s{0,8}(?:=>|:=|=|:|,)\s{0,8}["']?(?P<s>[A-Za-z0-9/+]{40})"#,
    )
    .checked(check::aws_secret),
    token(
        rule!("google-api-key", "Google API key", "Google Cloud console, Credentials", High),
        &["AIza"],
        r"AIza[0-9A-Za-z_-]{35}",
    ),
    token(
        rule!("google-oauth-secret", "Google OAuth client secret", "Google Cloud console, Credentials"),
        &["GOCSPX-"],
        r"GOCSPX-[0-9A-Za-z_-]{28}",
    ),
    token(
        rule!("azure-storage-key", "Azure account key", "Azure portal, Access keys"),
        &["AccountKey=", "SharedAccessKey="],
        r"(?:AccountKey=(?P<s>[A-Za-z0-9+/]{86}==)|SharedAccessKey=(?P<t>[A-Za-z0-9+/]{43}=))",
    )
    .checked(check::azure_key),
    token(
        rule!("azure-sas", "Azure shared access signature", "rotate the account key that signed it", High),
        &["sv=20"],
        r#"sv=20[0-9]{2}-[0-9]{2}-[0-9]{2}&[^\s"'<>`]*?sig=(?P<s>[A-Za-z0-9%/+]{40,60}(?:%3[Dd]|=))"#,
    ),
    token(
        rule!("azure-client-secret", "Microsoft Entra client secret", "Entra admin center, App registrations"),
        &["Q~"],
        r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
    )
    .behind(4),
    token(
        rule!("digitalocean-token", "DigitalOcean token", "DigitalOcean control panel, API"),
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"do[opr]_v1_[a-f0-9]{64}",
    ),
    token(
        rule!("terraform-token", "HCP Terraform token", "HCP Terraform, Tokens"),
        &[".atlasv1."],
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}",
    )
    .behind(14),
    token(
        rule!("vault-token", "HashiCorp Vault token", "vault token revoke"),
        &["hvs.", "hvb.", "hvr."],
        r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
    )
    .checked(check::mixed),
    token(
        rule!("pulumi-token", "Pulumi access token", "Pulumi Cloud, Access tokens"),
        &["pul-"],
        r"pul-[a-f0-9]{40}",
    ),
    token(
        rule!("doppler-token", "Doppler token", "Doppler dashboard, Tokens"),
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    ),
    // Code hosts and package registries
    token(
        rule!("github-token", "GitHub token", "GitHub settings, Developer settings"),
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9]{36}",
    )
    .checked(check::crc_token),
    token(
        rule!("github-fine-grained-token", "GitHub fine-grained token", "GitHub settings, Developer settings"),
        &["github_pat_"],
        r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    ),
    token(
        rule!("gitlab-token", "GitLab token", "GitLab, Access tokens"),
        &["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glsoat-", "glimt-", "glagent-"],
        r"gl(?:pat|dt|rt|ptt|cbt|ft|soat|imt|agent)-[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?",
    )
    .checked(check::mixed),
    token(rule!("npm-token", "npm token", "npm, Access tokens"), &["npm_"], r"npm_[A-Za-z0-9]{36}").checked(check::crc_token),
    token(
        rule!("pypi-token", "PyPI token", "PyPI, Account settings"),
        &["pypi-AgE"],
        r"pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50,}",
    ),
    token(
        rule!("crates-io-token", "crates.io token", "the registry's account settings"),
        &["cio"],
        r"cio[A-Za-z0-9]{32}",
    )
    .checked(check::mixed),
    token(
        rule!("rubygems-token", "RubyGems API key", "RubyGems, API keys"),
        &["rubygems_"],
        r"rubygems_[a-f0-9]{48}",
    ),
    token(
        rule!("docker-token", "Docker Hub token", "Docker account settings"),
        &["dckr_pat_", "dckr_oat_"],
        r"dckr_[op]at_[A-Za-z0-9_-]{27,32}",
    ),
    token(
        rule!("atlassian-token", "Atlassian API token", "Atlassian account, Security"),
        &["ATATT3"],
        r"ATATT3[A-Za-z0-9_=-]{180,}",
    ),
    token(
        rule!("linear-token", "Linear API key", "Linear settings, API"),
        &["lin_api_"],
        r"lin_api_[A-Za-z0-9]{40}",
    ),
    token(
        rule!("postman-key", "Postman API key", "Postman settings, API keys"),
        &["PMAK-"],
        r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",
    ),
    // Messages
    token(
        rule!("slack-token", "Slack token", "the Slack app's settings"),
        &["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-"],
        r"(?:xox[abprse]-[0-9]{8,14}-[0-9A-Za-z-]{15,}|xoxe(?:\.xox[bp])?-[0-9]-[0-9A-Za-z]{100,}|xapp-[0-9]-A[A-Z0-9]{6,14}-[0-9]{8,16}-[a-f0-9]{64})",
    ),
    token(
        rule!("slack-webhook", "Slack webhook URL", "the Slack app's settings"),
        &["https://hooks.slack.com/"],
        r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z][A-Z0-9]{7,12}/[A-Z0-9]{7,22}/(?P<s>[A-Za-z0-9]{20,48})",
    )
    .checked(check::mixed),
    token(
        rule!("discord-token", "Discord bot token", "Discord developer portal"),
        &["MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"],
        r"[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
    )
    .checked(check::discord),
    token(
        rule!("discord-webhook", "Discord webhook URL", "the Discord channel's settings"),
        &["/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/(?P<s>[A-Za-z0-9_-]{60,72})",
    )
    .behind(14),
    token(
        rule!("telegram-token", "Telegram bot token", "BotFather, /revoke"),
        &[":AA"],
        r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    )
    .behind(10),
    token(
        rule!("sendgrid-key", "SendGrid API key", "SendGrid settings, API keys"),
        &["SG."],
        r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    ),
    token(
        rule!("mailgun-key", "Mailgun API key", "Mailgun, API security"),
        &["key-"],
        r"key-[0-9a-f]{32}",
    )
    .checked(check::beside_mailgun),
    token(
        rule!("twilio-token", "Twilio auth token", "Twilio console, API keys"),
        &["AC", "SK"],
        r"(?:AC|SK)[0-9a-f]{32}[^A-Za-z0-9]{1,12}(?P<s>[0-9a-f]{32}|[A-Za-z0-9]{32})",
    ),
    // Payment and shops
    token(
        rule!("stripe-key", "Stripe live key", "Stripe dashboard, API keys"),
        &["sk_live_", "rk_live_"],
        r"[sr]k_live_[A-Za-z0-9]{20,}",
    ),
    token(
        rule!("square-token", "Square token", "Square developer dashboard"),
        &["sq0atp-", "sq0csp-", "EAAA"],
        r"(?:sq0atp-[0-9A-Za-z_-]{22}|sq0csp-[0-9A-Za-z_-]{43}|EAAA[A-Za-z0-9_-]{60})",
    )
    .checked(check::mixed),
    token(
        rule!("shopify-token", "Shopify token", "the Shopify app's settings"),
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    ),
    // Models and data
    token(
        rule!("openai-key", "OpenAI API key", "OpenAI platform, API keys"),
        &["T3BlbkFJ"],
        r"sk-(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}",
    )
    .behind(160),
    token(
        rule!("anthropic-key", "Anthropic API key", "Anthropic console, API keys"),
        &["sk-ant-"],
        r"sk-ant-(?:api|admin|oat|sid)[0-9]{2}-[A-Za-z0-9_-]{80,}",
    ),
    token(
        rule!("huggingface-token", "Hugging Face token", "Hugging Face settings, Access tokens"),
        &["hf_", "api_org_"],
        r"(?:hf_|api_org_)[A-Za-z0-9]{34}",
    )
    .checked(check::mixed_case),
    token(rule!("groq-key", "Groq API key", "Groq console, API keys"), &["gsk_"], r"gsk_[A-Za-z0-9]{52}")
        .checked(check::mixed),
    token(rule!("xai-key", "xAI API key", "xAI console, API keys"), &["xai-"], r"xai-[A-Za-z0-9]{80}").checked(check::mixed),
    token(
        rule!("replicate-token", "Replicate API token", "Replicate account, API tokens"),
        &["r8_"],
        r"r8_[A-Za-z0-9]{37}",
    )
    .checked(check::mixed),
    token(
        rule!("databricks-token", "Databricks token", "Databricks user settings"),
        &["dapi"],
        r"dapi[0-9a-f]{32}(?:-[0-9])?",
    ),
    token(
        rule!("planetscale-token", "PlanetScale token", "PlanetScale settings"),
        &["pscale_"],
        r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,}",
    ),
    token(
        rule!("supabase-token", "Supabase secret key", "Supabase dashboard, API keys"),
        &["sbp_", "sb_secret_"],
        r"(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{31,})",
    ),
    // Monitoring
    token(
        rule!("grafana-token", "Grafana token", "Grafana, Service accounts"),
        &["glsa_", "glc_eyJ"],
        r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_eyJ[A-Za-z0-9+/=]{60,})",
    ),
    token(
        rule!("new-relic-key", "New Relic user key", "New Relic, API keys"),
        &["NRAK-"],
        r"NRAK-[A-Z0-9]{27}",
    ),
    token(
        rule!("sentry-token", "Sentry token", "Sentry settings, Auth tokens"),
        &["sntrys_eyJ", "sntryu_"],
        r"(?:sntrys_eyJ[A-Za-z0-9+/=_]{80,}|sntryu_[0-9a-f]{64})",
    ),
    // Keys and generic forms
    token(
        rule!("private-key", "Private key", "replace the key pair wherever its public half is trusted"),
        &["LS0tLS1CRUdJTi"],
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{100,}",
    )
    .ahead(16_384)
    .checked(check::encoded_private_key)
    .without_tail(),
    token(
        rule!("age-key", "age secret key", "encrypt to a new recipient"),
        &["AGE-SECRET-KEY-1"],
        r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    ),
    token(
        rule!("jwt", "JSON Web Token", "end the session or rotate the signing key", Medium),
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    )
    .ahead(8192)
    .checked(check::jwt),
    token(
        rule!("url-password", "Password in a URL", "change the password", High),
        &[
            "postgres://", "postgresql://", "postgresql+", "mysql://", "mysql+", "mariadb://", "mongodb://", "mongodb+srv://",
            "redis://", "rediss://", "amqp://", "amqps://", "mssql://", "mssql+", "sqlserver://", "clickhouse://", "https://",
        ],
        r#"[a-z+0-9]+://[^\s:/@"'`<>{}$\\]{0,64}:(?P<s>[^\s:/@"'`<>{}$\\]{8,100})@[A-Za-z0-9.-]+"#,
    )
    .checked(check::url_password)
    .without_tail(),
];
