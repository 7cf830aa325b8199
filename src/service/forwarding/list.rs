//! The list of syslog receivers: its filters and sort orders.

use crate::domain::forwarder::{Forwarder, Transport};
use crate::domain::id::ForwarderId;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::service::caller::Caller;
use crate::service::list::{Candidates, Field, Listed};

impl Listed for Forwarder {
    type Rows = Table<ForwarderId, Self>;
    const SORTS: &'static [&'static str] = &["id", "host", "port", "transport", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "host", "port", "transport"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[("transport", Transport::NAMES)];
    const SEARCHES: &'static [&'static str] = &["id", "host"];
    const IDENTITIES: &'static [&'static str] = &["id"];

    fn rows(state: &State) -> &Self::Rows {
        &state.forwarders
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(ForwarderId::parse(value).into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "host" => Field::Text(self.settings.host.clone()),
            "port" => Field::Number(self.settings.port.into()),
            "transport" => Field::Text(self.settings.transport.name().to_owned()),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
