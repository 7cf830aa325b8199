//! Kills at random moments, also in the middle of a start.

use crate::support::appliance::{Appliance, lab, program, run_to_end};
use crate::torture::writers::Writers;
use crate::torture::{Random, rounds};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn acknowledged_changes_of_32_clients_survive_kills() {
    let mut random = Random::of("crash");
    let rounds = rounds(20, 1_000);
    let mut appliance = Appliance::start_with(&[("CLAVIGER_LIMITS_GROUPS", "100000")]);
    let mut writers = Writers::new();
    let mut kills = 0;
    for round in 0..rounds {
        let moment = Duration::from_millis(20 + random.below(500));
        let refused = writers.write(&mut appliance, |appliance, _| {
            sleep(moment);
            appliance.kill();
        });
        assert!(refused.is_empty(), "round {round}: {refused:?}");
        kills += 1;
        if random.below(4) == 0 {
            let mut starting = lab(&appliance.data());
            let mut starting =
                starting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
            sleep(Duration::from_millis(random.below(400)));
            starting.kill().expect("a process to kill");
            starting.wait().expect("its end");
            kills += 1;
        }
        let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
        assert_eq!(code, Some(0), "round {round}: {said}{problem}");
        assert!(said.contains("the chain is whole"), "{said}");
        appliance.restart();
        writers.check(&appliance);
    }
    let Writers { acknowledged, completed, absent, .. } = writers;
    println!(
        "crash: {kills} kills, {acknowledged} acknowledged changes, of those in progress {completed} complete and \
         {absent} absent"
    );
    assert!(acknowledged > rounds * 10, "hardly anything was tried");
}
