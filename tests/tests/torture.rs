//! Durability: three replicas on one PostgreSQL and one Redis, killed, stopped and disconnected by chance while providers
//! and GitHub fail; at the end nothing is lost and nothing doubled.
//!
//! The seed is printed; `AUTOPR_TORTURE_SEED` repeats its choices. `scripts/torture` has the long form.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use autopr_e2e::torture::{Plan, run};

#[test]
fn whatever_dies_nothing_is_lost_and_nothing_is_doubled() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let seed = std::env::var("AUTOPR_TORTURE_SEED").map_or(now, |seed| seed.parse().expect("a number"));
    println!("AUTOPR_TORTURE_SEED={seed}");
    let plan = Plan {
        seed,
        executions: 500,
        faults: 300,
        kills: 100,
        replicas: 3,
        speed: 6,
        binary: PathBuf::from(env!("CARGO_BIN_EXE_autopr-fast")),
        progress: true,
        keep: std::env::var_os("AUTOPR_TORTURE_KEEP").map(PathBuf::from),
    };
    let report = run(&plan);
    println!("{report}");
    assert!(report.executions() >= 500, "{} executions", report.executions());
    assert!(report.kills >= 100, "{} kills", report.kills);
    assert_eq!((report.lost, report.doubled), (0, 0), "lost and doubled");
    assert_eq!(report.violations, Vec::<String>::new());
}
