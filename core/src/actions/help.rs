//! `help`: what can be asked for.

use serde::{Deserialize, Serialize};

use crate::engine::Context;
use crate::event::EventKind;
use crate::fault::Fault;
use crate::ports::forge::{EffectKind, Permission, Reaction, Remote};
use crate::review::markdown;

/// The longest word that is repeated.
const LONGEST: usize = 20;

const COMMANDS: &str = "\
| command | what happens |
|---|---|
| `/autopr review` | the change is reviewed again |
| `/autopr describe` | a description of the change is put below the author's own |
| `/autopr label` | labels for the kind of change and the effort to review it |
| `/autopr help` | this answer |

All but the last need write access to the repository. Settings are read from `.autopr.yml` on the base branch.
";

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Helped {
    comment: Option<Remote>,
}

pub(super) async fn run(context: &Context) -> Result<Helped, Fault> {
    let EventKind::Command { name, arguments, comment } = &context.event().kind else {
        return Ok(Helped { comment: None });
    };
    let target = &context.target();
    let unknown = name == "unknown";
    let reaction = if unknown { Reaction::Confused } else { Reaction::ThumbsUp };
    if let Some(comment) = comment {
        context.effect(EffectKind::Reaction, None, |_| context.forge().react(target, *comment, reaction)).await?;
    }
    let mut body = String::new();
    if unknown {
        // Nobody without write access can make the engine write what they like to read.
        if context.forge().permission(target, &context.event().sender.login).await? < Permission::Write {
            return Ok(Helped { comment: None });
        }
        body = match is_word(arguments) {
            true => format!("There is no command {}.\n\n", markdown::code(arguments)),
            false => "There is no such command.\n\n".to_owned(),
        };
    }
    body.push_str(COMMANDS);
    let answer = context.effect(EffectKind::Comment, None, |marker| async move {
        context.forge().create_comment(target, &marker, &body).await
    });
    Ok(Helped { comment: Some(answer.await?) })
}

/// Whether a text may be repeated: a mistyped command, but not whatever else somebody wrote, which may be a secret.
fn is_word(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}
