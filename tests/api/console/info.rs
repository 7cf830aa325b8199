//! What the console shows before a sign-in.

use crate::support::appliance::Appliance;
use serde_json::json;

#[test]
fn the_name_and_the_notice_of_the_installation_are_shown_to_everybody() {
    let appliance = Appliance::start();
    let shown = appliance.nobody().get("/v1/console").expect(200);
    assert_eq!(shown, json!({"name": "claviger", "lab": true}), "and no version");

    let notice = "Nur für Befugte. <b>Alles</b> wird aufgezeichnet.";
    let named = [("CLAVIGER_CONSOLE_TITLE", "Payments, production"), ("CLAVIGER_CONSOLE_NOTICE", notice)];
    let appliance = Appliance::start_with(&named);
    let shown = appliance.nobody().get("/v1/console").expect(200);
    assert_eq!(shown, json!({"name": "claviger", "lab": true, "title": "Payments, production", "notice": notice}));
}
