//! A repository and who may do what in it.

use serde_json::json;

use crate::github::auth::role_of;
use crate::github::call::{Answer, Context};
use crate::github::wire;

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let mut shown = wire::repository(context.repository()?, context.call.urls());
    shown["network_count"] = json!(0);
    shown["subscribers_count"] = json!(0);
    Ok(Answer::json(200, shown))
}

pub(super) fn permission(context: &mut Context<'_>) -> Result<Answer, Answer> {
    context.repository()?;
    let login = context.param("username");
    let role = role_of(context.state, login, context.param("owner"), context.param("repo"));
    let mut user = wire::user(login, context.call.urls());
    user["role_name"] = json!(role.role());
    Ok(Answer::json(200, json!({ "permission": role.legacy(), "role_name": role.role(), "user": user })))
}
