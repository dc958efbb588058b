//! Deterministic simulation: a session against a control plane, a network, a disk and clocks that do what they do on a bad day.
//!
//! A seed decides everything, so that what failed once can be seen again: `SEED=7 cargo test -p runtime simulation`.

mod disk;
mod server;
mod world;

use world::{Faults, World};

/// How many seeds a test run tries, besides the named ones; `SEEDS=100000` tries more.
const SEEDS: u64 = 1_000;
/// The same where less can happen.
const SEEDS_OF_A_QUIET_DAY: u64 = 200;

/// Seeds that found something once, and what it was.
const FOUND: &[(u64, &str)] = &[];

fn seeds(faults: Faults) -> Vec<u64> {
    let usual = if matches!(faults, Faults::Everything) { SEEDS } else { SEEDS_OF_A_QUIET_DAY };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("SEED") {
        Some(seed) => vec![seed],
        None => FOUND.iter().map(|found| found.0).chain(1..=number("SEEDS").unwrap_or(usual)).collect(),
    }
}

fn simulate(faults: Faults) {
    let mut kept_by_crashes = 0;
    let seeds = seeds(faults);
    for seed in seeds.iter().copied() {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed, faults);
            world.run();
            world.uploads_after_a_crash()
        });
        match outcome {
            Ok(uploads) => kept_by_crashes += uploads,
            Err(panic) => {
                eprintln!("failing seed: SEED={seed} ({faults:?})");
                std::panic::resume_unwind(panic);
            }
        }
    }
    let has_crashes = matches!(faults, Faults::Everything) && seeds.len() > 100;
    assert!(!has_crashes || kept_by_crashes * 20 > seeds.len(), "hardly a spool outlived a crash: {kept_by_crashes}");
}

#[test]
fn whatever_fails_every_acknowledged_batch_is_kept_once_and_every_run_ends() {
    simulate(Faults::Everything);
}

#[test]
fn on_a_good_day_every_run_ends_at_its_first_attempt() {
    simulate(Faults::Nothing);
}

#[test]
fn a_network_that_loses_half_of_everything_only_takes_longer() {
    simulate(Faults::Network);
}
