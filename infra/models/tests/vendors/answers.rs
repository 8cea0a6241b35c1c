//! What a vendor's answer becomes, and what the vendor is asked, for every vendor.

use crate::support::{KEY, SECRET, ask, limits, model_as, model_of, prompt, provider};
use autopr_core::ports::model::{Repair, Stopped};
use autopr_fakes::model::{Gate, Reply, ScriptedModel, Stop, Tokens, Vendor};
use secrecy::SecretString;
use serde_json::{Value, json};

const ANSWER: &str = r#"{"summary":"fine","findings":[]}"#;

async fn server() -> ScriptedModel {
    ScriptedModel::start().await.expect("a free port")
}

#[tokio::test]
async fn every_vendor_is_asked_for_the_schema_and_its_answer_and_count_are_kept() {
    let server = server().await;
    for vendor in Vendor::ALL {
        server.then(vendor, Reply::answer(ANSWER).tokens(Some(Tokens::new(1234, 56))));
        let completion = ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        assert_eq!(completion.text, ANSWER, "{vendor:?}");
        assert_eq!((completion.input_tokens, completion.output_tokens), (1234, 56), "{vendor:?}");
        assert_eq!(completion.stopped, Stopped::Complete, "{vendor:?}");

        let requests = server.requests_of(vendor);
        let [request] = requests.as_slice() else { panic!("{vendor:?} was asked {} times", requests.len()) };
        assert_eq!(request.model, "model-1", "{vendor:?}");
        assert_eq!(request.system, "You review code.", "{vendor:?}");
        assert_eq!(request.user(), format!("diff --git {SECRET}"), "{vendor:?}");
        assert_eq!(request.turns.len(), 1, "{vendor:?}");
        assert_eq!(request.output_tokens, Some(700), "{vendor:?}");
        assert_eq!(request.temperature, Some(0.2), "{vendor:?}");
        let schema = request.schema.as_ref().unwrap_or_else(|| panic!("{vendor:?} got no schema"));
        assert_eq!(schema["$defs"]["Finding"]["additionalProperties"], json!(false), "{vendor:?}");
        assert_eq!(schema["$defs"]["Finding"]["properties"]["line"], json!({ "type": "integer" }), "{vendor:?}");
        assert!(!request.contains(KEY), "{vendor:?} got the key in its body or address");
    }
    assert_eq!(server.violations(), Vec::<String>::new());
    assert_eq!(server.unread(), 0);
}

#[tokio::test]
async fn a_repair_shows_the_answer_and_what_is_wrong_with_it() {
    let server = server().await;
    for vendor in Vendor::ALL {
        let mut prompt = prompt();
        prompt.repair = Some(Repair { answer: "{\"oops\":1}".to_owned(), error: "`summary` is missing".to_owned() });
        model_of(&server, vendor)
            .complete(&prompt, limits())
            .await
            .unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        let request = server.requests_of(vendor).pop().expect("a request");
        let roles: Vec<&str> = request.turns.iter().map(|turn| turn.role.as_str()).collect();
        assert_eq!(roles, ["user", "assistant", "user"], "{vendor:?}");
        assert_eq!(request.turns[1].text, "{\"oops\":1}", "{vendor:?}");
        assert!(request.turns[2].text.contains("`summary` is missing"), "{vendor:?}: {}", request.turns[2].text);
        assert!(request.turns[2].text.contains("whole answer again"), "{vendor:?}: {}", request.turns[2].text);

        // Vendors refuse a turn with nothing in it.
        prompt.repair = Some(Repair { answer: " \n".to_owned(), error: "it is empty".to_owned() });
        model_of(&server, vendor)
            .complete(&prompt, limits())
            .await
            .unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn tokens_from_a_cache_and_of_thinking_are_in_the_total() {
    let server = server().await;
    let tokens = Tokens { input: 1000, output: 300, cached: 800, thinking: 250 };
    for vendor in Vendor::ALL {
        server.then(vendor, Reply::answer(ANSWER).tokens(Some(tokens)));
        let completion = ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        assert_eq!((completion.input_tokens, completion.output_tokens), (1000, 300), "{vendor:?}");
    }
}

#[tokio::test]
async fn tokens_are_estimated_when_the_provider_does_not_count() {
    let server = server().await;
    for vendor in Vendor::ALL {
        for tokens in [None, Some(Tokens::default())] {
            server.then(vendor, Reply::answer(ANSWER).tokens(tokens));
            let completion =
                ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
            let prompt = prompt();
            let input = (prompt.system.len() + prompt.user.len()) as f64 / 3.3;
            assert_eq!(completion.input_tokens, input.ceil() as u64, "{vendor:?}");
            assert_eq!(completion.output_tokens, (ANSWER.len() as f64 / 3.3).ceil() as u64, "{vendor:?}");
        }
    }
}

#[tokio::test]
async fn a_cut_off_answer_says_so_and_keeps_its_cost() {
    let server = server().await;
    for vendor in Vendor::ALL {
        server.then(vendor, Reply::answer("{\"summary\":\"fi").stopped(Stop::Length));
        let completion = ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        assert_eq!(completion.stopped, Stopped::Length, "{vendor:?}");
        assert_eq!(completion.text, "{\"summary\":\"fi", "{vendor:?}");
        assert_eq!((completion.input_tokens, completion.output_tokens), (100, 20), "{vendor:?}");
    }
}

#[tokio::test]
async fn a_refusal_and_a_filter_say_so_and_keep_their_cost() {
    let server = server().await;
    // Ollama has no word for either, Mistral none for a refusal.
    let with_filter = Vendor::ALL.into_iter().filter(|vendor| *vendor != Vendor::Ollama);
    for vendor in with_filter {
        for stop in [Stop::Refused, Stop::Filtered] {
            if (vendor, stop) == (Vendor::Mistral, Stop::Refused) {
                continue;
            }
            server.then(vendor, Reply::answer("I can't help with that.").stopped(stop));
            let completion =
                ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
            assert_eq!(completion.stopped, Stopped::Refused, "{vendor:?} {stop:?}");
            assert_eq!(completion.input_tokens, 100, "{vendor:?} {stop:?}");
        }
    }
    // Azure answers a filtered prompt with 400.
    server.then(Vendor::AzureOpenAi, Reply::error(400, "content_filter"));
    let completion = ask(&model_of(&server, Vendor::AzureOpenAi)).await.expect("a completion");
    assert_eq!(completion.stopped, Stopped::Refused);
    assert!(completion.input_tokens > 0, "{completion:?}");
}

#[tokio::test]
async fn a_fence_around_the_answer_and_nulls_the_strict_schema_made_are_taken_away() {
    let written = json!({ "summary": "s", "findings": [
        { "line": 1, "severity": "hint", "replacement": null, "reason": null },
        { "line": 2, "severity": "hint", "replacement": "x", "reason": "y" },
    ] });
    let expected = json!({ "summary": "s", "findings": [
        { "line": 1, "severity": "hint", "reason": null },
        { "line": 2, "severity": "hint", "replacement": "x", "reason": "y" },
    ] });
    let server = server().await;
    for vendor in Vendor::ALL {
        server.then(vendor, Reply::answer(format!("```json\n{written:#}\n```")));
        let completion = ask(&model_of(&server, vendor)).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        let text: Value = serde_json::from_str(&completion.text).unwrap_or_else(|error| panic!("{vendor:?}: {error}"));
        assert_eq!(text, expected, "{vendor:?}");
    }
}

#[tokio::test]
async fn a_models_name_reaches_the_vendor_as_it_is_written() {
    let server = server().await;
    for vendor in Vendor::ALL {
        for name in ["qwen-3-high", "openai::gpt", "gpt-5-mini", "claude-opus-9-none"] {
            let mut provider = provider(vendor, &server.base_url(vendor));
            provider.model = name.to_owned();
            let model = model_as(provider);
            ask(&model).await.unwrap_or_else(|fault| panic!("{vendor:?} {name}: {fault}"));
            let request = server.requests_of(vendor).pop().expect("a request");
            assert_eq!(request.model, name, "{vendor:?}");
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(body.get("reasoning_effort"), None, "{vendor:?} {name}");
        }
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_of_ones_own_needs_no_key_and_a_vendor_does() {
    let server = server().await;
    let client = autopr_models::client().expect("a client");
    for vendor in [Vendor::Compatible, Vendor::Ollama] {
        let mut provider = provider(vendor, &server.base_url(vendor));
        provider.api_key = None;
        let model = model_as(provider);
        ask(&model).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        assert!(!server.requests_of(vendor)[0].headers.contains_key("authorization"), "{vendor:?}");
    }
    assert_eq!(server.violations(), Vec::<String>::new());

    let refused = |key: Option<&str>, url: Option<&str>| {
        let mut provider = provider(Vendor::OpenAi, "https://models.example/v1");
        provider.api_key = key.map(SecretString::from);
        provider.base_url = url.map(|url| url.parse().expect("a URL"));
        autopr_models::model(provider, &client).err().expect("a fault").to_string()
    };
    assert_eq!(refused(None, None), "llm.providers.mine.api_key is not set");
    let unusable = "llm.providers.mine.api_key is empty or holds characters no key has";
    assert_eq!(refused(Some("two\nlines"), None), unusable);
    assert_eq!(refused(Some("  "), None), unusable);
}

#[tokio::test]
async fn nothing_that_can_be_printed_shows_the_key() {
    let provider = provider(Vendor::OpenAi, "https://models.example/v1?key=hunter2");
    let shown = format!("{provider:?}");
    assert!(!shown.contains(KEY) && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn hundreds_of_calls_at_once_are_answered_side_by_side() {
    let server = server().await;
    server.keep_no_bodies();
    let gate = Gate::new();
    server.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(ANSWER))));
    // Holds are let go when dropped: only the last one is kept, to see that call arrive.
    let mut last = server.hold();
    for _ in 1..300 {
        last = server.hold();
    }
    let model = model_of(&server, Vendor::OpenAi);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let model = model.clone();
        calls.spawn(async move { ask(&model).await });
    }
    last.arrived().await;
    assert_eq!(server.count(), 300, "all are inside before the first is answered");
    last.release();
    gate.open();
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.text == ANSWER)));
}
