//! Endpoints of alarms, of webhooks, and of changes that were made outside.

use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::{alarms, drift};
use crate::service::access::RequiredRight::{ManageAlarms, SignedIn};

pub(super) fn drift_events() -> Vec<Endpoint> {
    vec![
        get("/cckm/aws/drift-events", drift::list, "listDriftEvents", "List the changes that others made at AWS")
            .needs(SignedIn),
        get("/cckm/aws/drift-events/{id}", drift::get, "getDriftEvent", "Get a change that others made at AWS")
            .needs(SignedIn),
    ]
}

pub(super) fn alarms() -> Vec<Endpoint> {
    let (all, one) = ("/alarms/webhooks", "/alarms/webhooks/{id}");
    let (rotate, test) = (format!("{one}/rotate-secret"), format!("{one}/test"));
    vec![
        post(all, alarms::create_webhook, "createWebhook", "Create a webhook that alarms are delivered to")
            .needs(ManageAlarms)
            .refuses(&[404, 409]),
        get(all, alarms::webhooks, "listWebhooks", "List the webhooks").needs(ManageAlarms),
        get(one, alarms::webhook, "getWebhook", "Get a webhook and the state of its deliveries").needs(ManageAlarms),
        patch(one, alarms::update_webhook, "updateWebhook", "Change a webhook")
            .needs(ManageAlarms)
            .refuses(&[404, 409]),
        delete(one, alarms::delete_webhook, "deleteWebhook", "Delete a webhook").needs(ManageAlarms),
        post(&rotate, alarms::rotate_secret, "rotateWebhookSecret", "Replace the secret of a webhook")
            .needs(ManageAlarms),
        post(&test, alarms::test_webhook, "testWebhook", "Send a test delivery to a webhook, and get its outcome")
            .needs(ManageAlarms)
            .read_only(),
        get("/alarms", alarms::list, "listAlarms", "List the alarms that the caller may see").needs(SignedIn),
        get("/alarms/{id}", alarms::get, "getAlarm", "Get an alarm").needs(SignedIn),
        post("/alarms/{id}/acknowledge", alarms::acknowledge, "acknowledgeAlarm", "Acknowledge an alarm")
            .needs(ManageAlarms)
            .refuses(&[409]),
        post("/alarms/{id}/clear", alarms::clear, "clearAlarm", "Clear an alarm").needs(ManageAlarms),
    ]
}
