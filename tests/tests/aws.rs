//! AWS: the functions' own programs in the emulator of their environment, from a signed webhook to the review.



use autopr_e2e::aws::Aws;
use autopr_e2e::world::{CLEAN, NOTHING};
use autopr_fakes::model::{Reply, ScriptedModel, Vendor};
use autopr_services::Pump;

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_becomes_one_review() {
    let model = ScriptedModel::start().await.expect("it listens");
    model.by_default(Reply::answer(NOTHING));
    let aws = Aws::new(30, 5, |setup| setup.models(&model, &[Vendor::OpenAi])).await;
    let webhook = aws.webhook().await;
    let number = aws.open(CLEAN).await;
    assert_eq!(aws.messages(&aws.queue).await, 1);

    let worker = aws.function("aws-worker", &[]);
    let pump = Pump::new(&aws.queue);
    let reviewed = async || aws.reviews(number) == 1 && aws.messages(&aws.queue).await == 0;
    let pumped = aws.pump_until(&worker, pump, "one review", reviewed).await;
    assert_eq!(pumped.failed_invocations, 0, "{}", worker.log());
    assert_eq!(aws.executions(), ["succeeded 1"]);
    assert_eq!(model.requests().len(), 1);
    aws.github.assert_clean();

    // Each line can be found by the delivery, and the metrics are in the log.
    let log = format!("{}{}", webhook.log(), worker.log());
    let delivery = &aws.github.deliveries()[0].guid;
    let lines = |what: &str| log.lines().filter(|line| line.contains(what) && line.contains(delivery)).count();
    assert_eq!(lines(r#""status":"queued""#), 1, "{log}");
    assert_eq!(lines(r#""outcome":"done""#), 1, "{log}");
    assert!(log.contains(r#""Namespace":"AutoPR""#) && log.contains("autopr_executions_total"), "{log}");
    assert!(!log.contains(autopr_e2e::server::SECRET), "{log}");
}
