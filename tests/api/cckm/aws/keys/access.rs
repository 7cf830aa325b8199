//! Access to keys: each call requires its action on the KMS of the key, and the view actions decide which keys a user
//! sees.

use crate::support::appliance::{id, subject};
use crate::support::client::{Answer, Client};
use crate::support::kms_fixture::{HOME, KEYS, KmsFixture, at, key_body};
use claviger::service::access::RequiredRight;
use reqwest::Method;
use serde_json::{Value, json};

const NOT_FOUND: &str = "NCERRResourceNotFound";
const FORBIDDEN: &str = "NCERRInsufficientPermissions";

/// The calls on one key: the method, the end of the path, and the action in the rows of the routes that it requires
/// besides the view. `None` requires only the view.
fn calls() -> Vec<(Method, String, Option<&'static str>)> {
    let groups = claviger::http::routes::endpoint_groups();
    let endpoints = groups.iter().flat_map(|group| &group.endpoints);
    let on_a_key = endpoints.filter_map(|endpoint| {
        let what = endpoint.path.strip_prefix("/api/v1/cckm/aws/keys/{id}")?.trim_start_matches('/').to_owned();
        let action = match endpoint.needs {
            RequiredRight::ViewKey => None,
            RequiredRight::OnKey(action) => Some(action.name()),
            other => panic!("{}: {other:?} is no right on a key", endpoint.id),
        };
        let method = Method::from_bytes(endpoint.method.as_str().as_bytes()).expect("a method");
        Some((method, what, action))
    });
    on_a_key.collect()
}

/// A fixture, and a user without rights.
struct AccessFixture {
    fixture: KmsFixture,
    ann: Client,
    subject: String,
}

impl AccessFixture {
    fn new() -> Self {
        let fixture = KmsFixture::new();
        let ann = fixture.appliance.user("ann");
        Self { subject: subject(&ann), fixture, ann }
    }

    /// Grants or revokes one action on the KMS, without the views that a permit brings.
    fn permit(&self, action: &str, permit: bool) {
        let before = self.views();
        self.update(json!([action]), permit);
        let brought: Vec<_> =
            self.views().into_iter().filter(|view| *view != action && !before.contains(view)).collect();
        if permit && !brought.is_empty() {
            self.update(json!(brought), false);
        }
    }

    fn update(&self, actions: Value, permit: bool) {
        let entry = json!({"user_id": self.subject, "actions": actions, "permit": permit});
        self.fixture.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", self.fixture.kms), entry).expect(200);
    }

    /// The views that the user has.
    fn views(&self) -> Vec<String> {
        let kms = self.fixture.admin.get(&format!("/v1/cckm/aws/kms/{}", self.fixture.kms)).expect(200);
        let actions = kms["acls"][0]["actions"].as_array().cloned().unwrap_or_default();
        let names = actions.iter().filter_map(|action| action.as_str().map(str::to_owned));
        names.filter(|name| name.starts_with("view")).collect()
    }

    /// Sends an empty body: a caller with the right gets an error about a missing member.
    fn call(&self, key: &Value, method: &Method, what: &str) -> Answer {
        self.ann.send(method.clone(), &format!("{}?dry_run=true", at(key, what)), Some(b"{}".to_vec()))
    }

    fn seen(&self) -> Vec<String> {
        let list = self.ann.get(KEYS).expect(200);
        let ids: Vec<_> = list["resources"].as_array().expect("keys").iter().map(id).collect();
        assert_eq!(list["total"], ids.len());
        ids
    }
}

#[test]
fn each_call_on_a_key_requires_its_action_and_names_it() {
    let access = AccessFixture::new();
    let native = access.fixture.create(json!({}));
    let brought = access.fixture.create(json!({"Origin": "EXTERNAL"}));
    assert!(calls().len() >= 26);
    for (key, view) in [(&native, "viewnative"), (&brought, "viewbyok")] {
        for (method, what, action) in calls() {
            access.call(key, &method, &what).refused(404, NOT_FOUND);
            if let Some(action) = action {
                // The action without the view does not show the key.
                access.permit(action, true);
                access.call(key, &method, &what).refused(404, NOT_FOUND);
                access.permit(action, false);
                access.permit(view, true);
                let message = access.call(key, &method, &what).refused(403, FORBIDDEN);
                assert!(message.contains(&format!("`{action}`")), "{what}: {message}");
                access.permit(action, true);
            }
            access.permit(view, true);
            let answer = access.call(key, &method, &what);
            let is_seen = answer.status != 404 || answer.body["reason"] == "key_never_rotated";
            assert!(is_seen && ![401, 403].contains(&answer.status) && answer.status < 500, "{what}: {}", answer.text);
            access.permit(view, false);
            if let Some(action) = action {
                access.permit(action, false);
            }
        }
    }
    assert_eq!(access.fixture.read(&native), native, "nothing was done");
}

#[test]
fn making_keys_needs_its_action_on_the_kms_that_is_named() {
    let access = AccessFixture::new();
    let source = access.fixture.create_source_key(json!({}));
    let upload = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source["id"]});
    let verify = json!({"kms": access.fixture.kms, "region": HOME, "alias": "free"});
    for (path, action, body, done) in [
        (KEYS, "keycreate", key_body(json!({})), 201),
        ("/v1/cckm/aws/upload-key", "keyupload", upload, 201),
        ("/v1/cckm/aws/alias/verify", "view", verify, 200),
    ] {
        let message = access.ann.post(path, body.clone()).refused(404, NOT_FOUND);
        assert!(message.contains("does not exist"), "{message}");
        access.permit("reportview", true);
        if action != "view" {
            let message = access.ann.post(path, body.clone()).refused(403, FORBIDDEN);
            assert!(message.contains(&format!("`{action}`")), "{message}");
        }
        access.permit(action, true);
        access.ann.post(path, body).expect(done);
        access.permit(action, false);
        access.permit("reportview", false);
    }
    assert_eq!(access.fixture.total(""), 2);
    assert_eq!(access.seen().len(), 0, "the action alone does not show them");
}

#[test]
fn each_view_shows_its_kind_of_keys_and_hides_the_rest() {
    let access = AccessFixture::new();
    let native = access.fixture.create(json!({}));
    let source = access.fixture.create_source_key(json!({}));
    let upload = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source["id"]});
    let brought = access.fixture.create_at("/v1/cckm/aws/upload-key", upload);
    let never = "00000000-0000-4000-8000-000000000000";
    let hidden = |key: &Value| {
        let said = access.ann.get(&at(key, "")).refused(404, NOT_FOUND);
        let unknown = access.ann.get(&format!("{KEYS}/{never}")).refused(404, NOT_FOUND);
        assert_eq!(said.replace(&id(key), never), unknown);
    };
    assert_eq!(access.seen(), Vec::<String>::new());
    access.permit("viewnative", true);
    assert_eq!(access.seen(), [id(&native)]);
    assert_eq!(access.ann.get(&at(&native, "")).expect(200), native);
    hidden(&brought);
    access.permit("viewnative", false);
    access.permit("viewbyok", true);
    assert_eq!(access.seen(), [id(&brought)]);
    assert_eq!(access.ann.get(&at(&brought, "")).expect(200), brought);
    hidden(&native);
    access.permit("view", true);
    assert_eq!(access.seen().len(), 2);
    access.permit("view", false);
    for other in ["viewhyokkey", "viewcloudhsmkey", "keycreate", "reportview"] {
        access.permit(other, true);
    }
    assert_eq!(access.seen(), Vec::<String>::new());
    hidden(&native);
    hidden(&brought);
}

#[test]
fn an_alias_is_taken_away_only_from_a_key_that_may_be_changed() {
    let access = AccessFixture::new();
    let native = access.fixture.create(json!({}));
    let source = access.fixture.create_source_key(json!({}));
    let upload = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source["id"],
        "aws_param": {"Alias": "held"}});
    let holder = access.fixture.create_at("/v1/cckm/aws/upload-key", upload);
    access.permit("viewnative", true);
    access.permit("keyupdate", true);
    let ask = || access.ann.post(&at(&native, "add-alias"), json!({"alias": "held"}));
    let message = ask().refused(409, "NCERRConflict");
    assert!(message.contains("alias/held") && !message.contains(&id(&holder)), "{message}");
    assert_eq!(access.fixture.read(&holder), holder);
    access.permit("viewbyok", true);
    ask().expect(200);
    assert!(access.fixture.read(&holder)["aws_param"].get("Alias").is_none());
}
