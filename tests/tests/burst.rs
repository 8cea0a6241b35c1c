//! A burst of pull requests while the provider of the language model answers 429 three times in four: every one of them
//! ends reviewed, or says why not, and the process does not spin meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use autopr_e2e::server::{SECRET, Server, Setup, block_on, scripted_model};
use autopr_e2e::world::{CLEAN, NAME, NOTHING, OWNER};
use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use autopr_fakes::model::{Reply, Vendor};
use futures_util::future::join_all;

/// How many pull requests come at once.
const BURST: usize = 57;

/// The processor time that a process has used.
fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    // The name of the program, in brackets, may hold anything; utime and stime are the 12th and 13th fields behind it.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    // A tick is a hundredth of a second on every Linux that matters.
    Duration::from_millis(ticks * 10)
}

/// Three answers of four are 429, half of them with a time to wait for, in an order that is always the same and has no
/// pattern.
fn answer(number: u64) -> Reply {
    let mut mixed = number.wrapping_add(12_000);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
    }
    match (mixed ^ (mixed >> 31)) % 8 {
        0 | 1 => Reply::answer(NOTHING),
        2 | 3 => Reply::error_with(429, "rate_limit_exceeded", &[("retry-after", "1")]),
        4 => Reply::error_with(429, "rate_limit_exceeded", &[("retry-after", "2")]),
        _ => Reply::error(429, "rate_limit_exceeded"),
    }
}

#[test]
fn fifty_seven_pull_requests_and_a_provider_that_limits() {
    let github = FakeGitHub::start();
    github.add_repository(
        NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
    );
    let app = github.install_app(OWNER);
    let pulls: Vec<_> = (0..BURST)
        .map(|number| {
            // Each its own change, so that none is served by the answer to another.
            let diff = CLEAN.replace("copied()", &format!("copied().skip({number})"));
            github.open_pull(OWNER, NAME, NewPull::new(&format!("Change {number}"), diff).author("dev"))
        })
        .collect();
    let model = scripted_model();
    let count = AtomicU64::new(0);
    model.answer_with(move |_| Some(answer(count.fetch_add(1, Ordering::Relaxed))));
    // A place is held while a moment's patience is waited for, so that there are enough of them.
    let setup = Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]).set("MAX_CONCURRENT_WORKFLOWS", "20");
    let server = Server::start(setup);
    github.send_webhooks_to(&server.webhook(), SECRET);

    let (begun, used) = (Instant::now(), processor_time(server.pid()));
    let deliveries = pulls.iter().map(|number| github.deliver_pull_request(OWNER, NAME, *number, "opened"));
    let answers: Vec<_> = block_on(join_all(deliveries)).iter().map(|delivery| delivery.status_code).collect();
    assert_eq!(answers, [202; BURST]);
    server.finished(BURST);
    let (took, used) = (begun.elapsed(), processor_time(server.pid()) - used);

    let checks = github.check_runs(OWNER, NAME);
    let by_head: BTreeMap<_, _> = checks.iter().map(|check| (check.head_sha.as_str(), check)).collect();
    assert_eq!((checks.len(), by_head.len()), (BURST, BURST), "one check for each head");
    let mut reviewed = 0;
    for number in &pulls {
        let [review] = &github.reviews(OWNER, NAME, *number)[..] else { panic!("one review of {number}") };
        let check = by_head[github.head(OWNER, NAME, *number).as_str()];
        let by_model = review.body.contains("by deterministic analysers and `openai/m-1`");
        let marked = check.summary.as_deref().unwrap_or_default().contains("language model");
        match check.conclusion.as_deref() {
            Some("success") => assert!(by_model, "{number} is green and was not reviewed: {}", review.body),
            Some("neutral") => assert!(!by_model && marked, "{number} does not say why: {:?}", check.summary),
            other => panic!("{number} ended as {other:?}"),
        }
        reviewed += usize::from(by_model);
    }
    println!("{reviewed} of {BURST} reviewed in {took:.1?} with {} calls; {used:.1?} of processor time", model.count());
    assert_eq!(reviewed, BURST, "no limit of that kind lasts longer than the patience");
    assert!(model.count() <= BURST * 4 * 2, "{} calls", model.count());
    // Spinning would use one of the processors, or both, all the time.
    assert!(used < took / 2, "{used:?} of processor time in {took:?}");
    assert_eq!(model.violations(), Vec::<String>::new());
    github.assert_clean();
}
