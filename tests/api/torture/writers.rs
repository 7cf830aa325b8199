//! 32 clients that make changes, each of resources of its own, and the model of what must be there afterwards: the
//! acknowledged changes, and the one in progress entirely or not at all.

use crate::support::appliance::{Appliance, PASSWORD};
use crate::support::client::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";
const SECRET: &str = "lab-only/user1/not+a+secret/of+any+use01";

/// The number of clients.
const CLIENTS: usize = 32;

/// Changes in a cycle: two resources are created and changed, then the first one and that of the cycle before deleted.
const CYCLE: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Groups,
    Users,
    Connections,
    SourceKeys,
}

/// The resources of one client by name, each with the number of its last change.
type Resources = BTreeMap<String, usize>;

/// One client with its model.
struct Writer {
    kind: Kind,
    prefix: String,
    /// The number of the last acknowledged change.
    acknowledged: usize,
    resources: Resources,
    /// The ids of the resources, for paths.
    ids: BTreeMap<String, String>,
}

pub(crate) struct Writers {
    writers: Vec<Writer>,
    /// The acknowledged changes of all rounds.
    pub acknowledged: usize,
    /// The changes that were in progress when the program ended and are there.
    pub completed: usize,
    /// The changes that were in progress and are not there.
    pub absent: usize,
}

enum Change {
    Create(String),
    Edit(String),
    Delete(String),
}

impl Writer {
    /// The change with this number.
    fn change(&self, number: usize) -> Change {
        let (cycle, step) = ((number - 1) / CYCLE, (number - 1) % CYCLE);
        let (a, b) = (format!("{}-{cycle}a", self.prefix), format!("{}-{cycle}b", self.prefix));
        match step {
            0 => Change::Create(a),
            1 => Change::Edit(a),
            2 => Change::Create(b),
            3 => Change::Edit(b),
            4 => Change::Delete(a),
            _ if cycle == 0 => Change::Edit(b),
            _ => Change::Delete(format!("{}-{}b", self.prefix, cycle - 1)),
        }
    }

    /// The resources after the change with this number.
    fn after(&self, number: usize) -> Resources {
        let mut resources = self.resources.clone();
        match self.change(number) {
            Change::Create(name) | Change::Edit(name) => drop(resources.insert(name, number)),
            Change::Delete(name) => drop(resources.remove(&name)),
        }
        resources
    }

    fn request(&self, number: usize) -> (Method, String, Option<Value>) {
        match self.change(number) {
            Change::Create(name) => (Method::POST, self.kind.path().to_owned(), Some(self.kind.body(&name, number))),
            Change::Edit(name) => (Method::PATCH, self.path(&name), Some(self.kind.edit(number))),
            Change::Delete(name) => (Method::DELETE, self.path(&name), None),
        }
    }

    fn path(&self, name: &str) -> String {
        let id = self.ids.get(name).map_or(name, String::as_str);
        format!("{}/{}", self.kind.path(), id.replace('|', "%7C"))
    }

    /// Makes changes until one is not acknowledged or the signal is given; the answer to the refused one.
    fn write(&mut self, client: &Client, stop: &AtomicBool) -> Option<Answer> {
        while !stop.load(Ordering::Relaxed) {
            let number = self.acknowledged + 1;
            let (method, path, body) = self.request(number);
            let body = body.map(|body| body.to_string().into_bytes());
            let answer = match client.try_send(method, &path, body) {
                Ok(answer) if [200, 201, 204].contains(&answer.status) => answer,
                Ok(answer) => return Some(answer),
                Err(_) => return None,
            };
            self.note_id(&answer.body);
            self.resources = self.after(number);
            self.acknowledged = number;
        }
        None
    }

    fn note_id(&mut self, resource: &Value) {
        let (name, id) = (&resource[self.kind.name()], &resource[self.kind.id()]);
        if let (Some(name), Some(id)) = (name.as_str(), id.as_str()) {
            self.ids.insert(name.to_owned(), id.to_owned());
        }
    }
}

impl Kind {
    const ALL: [Self; 4] = [Self::Groups, Self::Users, Self::Connections, Self::SourceKeys];

    fn path(self) -> &'static str {
        match self {
            Self::Groups => "/v1/usermgmt/groups",
            Self::Users => "/v1/usermgmt/users",
            Self::Connections => CONNECTIONS,
            Self::SourceKeys => "/v1/vault/keys2",
        }
    }

    fn name(self) -> &'static str {
        if self == Self::Users { "username" } else { "name" }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Groups => "name",
            Self::Users => "user_id",
            Self::Connections | Self::SourceKeys => "id",
        }
    }

    fn body(self, name: &str, number: usize) -> Value {
        let mut body = self.edit(number);
        body[self.name()] = json!(name);
        match self {
            Self::Users => body["password"] = json!(PASSWORD),
            Self::Connections => {
                body["access_key_id"] = json!("AKIALABUSER1ONLYLAB1");
                body["secret_access_key"] = json!(SECRET);
            }
            Self::Groups | Self::SourceKeys => {}
        }
        body
    }

    /// Two members with the number of the change: if it is there, both are.
    fn edit(self, number: usize) -> Value {
        let text = format!("change {number}");
        match self {
            Self::Groups => json!({"description": text, "app_metadata": {"change": text}}),
            Self::Users => json!({"name": text, "user_metadata": {"change": text}}),
            Self::Connections => json!({"description": text, "meta": {"change": text}}),
            Self::SourceKeys => json!({"description": text, "meta": {"change": text}}),
        }
    }

    /// The number of the last change of a resource of a list; panics if only a part of it is there.
    fn number(self, resource: &Value) -> usize {
        let (text, object) = match self {
            Self::Groups => ("description", "app_metadata"),
            Self::Users => ("name", "user_metadata"),
            Self::Connections | Self::SourceKeys => ("description", "meta"),
        };
        assert_eq!(resource[text], resource[object]["change"], "half a change: {resource}");
        let number = resource[text].as_str().and_then(|text| text.strip_prefix("change ")?.parse().ok());
        number.unwrap_or_else(|| panic!("no change has made this: {resource}"))
    }
}

impl Writers {
    pub(crate) fn new() -> Self {
        let writer = |n: usize| Writer {
            kind: Kind::ALL[n % Kind::ALL.len()],
            prefix: format!("w{n}"),
            acknowledged: 0,
            resources: Resources::new(),
            ids: BTreeMap::new(),
        };
        Self { writers: (0..CLIENTS).map(writer).collect(), acknowledged: 0, completed: 0, absent: 0 }
    }

    /// Lets all clients write while `meanwhile` runs, and until their changes are refused or get no answer, or
    /// `meanwhile` has given the signal. Returns the answers other than acknowledgements.
    pub(crate) fn write(
        &mut self,
        appliance: &mut Appliance,
        meanwhile: impl FnOnce(&mut Appliance, &AtomicBool),
    ) -> Vec<Answer> {
        let token = appliance.admin();
        let clients: Vec<_> = (0..CLIENTS).map(|_| appliance.nobody().with_token(token.token())).collect();
        let stop = AtomicBool::new(false);
        let before: usize = self.writers.iter().map(|writer| writer.acknowledged).sum();
        let answers = thread::scope(|scope| {
            let writers = self.writers.iter_mut().zip(&clients);
            let stop = &stop;
            let writing: Vec<_> =
                writers.map(|(writer, client)| scope.spawn(move || writer.write(client, stop))).collect();
            meanwhile(appliance, stop);
            writing.into_iter().filter_map(|writer| writer.join().expect("a writer")).collect()
        });
        let after: usize = self.writers.iter().map(|writer| writer.acknowledged).sum();
        self.acknowledged += after - before;
        answers
    }

    /// Asserts that the appliance has all acknowledged changes and no part of another one. A change that was in
    /// progress and is there counts as acknowledged from now on.
    pub(crate) fn check(&mut self, appliance: &Appliance) {
        let admin = appliance.admin();
        self.check_lists(&admin);
        self.check_secrets(appliance, &admin);
    }

    /// Asserts the same of what an administrator reads.
    pub(crate) fn check_lists(&mut self, admin: &Client) {
        for kind in Kind::ALL {
            let list = admin.get(&format!("{}?limit=-1", kind.path())).expect(200);
            let listed = list["resources"].as_array().expect("a list");
            for writer in self.writers.iter_mut().filter(|writer| writer.kind == kind) {
                let prefix = format!("{}-", writer.prefix);
                let mut found = Resources::new();
                for resource in listed {
                    let name = resource[kind.name()].as_str().unwrap_or_default();
                    if name.starts_with(&prefix) {
                        found.insert(name.to_owned(), kind.number(resource));
                        writer.note_id(resource);
                    }
                }
                if found == writer.after(writer.acknowledged + 1) {
                    writer.acknowledged += 1;
                    writer.resources = found;
                    self.completed += 1;
                } else {
                    assert_eq!(found, writer.resources, "{kind:?} after {} acknowledged changes", writer.acknowledged);
                    self.absent += 1;
                }
            }
        }
    }

    /// Asserts that one secret of each kind can be unsealed, and that no data key is left without an owner.
    fn check_secrets(&self, appliance: &Appliance, admin: &Client) {
        let last = |kind| {
            let mut writers = self.writers.iter().filter(move |writer| writer.kind == kind);
            writers.find_map(|writer| Some((writer, writer.resources.keys().next_back()?)))
        };
        if let Some((_, name)) = last(Kind::Users) {
            appliance.nobody().sign_in(name, PASSWORD);
        }
        if let Some((writer, name)) = last(Kind::Connections) {
            let tested = admin.post(&format!("{}/test", writer.path(name)), json!({})).expect(200);
            assert_eq!(tested["connection_ok"], true, "{tested}");
        }
        if let Some((writer, name)) = last(Kind::SourceKeys) {
            admin.post(&format!("{}/export", writer.path(name)), json!({})).expect(200);
        }
        for (kind, owner) in
            [(Kind::Users, "user-"), (Kind::Connections, "connection-"), (Kind::SourceKeys, "source-key-")]
        {
            let total = admin.get(&format!("{}?limit=1", kind.path())).expect(200)["total"].as_u64();
            let keys = std::fs::read_dir(appliance.data().join("keyring")).expect("a keyring");
            let keys = keys.map(|key| key.expect("a key").file_name().into_string().expect("UTF-8"));
            let keys = keys.filter(|key| key.starts_with(owner)).count();
            assert_eq!(u64::try_from(keys).ok(), total, "the data keys of {kind:?}");
        }
    }
}
