//! The data directory of a large installation, for the tests in a browser: `scripts/test --all browser`.

use crate::support::appliance::{Appliance, PASSWORD};
use crate::support::large_log;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

const KEYS: u64 = 100_000;

/// Makes the directory of the variable `MANY_KEYS`, with the password of the variable `CLAVIGER_ADMIN_PASSWORD`.
#[test]
#[ignore = "makes a data directory for the tests in a browser"]
fn a_hundred_thousand_keys_are_written() {
    let wanted = PathBuf::from(env::var_os("MANY_KEYS").expect("MANY_KEYS is a directory that is not there yet"));
    let password = env::var("CLAVIGER_ADMIN_PASSWORD").unwrap_or_else(|_| PASSWORD.to_owned());
    let mut appliance = Appliance::start_with(&[("CLAVIGER_ADMIN_PASSWORD", &password)]);
    assert!(appliance.terminate().success());
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let ledger = large_log::open(&appliance.data()).expect("the log");
        large_log::keys::fill(&ledger, KEYS).await.expect("recorded");
        ledger.close().await;
    });
    appliance.restart();
    let admin = appliance.nobody().sign_in("admin", &password);
    assert_eq!(admin.get("/v1/cckm/aws/keys?limit=1").expect(200)["total"], KEYS);
    // The snapshot of so many keys takes its time.
    assert!(appliance.terminate_within(Duration::from_secs(60)).success());
    fs::rename(appliance.data(), wanted).expect("moved");
}
