//! Who may do what with keys: each call needs the action that the table names, on the KMS of the key; and which keys
//! are seen at all depends on the views.

use crate::support::appliance::{id, subject};
use crate::support::client::{Answer, Client};
use crate::support::kms_fixture::{HOME, KEYS, Workbench, at, wish};
use reqwest::Method;
use serde_json::{Value, json};

const NOT_FOUND: &str = "NCERRResourceNotFound";
const FORBIDDEN: &str = "NCERRInsufficientPermissions";

/// A call on one key, and the action that it needs beside the view. (`view`: nothing beside it.)
#[rustfmt::skip]
const CALLS: [(&str, &str, &str); 26] = [
    ("GET", "", "view"),
    ("DELETE", "", "keydelete"),
    ("POST", "enable", "keyupdate"),
    ("POST", "disable", "keyupdate"),
    ("POST", "update-description", "keyupdate"),
    ("POST", "policy", "keyupdate"),
    ("POST", "add-tags", "keyupdate"),
    ("POST", "remove-tags", "keyupdate"),
    ("POST", "add-alias", "keyupdate"),
    ("POST", "delete-alias", "keyupdate"),
    ("POST", "enable-auto-rotation", "keyupdate"),
    ("POST", "disable-auto-rotation", "keyupdate"),
    ("POST", "rotate-material", "keyrotate"),
    ("POST", "rotate", "keyrotate"),
    ("POST", "enable-rotation-job", "keyrotate"),
    ("POST", "disable-rotation-job", "keyrotate"),
    ("GET", "rotations", "view"),
    ("POST", "import-material", "keymaterialimport"),
    ("POST", "delete-material", "keymaterialdelete"),
    ("POST", "schedule-deletion", "keydelete"),
    ("POST", "cancel-deletion", "keycanceldelete"),
    ("POST", "replicate-key", "keycreate"),
    ("POST", "update-primary-region", "keyupdate"),
    ("POST", "get-key-rotation-status", "view"),
    ("GET", "download-public-key", "view"),
    ("POST", "refresh", "keysynchronize"),
];

/// A bench, and somebody with no rights yet.
struct Ground {
    bench: Workbench,
    ann: Client,
    subject: String,
}

impl Ground {
    fn new() -> Self {
        let bench = Workbench::new();
        let ann = bench.appliance.user("ann");
        Self { subject: subject(&ann), bench, ann }
    }

    /// Gives or takes one action on the KMS.
    fn permit(&self, action: &str, permit: bool) {
        let wish = json!({"user_id": self.subject, "actions": [action], "permit": permit});
        self.bench.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", self.bench.kms), wish).expect(200);
    }

    /// Calls without a word in the body: whoever is let in is told what is missing there.
    fn call(&self, key: &Value, (method, what, _): (&str, &str, &str)) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.ann.send(method, &format!("{}?dry_run=true", at(key, what)), Some(b"{}".to_vec()))
    }

    fn seen(&self) -> Vec<String> {
        let list = self.ann.get(KEYS).expect(200);
        let ids: Vec<_> = list["resources"].as_array().expect("keys").iter().map(id).collect();
        assert_eq!(list["total"], ids.len());
        ids
    }
}

#[test]
fn each_call_on_a_key_needs_its_action_and_is_told_which() {
    let ground = Ground::new();
    let native = ground.bench.make(json!({}));
    let brought = ground.bench.make(json!({"Origin": "EXTERNAL"}));
    for (key, view) in [(&native, "viewnative"), (&brought, "viewbyok")] {
        for call in CALLS {
            let (_, what, action) = call;
            ground.call(key, call).refused(404, NOT_FOUND);
            if action != "view" {
                // An action alone does not show the key.
                ground.permit(action, true);
                ground.call(key, call).refused(404, NOT_FOUND);
                ground.permit(action, false);
                ground.permit(view, true);
                let message = ground.call(key, call).refused(403, FORBIDDEN);
                assert!(message.contains(&format!("`{action}`")), "{what}: {message}");
                ground.permit(action, true);
            }
            ground.permit(view, true);
            let answer = ground.call(key, call);
            assert!(![401, 403, 404].contains(&answer.status) && answer.status < 500, "{what}: {}", answer.text);
            ground.permit(view, false);
            if action != "view" {
                ground.permit(action, false);
            }
        }
    }
    assert_eq!(ground.bench.see(&native), native, "nothing was done");
}

#[test]
fn every_route_of_a_key_is_in_the_walk() {
    let families = claviger::http::routes::families();
    let keys = families.iter().flat_map(|family| &family.endpoints);
    let keys = keys.filter_map(|endpoint| Some((endpoint, endpoint.path.strip_prefix("/api/v1/cckm/aws/keys/{id}")?)));
    for (endpoint, what) in keys {
        let (method, what) = (endpoint.method.as_str(), what.trim_start_matches('/'));
        assert!(CALLS.iter().any(|call| (call.0, call.1) == (method, what)), "{method} {what}");
    }
}

#[test]
fn making_keys_needs_its_action_on_the_kms_that_is_named() {
    let ground = Ground::new();
    let source = ground.bench.source(json!({}));
    let upload = json!({"kms": "bench", "region": HOME, "source_key_identifier": source["id"]});
    let verify = json!({"kms": ground.bench.kms, "region": HOME, "alias": "free"});
    for (path, action, body, done) in [
        (KEYS, "keycreate", wish(json!({})), 201),
        ("/v1/cckm/aws/upload-key", "keyupload", upload, 201),
        ("/v1/cckm/aws/alias/verify", "view", verify, 200),
    ] {
        let message = ground.ann.post(path, body.clone()).refused(404, NOT_FOUND);
        assert!(message.contains("does not exist"), "{message}");
        ground.permit("reportview", true);
        if action != "view" {
            let message = ground.ann.post(path, body.clone()).refused(403, FORBIDDEN);
            assert!(message.contains(&format!("`{action}`")), "{message}");
        }
        ground.permit(action, true);
        ground.ann.post(path, body).expect(done);
        ground.permit(action, false);
        ground.permit("reportview", false);
    }
    assert_eq!(ground.bench.total(""), 2);
    assert_eq!(ground.seen().len(), 0, "who makes keys does not see them for that");
}

#[test]
fn each_view_shows_its_kind_of_keys_and_hides_the_rest() {
    let ground = Ground::new();
    let native = ground.bench.make(json!({}));
    let source = ground.bench.source(json!({}));
    let upload = json!({"kms": "bench", "region": HOME, "source_key_identifier": source["id"]});
    let brought = ground.bench.make_by("/v1/cckm/aws/upload-key", upload);
    let never = "00000000-0000-4000-8000-000000000000";
    let hidden = |key: &Value| {
        let said = ground.ann.get(&at(key, "")).refused(404, NOT_FOUND);
        let unknown = ground.ann.get(&format!("{KEYS}/{never}")).refused(404, NOT_FOUND);
        assert_eq!(said.replace(&id(key), never), unknown);
    };
    assert_eq!(ground.seen(), Vec::<String>::new());
    ground.permit("viewnative", true);
    assert_eq!(ground.seen(), [id(&native)]);
    assert_eq!(ground.ann.get(&at(&native, "")).expect(200), native);
    hidden(&brought);
    ground.permit("viewnative", false);
    ground.permit("viewbyok", true);
    assert_eq!(ground.seen(), [id(&brought)]);
    assert_eq!(ground.ann.get(&at(&brought, "")).expect(200), brought);
    hidden(&native);
    ground.permit("view", true);
    assert_eq!(ground.seen().len(), 2);
    ground.permit("view", false);
    for other in ["viewhyokkey", "viewcloudhsmkey", "keycreate", "reportview"] {
        ground.permit(other, true);
    }
    assert_eq!(ground.seen(), Vec::<String>::new());
    hidden(&native);
    hidden(&brought);
}

#[test]
fn an_alias_is_taken_away_only_from_a_key_that_may_be_changed() {
    let ground = Ground::new();
    let native = ground.bench.make(json!({}));
    let source = ground.bench.source(json!({}));
    let upload = json!({"kms": "bench", "region": HOME, "source_key_identifier": source["id"],
        "aws_param": {"Alias": "held"}});
    let holder = ground.bench.make_by("/v1/cckm/aws/upload-key", upload);
    ground.permit("viewnative", true);
    ground.permit("keyupdate", true);
    let ask = || ground.ann.post(&at(&native, "add-alias"), json!({"alias": "held"}));
    let told = ask().refused(409, "NCERRConflict");
    assert!(told.contains("alias/held") && !told.contains(&id(&holder)), "{told}");
    assert_eq!(ground.bench.see(&holder), holder);
    ground.permit("viewbyok", true);
    ask().expect(200);
    assert!(ground.bench.see(&holder)["aws_param"].get("Alias").is_none());
}
