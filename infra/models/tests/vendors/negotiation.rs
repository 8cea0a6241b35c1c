//! What happens when a server does not know a parameter: it is asked again without, and the next call already knows.

use crate::support::{ask, model_as, model_of, provider};
use autopr_core::fault::FaultKind;
use autopr_fakes::model::{Reply, ScriptedModel, Vendor};
use serde_json::{Value, json};

async fn server() -> ScriptedModel {
    ScriptedModel::start().await.expect("a free port")
}

fn refuses(body: Value) -> Reply {
    Reply::Status { status: 400, body: body.to_string(), headers: Vec::new() }
}

#[tokio::test]
async fn a_server_without_json_schema_gets_json_object_and_the_schema_in_the_instructions() {
    let server = server().await;
    server.answer_with(|request| {
        let refusal = json!({ "error": { "message": "response_format.type 'json_schema' is not supported" } });
        request.schema.is_some().then(|| refuses(refusal))
    });
    for vendor in [Vendor::OpenAi, Vendor::Compatible, Vendor::AzureOpenAi, Vendor::Mistral] {
        let model = model_of(&server, vendor);
        ask(&model).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        let [first, second] = server.requests_of(vendor).try_into().expect("two requests");
        assert!(first.schema.is_some() && !first.system.contains("JSON Schema"), "{vendor:?}");
        assert!(second.schema.is_none() && second.json, "{vendor:?}");
        assert!(second.system.starts_with("You review code.\n\n"), "{vendor:?}");
        assert!(second.system.contains("\"severity\""), "{vendor:?}: {}", second.system);

        ask(&model).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        assert_eq!(server.requests_of(vendor).len(), 3, "{vendor:?}: what was learned is kept");
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_without_any_json_mode_still_gets_the_schema() {
    let server = server().await;
    server.answer_with(|request| {
        let refusal = json!({ "message": "unknown parameter: output_config / responseJsonSchema / response_format" });
        (request.schema.is_some() || request.json).then(|| refuses(refusal))
    });
    for vendor in [Vendor::Compatible, Vendor::Anthropic, Vendor::Gemini] {
        ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        let last = server.requests_of(vendor).pop().expect("a request");
        assert!(last.schema.is_none() && !last.json && last.system.contains("\"severity\""), "{vendor:?}");
    }
    assert_eq!(server.requests_of(Vendor::Compatible).len(), 3);
    assert_eq!(server.requests_of(Vendor::Anthropic).len(), 2);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_reasoning_model_is_asked_without_temperature_and_by_the_right_name_of_the_limit() {
    let server = server().await;
    let mut provider = provider(Vendor::OpenAi, &server.base_url(Vendor::OpenAi));
    provider.model = "o3".to_owned();
    // Its own address is configured, so it is taken for a server of another maker, which want the older name.
    let model = model_as(provider);
    ask(&model).await.expect("a completion");
    let bodies = |server: &ScriptedModel| -> Vec<Value> {
        server.requests().iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
    };
    let last = bodies(&server).pop().expect("a request");
    assert_eq!(last["max_completion_tokens"], json!(700));
    assert_eq!((last.get("max_tokens"), last.get("temperature")), (None, None));
    assert!(last["response_format"]["json_schema"]["strict"] == json!(true), "the schema is still held to");
    assert_eq!(server.count(), 3);
    ask(&model).await.expect("a completion");
    assert_eq!(server.count(), 4, "what was learned is kept");
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_asked_a_few_times_and_no_more() {
    let server = server().await;
    let refusal = json!({ "error": { "message": "no temperature, no max_tokens, no response_format" } });
    server.by_default(refuses(refusal));
    for vendor in Vendor::ALL {
        let model = model_of(&server, vendor);
        let fault = ask(&model).await.expect_err("a fault");
        assert_eq!(fault.kind, FaultKind::Invalid, "{vendor:?}");
        let asked = server.requests_of(vendor).len();
        assert!(asked <= 5, "{vendor:?} was asked {asked} times");
        // A call that failed has taught nothing.
        ask(&model).await.expect_err("a fault");
        assert_eq!(server.requests_of(vendor).len(), 2 * asked, "{vendor:?}");
    }
}

#[tokio::test]
async fn a_temperature_above_what_a_vendor_knows_is_lowered() {
    let server = server().await;
    for (vendor, expect) in [(Vendor::OpenAi, 2.0), (Vendor::Anthropic, 1.0), (Vendor::Mistral, 1.5)] {
        let mut provider = provider(vendor, &server.base_url(vendor));
        provider.temperature = 2.0;
        let model = model_as(provider);
        ask(&model).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        assert_eq!(server.requests_of(vendor)[0].temperature, Some(expect), "{vendor:?}");
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}
