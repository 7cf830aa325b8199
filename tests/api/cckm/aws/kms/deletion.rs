//! The end of a KMS: its keys are hidden by one event, and their own events follow, over restarts too.

use crate::support::kms_fixture::{KEYS, KmsFixture};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

const COUNT: usize = 40;

/// How many keys have the event that ends them.
fn removed(fixture: &KmsFixture) -> usize {
    fixture.events("key/").iter().filter(|(name, _)| name == "Unmanaged").count()
}

#[test]
fn a_removal_of_keys_that_was_cut_off_goes_on_after_a_restart() {
    let mut fixture = KmsFixture::new();
    for n in 0..COUNT {
        fixture.create(json!({"Alias": format!("key-{n}")}));
    }
    fixture.admin.delete(&format!("/v1/cckm/aws/kms/{}", fixture.kms)).expect(204);
    fixture.appliance.kill();
    let at_first = removed(&fixture);
    assert!(at_first < COUNT, "the program was killed too late for this test");

    fixture.restart();
    assert_eq!(fixture.admin.get(KEYS).expect(200)["total"], 0, "none is seen, removed or not");
    fixture.appliance.kill();
    fixture.restart();
    let deadline = Instant::now() + Duration::from_secs(20);
    while removed(&fixture) < COUNT {
        assert!(Instant::now() < deadline, "{} of {COUNT} are removed, {at_first} before the crash", removed(&fixture));
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_millis(1200)); // One more look of the task that removes them.
    assert_eq!(removed(&fixture), COUNT, "each is removed once");
}
