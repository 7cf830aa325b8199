//! `/v1/vault/keys2/{id}/revoke` and its siblings: the state of a source key, what it permits, and what destroys it.

use super::{KEYS, at, data_keys, make};
use crate::support::appliance::{Appliance, id};
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KmsFixture};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

fn in_seconds(seconds: i64) -> String {
    (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn post(client: &Client, key: &Value, operation: &str, body: Value) -> Value {
    client.post(&format!("{}/{operation}", at(key)), body).expect(200)
}

#[test]
fn a_key_is_revoked_reactivated_archived_recovered_and_destroyed() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    let key = make(&admin, json!({"name": "payroll"}));
    assert_eq!((&key["state"], &key["activationDate"]), (&json!("Active"), &key["createdAt"]));

    let revoked = json!({"reason": "CessationOfOperation", "message": "no longer needed"});
    let revoked = post(&admin, &key, "revoke", revoked);
    let shown = ["state", "revocationReason", "revocationMessage"].map(|member| &revoked[member]);
    assert_eq!(shown, [&json!("Deactivated"), &json!("CessationOfOperation"), &json!("no longer needed")]);
    assert_eq!(revoked["deactivationDate"], revoked["updatedAt"]);
    assert_eq!(admin.get(&at(&key)).expect(200), revoked);
    let said = admin.post(&format!("{}/revoke", at(&key)), json!({"reason": "Superseded"}));
    assert_eq!(said.refused(409, "NCERRConflict"), "source key `payroll` is Deactivated: it is revoked already");

    let active = post(&admin, &key, "reactivate", json!({"reason": "DeactivatedToActive", "message": "needed"}));
    assert_eq!((&active["state"], active.get("deactivationDate")), (&json!("Active"), None));
    assert_eq!(active.get("revocationReason"), None);

    let archived = post(&admin, &key, "archive", json!({}));
    assert_eq!(archived["archiveDate"], archived["updatedAt"]);
    assert_eq!(post(&admin, &key, "archive", json!({})), archived);
    let said = admin.post(&format!("{}/export", at(&key)), json!({})).refused(409, "NCERRConflict");
    assert_eq!(said, "source key `payroll` is archived, and must be recovered before its use");
    assert_eq!(post(&admin, &key, "recover", json!({})).get("archiveDate"), None);
    admin.post(&format!("{}/recover", at(&key)), json!({})).refused(409, "NCERRConflict");

    assert_eq!(data_keys(&appliance, &key).len(), 1);
    let dry = admin.post(&format!("{}/destroy?dry_run=true", at(&key)), json!({})).expect(200);
    assert_eq!((&dry["state"], data_keys(&appliance, &key).len()), (&json!("Destroyed"), 1));
    let data_key = data_keys(&appliance, &key).remove(0);
    let backup = fs::read(&data_key).expect("a data key");
    let destroyed = post(&admin, &key, "destroy", json!({}));
    assert_eq!((&destroyed["state"], &destroyed["name"]), (&json!("Destroyed"), &json!("payroll")));
    assert_eq!(destroyed["destroyDate"], destroyed["updatedAt"]);
    assert_eq!(data_keys(&appliance, &key), Vec::<PathBuf>::new(), "the data key of the material is gone");
    for operation in ["export", "clone", "archive", "reactivate", "revoke"] {
        let body = json!({"reason": if operation == "revoke" { "Superseded" } else { "" }});
        admin.post(&format!("{}/{operation}", at(&key)), body).refused(409, "NCERRConflict");
    }
    assert_eq!(post(&admin, &key, "destroy", json!({})), destroyed, "once more is no change");

    // A crash between the event and the deletion of the data key leaves the file; the next start deletes it.
    appliance.terminate();
    fs::write(&data_key, backup).expect("written");
    appliance.restart();
    assert_eq!(data_keys(&appliance, &key), Vec::<PathBuf>::new());
    let admin = appliance.admin();
    assert_eq!(admin.get(&at(&key)).expect(200), destroyed);
    admin.delete(&at(&key)).expect(204);
}

#[test]
fn a_compromised_key_stays_compromised() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let key = make(&admin, json!({"name": "lost"}));
    let revoke = format!("{}/revoke", at(&key));
    for body in [json!({}), json!({"reason": "Lost"}), json!({"reason": "keycompromise"})] {
        let said = admin.post(&revoke, body).refused(400, "NCERRInvalidParamValue");
        assert!(said.starts_with("reason: "), "{said}");
    }
    let ahead = json!({"reason": "KeyCompromise", "compromiseOccurrenceDate": in_seconds(3600)});
    admin.post(&revoke, ahead).refused(400, "NCERRInvalidParamValue");
    let occurred = "2026-01-02T03:04:05Z";
    let body = json!({"reason": "KeyCompromise", "compromiseOccurrenceDate": occurred});
    let lost = admin.post(&revoke, body).expect(200);
    assert_eq!((&lost["state"], &lost["compromiseOccurrenceDate"]), (&json!("Compromised"), &json!(occurred)));
    assert_eq!(lost["compromiseDate"], lost["updatedAt"]);
    let reactivate = format!("{}/reactivate", at(&key));
    for reason in ["DeactivatedToActive", "ActiveProtectStopToActive", "DeactivatedToActiveProtectStop"] {
        admin.post(&reactivate, json!({"reason": reason})).refused(409, "NCERRConflict");
    }
    admin.patch(&at(&key), json!({"deactivationDate": in_seconds(3600)})).refused(409, "NCERRConflict");
    assert_eq!(admin.get(&at(&key)).expect(200), lost);
    // Go's zero time is "not given": the compromise is believed to be as old as the key.
    let other = make(&admin, json!({"name": "other"}));
    let body = json!({"reason": "CACompromise", "compromiseOccurrenceDate": "0001-01-01T00:00:00Z"});
    assert_eq!(post(&admin, &other, "revoke", body)["compromiseOccurrenceDate"], other["createdAt"]);
}

#[test]
fn dates_move_the_state_by_themselves() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let dates = json!({"name": "dated", "activationDate": in_seconds(2), "deactivationDate": in_seconds(4)});
    let key = make(&admin, dates);
    let total = |state: &str| admin.get(&format!("{KEYS}?state={state}")).expect(200)["total"].clone();
    assert_eq!((&key["state"], total("Pre-Active")), (&json!("Pre-Active"), json!(1)));
    let said = admin.post(&format!("{}/export", at(&key)), json!({})).refused(409, "NCERRConflict");
    assert_eq!(said, "source key `dated` is Pre-Active, and not exported before its activation");
    let mut states = vec!["Pre-Active".to_owned()];
    for _ in 0..120 {
        sleep(Duration::from_millis(50));
        let state = admin.get(&at(&key)).expect(200)["state"].as_str().expect("a state").to_owned();
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    assert_eq!(states, ["Pre-Active", "Active", "Deactivated"]);
    assert_eq!((total("Deactivated"), total("Active")), (json!(1), json!(0)));

    let waiting = make(&admin, json!({"name": "waiting", "state": "Pre-Active"}));
    assert_eq!((&waiting["state"], waiting.get("activationDate")), (&json!("Pre-Active"), None));
    let zero = json!({"activationDate": "0001-01-01T00:00:00Z"});
    assert_eq!(admin.patch(&at(&waiting), zero).expect(200), waiting);
    let active = admin.patch(&at(&waiting), json!({"activationDate": in_seconds(-1)})).expect(200);
    assert_eq!(active["state"], "Active");
    admin.patch(&at(&waiting), json!({"activationDate": in_seconds(60)})).refused(409, "NCERRConflict");
    let ends: DateTime<Utc> = Utc::now() + TimeDelta::days(1);
    let ends = ends.to_rfc3339_opts(SecondsFormat::Secs, true);
    let ending = admin.patch(&at(&waiting), json!({"deactivationDate": ends, "protectStopDate": ends})).expect(200);
    assert_eq!((&ending["state"], &ending["deactivationDate"]), (&json!("Active"), &json!(ends)));
    for (body, text) in [
        (json!({"state": "Active", "activationDate": in_seconds(60)}), "state: contradicts the dates"),
        (json!({"state": "Retired"}), "state: `Retired` is not one of"),
        (json!({"deactivationDate": in_seconds(-60)}), "deactivationDate: must not be before activationDate"),
        (json!({"activationDate": "tomorrow"}), "activationDate: must be a time"),
        (json!({"activationDate": "9999-01-01T00:00:00Z"}), "activationDate: must be in the years"),
    ] {
        let said = admin.post(KEYS, body).refused(400, "NCERRInvalidParamValue");
        assert!(said.starts_with(text), "{said}");
    }
}

#[test]
fn usage_and_deletability_are_changed_and_an_undeletable_key_is_not_destroyed() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let key = make(&admin, json!({"name": "kept"}));
    // What the vendor's Ansible module sends with every change.
    let always = json!({"usageMask": 3_145_740, "allVersions": false, "undeletable": false, "unexportable": false});
    let changed = admin.patch(&at(&key), always).expect(200);
    assert_eq!((&changed["usageMask"], &changed["undeletable"]), (&json!(3_145_740), &json!(false)));
    assert_eq!(admin.patch(&at(&key), json!({"undeletable": true})).expect(200)["undeletable"], true);
    for answer in [admin.delete(&at(&key)), admin.post(&format!("{}/destroy", at(&key)), json!({}))] {
        assert_eq!(answer.refused(409, "NCERRConflict"), "source key `kept`: key is not deletable");
    }
    assert_eq!(data_keys(&appliance, &key).len(), 1);
    admin.patch(&at(&key), json!({"usageMask": 4_194_304})).refused(400, "NCERRInvalidParamValue");
    let said = admin.patch(&at(&key), json!({"state": "Destroyed"})).refused(400, "NCERRInvalidParamValue");
    assert_eq!(said, "state: cannot be changed; dates, revoke, reactivate and destroy change it");
    admin.patch(&at(&key), json!({"state": "Active", "undeletable": false})).expect(200);
    admin.delete(&at(&key)).expect(204);
}

#[test]
fn only_an_active_key_goes_to_aws() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let key = fixture.create_source_key(json!({"name": "used"}));
    let upload = |source: &str| {
        let body = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source});
        admin.post("/v1/cckm/aws/upload-key", body)
    };
    let uploaded = upload("used").expect(201);
    let aws_key = format!("/v1/cckm/aws/keys/{}", id(&uploaded));
    let calls = fixture.lab.calls("kms:ImportKeyMaterial");
    post(admin, &key, "revoke", json!({"reason": "Superseded"}));
    let expected = "source key `used` is Deactivated: only an Active source key can be used";
    assert_eq!(upload("used").refused(409, "NCERRConflict"), expected);
    for (operation, body) in
        [("import-material", json!({"source_key_identifier": "used"})), ("rotate", json!({"source_key_id": id(&key)}))]
    {
        let answer = admin.post(&format!("{aws_key}/{operation}"), body);
        assert_eq!(answer.refused(409, "NCERRConflict"), expected, "{operation}");
    }
    assert_eq!(fixture.lab.calls("kms:ImportKeyMaterial"), calls, "AWS was not asked");
    post(admin, &key, "reactivate", json!({}));
    upload("used").expect(201);
    post(admin, &key, "archive", json!({}));
    assert!(upload("used").refused(409, "NCERRConflict").contains("archived"));
    post(admin, &key, "destroy", json!({}));
    assert!(upload("used").refused(409, "NCERRConflict").contains("its material no longer exists"));
}
