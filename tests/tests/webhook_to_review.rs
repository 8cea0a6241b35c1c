//! From a signed webhook to the review on GitHub: the real binary, a GitHub that keeps state, and scripted models.

use autopr_e2e::server::{block_on, scripted_model};
use autopr_e2e::world::{CLEAN, NAME, NOTHING, OWNER, World, leaked_token, risky};
use autopr_fakes::github::{Fault, Until};
use autopr_fakes::model::{Gate, Reply, Vendor};

#[test]
fn without_a_model_the_analysers_review_and_the_check_fails() {
    let world = World::new(&risky(), |setup| setup);
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    insta::assert_snapshot!(world.seen(), @r#"
    Count the totals #1
    Open: dev wants to merge feature into main

    ──── autopr-1002[bot] reviewed

    ### AutoPR review: 2 findings, 2 of them block merging

    1 critical, 1 high.

    **Covered:** 2 files (+8 −1) at `4007a07192`, by deterministic analysers only: no language model is configured. Effort to review: 1 of 5 (trivial).

      src/config.py (line 2)
          1 +import os
          2 +TOKEN = "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"
            │ **Critical:** GitHub token in the change
            │
            │ Whoever can read the repository can use it, and it stays in the history after the line is deleted.
            │
            │ **Fix:** Revoke it (GitHub settings, Developer settings), then read the new one from the environment or a secret store.
            │
            │ <sub>To silence this here, write `autopr:ignore secret/github-token` in a comment on the line.</sub>

      src/total.rs (line 2)
          1  fn total(items: &[u32]) -> u32 {
          2 -    items.iter().sum()
          2 +<<<<<<< HEAD
            │ **High:** Merge conflict marker
            │
            │ The marker of an unresolved merge was committed: both versions stand in the file, and it will rarely compile.
            │
            │ **Fix:** Decide for one version (or combine them) and delete the marker lines.
            │
            │ <sub>To silence this here, write `autopr:ignore conflict/marker` in a comment on the line.</sub>

    ──── Check autopr/review: failure

    2 findings, 2 of them block merging

    1 critical, 1 high.

    - **Critical:** `src/config.py:2` GitHub token in the change
    - **High:** `src/total.rs:2` Merge conflict marker

    **Covered:** 2 files (+8 −1) at `4007a07192`, by deterministic analysers only: no language model is configured. Effort to review: 1 of 5 (trivial).
    "#);
    assert!(world.github.calls() <= 8, "{} calls", world.github.calls());
    world.github.assert_clean();
}

/// A finding on its line, one on a wrong line whose quote is unique, and one that is made up.
const ANSWER: &str = r#"{"findings":[
 {"path":"src/total.rs","side":"new","start_line":5,"end_line":5,"severity":"high","title":"Divides by zero",
  "reason":"An empty list has a length of zero.","fix":"Return early.",
  "quote":"    items.iter().sum::<u32>() / items.len()","replacement":null},
 {"path":"src/config.py","side":"new","start_line":1,"end_line":1,"severity":"low","title":"A switch nobody reads",
  "reason":"Nothing uses it.","fix":"Remove it.","quote":"DEBUG = False","replacement":"DEBUG = bool(os.getenv(\"DEBUG\"))"},
 {"path":"src/total.rs","side":"new","start_line":1,"end_line":1,"severity":"critical","title":"Made up",
  "reason":"It is not there.","fix":"None.","quote":"unsafe { launch() }","replacement":null}]}"#;

#[test]
fn a_models_findings_are_put_where_they_belong() {
    let model = scripted_model();
    model.then(Vendor::OpenAi, Reply::answer(ANSWER));
    let world = World::new(&risky(), |setup| setup.models(&model, &[Vendor::OpenAi]));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    insta::assert_snapshot!(world.seen(), @r#"
    Count the totals #1
    Open: dev wants to merge feature into main

    ──── autopr-1002[bot] reviewed

    ### AutoPR review: 5 findings, 3 of them block merging

    1 critical, 2 high, 2 low.

    **Covered:** 2 files (+8 −1) at `4007a07192`, by deterministic analysers and `openai/m-1`. Effort to review: 1 of 5 (trivial).

    #### Without evidence

    A language model said this and quoted no line of the change, so it blocks nothing and may be wrong.

    - **Low:** Made up

      It is not there. Not put on a line of src/total.rs: the quoted text does not occur in the change. **Fix:** None.

      <sub>Found by the language model `openai/m-1`.</sub>

      src/config.py (line 2)
          1 +import os
          2 +TOKEN = "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"
            │ **Critical:** GitHub token in the change
            │
            │ Whoever can read the repository can use it, and it stays in the history after the line is deleted.
            │
            │ **Fix:** Revoke it (GitHub settings, Developer settings), then read the new one from the environment or a secret store.
            │
            │ <sub>To silence this here, write `autopr:ignore secret/github-token` in a comment on the line.</sub>

      src/total.rs (line 2)
          1  fn total(items: &[u32]) -> u32 {
          2 -    items.iter().sum()
          2 +<<<<<<< HEAD
            │ **High:** Merge conflict marker
            │
            │ The marker of an unresolved merge was committed: both versions stand in the file, and it will rarely compile.
            │
            │ **Fix:** Decide for one version (or combine them) and delete the marker lines.
            │
            │ <sub>To silence this here, write `autopr:ignore conflict/marker` in a comment on the line.</sub>

      src/total.rs (line 5)
          3 +    items.iter().copied().sum()
          4 +=======
          5 +    items.iter().sum::<u32>() / items.len()
            │ **High:** Divides by zero
            │
            │ An empty list has a length of zero.
            │
            │ **Fix:** Return early.
            │
            │ <sub>Found by the language model `openai/m-1`.</sub>

      src/config.py (line 3)
          1 +import os
          2 +TOKEN = "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"
          3 +DEBUG = False
            │ **Low:** A switch nobody reads
            │
            │ Nothing uses it.
            │
            │ **Fix:** Remove it.
            │
            │ Suggested change:
            │   + DEBUG = bool(os.getenv("DEBUG"))
            │
            │ <sub>Found by the language model `openai/m-1`.</sub>

    ──── Check autopr/review: failure

    5 findings, 3 of them block merging

    1 critical, 2 high, 2 low.

    - **Critical:** `src/config.py:2` GitHub token in the change
    - **High:** `src/total.rs:2` Merge conflict marker
    - **High:** `src/total.rs:5` Divides by zero
    - **Low:** Made up
    - **Low:** `src/config.py:3` A switch nobody reads

    **Covered:** 2 files (+8 −1) at `4007a07192`, by deterministic analysers and `openai/m-1`. Effort to review: 1 of 5 (trivial).
    "#);
    assert_eq!(model.violations(), Vec::<String>::new());
    assert!(world.github.calls() <= 8, "{} calls", world.github.calls());
    world.github.assert_clean();
}

#[test]
fn a_clean_change_turns_the_check_green() {
    let model = scripted_model();
    model.then(Vendor::Anthropic, Reply::answer(NOTHING));
    let world = World::new(CLEAN, |setup| setup.models(&model, &[Vendor::Anthropic]));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    let check = &world.github.check_runs(OWNER, NAME)[0];
    assert_eq!(check.conclusion.as_deref(), Some("success"));
    assert_eq!(check.head_sha, world.github.head(OWNER, NAME, world.number));
    world.github.assert_clean();
}

#[test]
fn the_second_provider_answers_when_the_first_limits_fails_and_babbles() {
    let model = scripted_model();
    model
        .then(Vendor::OpenAi, Reply::error_with(429, "rate_limit_exceeded", &[("retry-after", "1")]))
        .then(Vendor::OpenAi, Reply::error(500, "server_error"))
        .then(Vendor::OpenAi, Reply::answer("I like it!"))
        .then(Vendor::OpenAi, Reply::answer("{\"findings\": \"none\"}"))
        .then(Vendor::Anthropic, Reply::answer(NOTHING));
    let world = World::new(CLEAN, |setup| setup.models(&model, &[Vendor::OpenAi, Vendor::Anthropic]));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    let asked: Vec<_> = model.requests().iter().map(|request| request.vendor).collect();
    assert_eq!(asked, [Vendor::OpenAi, Vendor::OpenAi, Vendor::OpenAi, Vendor::OpenAi, Vendor::Anthropic]);
    let review = &world.github.reviews(OWNER, NAME, world.number)[0];
    assert!(review.body.contains("by deterministic analysers and `anthropic/m-1`"), "{}", review.body);
    assert_eq!(world.github.check_runs(OWNER, NAME)[0].conclusion.as_deref(), Some("success"));
    // 100 tokens at $2 and 20 at $8 for a million, three times.
    let metrics = world.server.metrics();
    for line in [
        "autopr_llm_requests_total{provider=\"openai\",model=\"m-1\",outcome=\"limited\"} 1",
        "autopr_llm_requests_total{provider=\"openai\",model=\"m-1\",outcome=\"unavailable\"} 1",
        "autopr_llm_requests_total{provider=\"openai\",model=\"m-1\",outcome=\"answered\"} 2",
        "autopr_llm_requests_total{provider=\"anthropic\",model=\"m-1\",outcome=\"answered\"} 1",
        "autopr_llm_cost_usd_total{provider=\"openai\",model=\"m-1\"} 0.00072",
        "autopr_llm_breaker_open{provider=\"openai\"} 0",
        "autopr_executions_total{workflow=\"pr-review\",status=\"succeeded\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    world.github.assert_clean();
}

#[test]
fn when_no_provider_answers_the_check_is_neutral_and_says_so() {
    let model = scripted_model();
    model.answer_with(|_| Some(Reply::error(401, "invalid_api_key")));
    let world = World::new(CLEAN, |setup| setup.models(&model, &[Vendor::OpenAi, Vendor::Mistral]));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    let check = &world.github.check_runs(OWNER, NAME)[0];
    assert_eq!(check.conclusion.as_deref(), Some("neutral"));
    let review = &world.github.reviews(OWNER, NAME, world.number)[0];
    assert!(review.body.contains("No language model gave a usable answer."), "{}", review.body);
    world.github.assert_clean();
}

#[test]
fn a_push_while_a_review_runs_leaves_the_older_head_alone() {
    let (model, gate) = (scripted_model(), Gate::new());
    model.then(Vendor::OpenAi, Reply::Stall(gate.clone(), Box::new(Reply::answer(ANSWER))));
    model.by_default(Reply::answer(NOTHING));
    let world = World::new(&risky(), |setup| setup.models(&model, &[Vendor::OpenAi]));
    let held = model.hold();
    let older = world.github.head(OWNER, NAME, world.number);
    assert_eq!(world.deliver("opened"), 202);
    block_on(held.arrived());
    held.release();
    world.github.push(OWNER, NAME, world.number, &"c".repeat(40), CLEAN, &[]);
    assert_eq!(world.deliver("synchronize"), 202);
    // The newer one is through before the older one gets its answer.
    world.server.logged("the newer review", |line| {
        (line["message"] == "finished" && line["status"] == "succeeded").then_some(())
    });
    gate.open();
    world.server.finished(2);
    let reviews = world.github.reviews(OWNER, NAME, world.number);
    assert_eq!(reviews.len(), 1);
    let checks = world.github.check_runs(OWNER, NAME);
    let heads: Vec<_> = checks.iter().map(|check| check.head_sha.as_str()).collect();
    assert_eq!(heads, ["c".repeat(40)]);
    assert_ne!(older, heads[0]);
    world.github.assert_clean();
}

#[test]
fn a_write_that_github_denies_and_yet_did_is_not_done_twice() {
    for path in ["/reviews", "/check-runs"] {
        let world = World::new(&risky(), |setup| setup);
        world.github.fail_next("POST", path, Fault::StatusAfter(502));
        assert_eq!(world.deliver("opened"), 202);
        world.server.finished(1);
        assert_eq!((world.reviews(), world.checks()), (1, 1), "{path}");
        world.github.assert_clean();
    }
}

#[test]
fn commands_are_answered_by_permission() {
    let model = scripted_model();
    let described = r#"{"summary":"Counts totals another way.","changes":[{"path":"src/total.rs","what":"Copies."}]}"#;
    model
        .then(Vendor::OpenAi, Reply::answer(described))
        .then(Vendor::OpenAi, Reply::answer(r#"{"kinds":["refactoring"]}"#));
    let world = World::new(CLEAN, |setup| setup.models(&model, &[Vendor::OpenAi]));
    for (index, (login, command)) in [
        ("dev", "/autopr describe please"),
        ("dev", "/autopr label"),
        ("dev", "/autopr help"),
        ("dev", "/autopr dance"),
        ("stranger", "/autopr describe"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(world.comment(login, command), 202);
        world.server.finished(index + 1);
    }
    assert_eq!(world.comment("dev", "looks good to me"), 202);
    insta::assert_snapshot!(world.seen(), @"
    Count the totals #1
    Open: dev wants to merge feature into main
    Labels: effort: trivial, refactoring

    #### What this changes

    Counts totals another way.

    - `src/total.rs`: Copies.

    <sub>Written by `openai/m-1` for `2a90632d3e`.</sub>

    ──── dev commented

    /autopr describe please
    [👀]

    ──── dev commented

    /autopr label
    [👀]

    ──── dev commented

    /autopr help
    [👍]

    ──── autopr-1002[bot] commented

    | command | what happens |
    |---|---|
    | `/autopr review` | the change is reviewed again |
    | `/autopr describe` | a description of the change is put below the author's own |
    | `/autopr label` | labels for the kind of change and the effort to review it |
    | `/autopr help` | this answer |

    All but the last need write access to the repository. Settings are read from `.autopr.yml` on the base branch.

    ──── dev commented

    /autopr dance
    [😕]

    ──── autopr-1002[bot] commented

    There is no command `dance`.

    | command | what happens |
    |---|---|
    | `/autopr review` | the change is reviewed again |
    | `/autopr describe` | a description of the change is put below the author's own |
    | `/autopr label` | labels for the kind of change and the effort to review it |
    | `/autopr help` | this answer |

    All but the last need write access to the repository. Settings are read from `.autopr.yml` on the base branch.

    ──── stranger commented

    /autopr describe
    [👎]

    ──── autopr-1002[bot] commented

    `/autopr describe` needs write access to this repository.

    ──── dev commented

    looks good to me
    ");
    assert_eq!(model.count(), 2);
    world.github.assert_clean();
}

#[test]
fn no_secret_leaves_by_any_way() {
    let model = scripted_model();
    let quoting = ANSWER.replace("DEBUG = False", &format!("TOKEN = {}", leaked_token()));
    model.then(Vendor::OpenAi, Reply::answer(quoting)).then(Vendor::OpenAi, Reply::error(500, &leaked_token()));
    let world = World::new(&risky(), |setup| setup.models(&model, &[Vendor::OpenAi]));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    assert_eq!(world.comment("dev", &format!("/autopr describe {}", leaked_token())), 202);
    assert_eq!(world.comment("dev", &format!("/autopr {}", leaked_token())), 202);
    world.server.finished(3);
    let mut exits = vec![("log", world.server.log()), ("metrics", world.server.metrics())];
    for request in model.requests() {
        exits.push(("model", format!("{}\n{:?}", request.target, request.turns) + &request.system));
        assert!(!request.contains(&leaked_token()), "a request to a model holds the token");
    }
    for review in world.github.reviews(OWNER, NAME, world.number) {
        exits.push(("review", review.body.clone()));
        exits.extend(review.comments.iter().map(|comment| ("comment", comment.body.clone())));
    }
    for request in world.github.requests() {
        exits.push(("request to GitHub", format!("{:?}", request.body)));
    }
    let keys = ["key-of-openai", autopr_e2e::server::SECRET, "PRIVATE KEY"];
    for (exit, text) in &exits {
        assert!(
            !text.to_lowercase().contains(&leaked_token().to_lowercase()),
            "the {exit} holds the leaked token:\n{text}"
        );
        for key in keys {
            assert!(!text.contains(key), "the {exit} holds a key of ours: {key}");
        }
    }
    world.github.assert_clean();
}

#[test]
fn a_limit_of_github_is_waited_out() {
    let world = World::new(CLEAN, |setup| setup);
    world.github.limit_secondary(403, Some(2), Until::Requests(1));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    assert_eq!((world.reviews(), world.checks()), (1, 1));
    world.github.assert_clean();
}
