//! Events of every kind for the posture.

use super::sample::{Form, kms};
use crate::domain::event::Event;
use crate::domain::posture::{KmsCounts, PostureEvent};
use crate::domain::time::Time;

pub(super) fn every_kind(form: Form) -> impl Iterator<Item = Event> {
    let findings = form.list(vec![("no_rotation".to_owned(), 3)]);
    let counts = KmsCounts { kms: kms(0), keys: 7, keys_with_findings: 3, findings };
    let day = Time::from_nanos(1_764_288_000_000_000_000);
    let counted = |kms| Event::Posture(PostureEvent::Counted { day, kms });
    [counted(vec![counts.clone()]), counted(form.list(vec![counts]))].into_iter()
}
