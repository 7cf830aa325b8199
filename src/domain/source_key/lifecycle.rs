//! The lifecycle of a source key: its dates, and the state that follows from them, as KMIP defines it. A date that lies
//! ahead takes effect at its time, without an event.

use crate::domain::name::SourceKeyName;
use crate::domain::patch::invalid;
use crate::domain::refusal::{Refusal, SourceKeyRefusal};
use crate::domain::time::Time;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lifecycle {
    /// The start of use; a source key without this date is `Pre-Active`.
    pub activation: Option<Time>,
    /// The time from which a symmetric key decrypts. Imports into AWS do not depend on it.
    pub process_start: Option<Time>,
    /// The time from which a symmetric key no longer encrypts.
    pub protect_stop: Option<Time>,
    pub deactivation: Option<Time>,
    pub archive: Option<Time>,
    /// The time at which the key was revoked because of a compromise.
    pub compromise: Option<Time>,
    /// The time at which the compromise is believed to have happened.
    pub compromise_occurrence: Option<Time>,
    /// The time at which the material was destroyed.
    pub destroy: Option<Time>,
    /// The last revocation, unless the key was reactivated since.
    pub revocation: Option<Revocation>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Revocation {
    pub reason: RevocationReason,
    /// The explanation of the client; may be empty.
    pub message: String,
}

/// The states of KMIP. A key that was compromised and destroyed counts as destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LifecycleState {
    PreActive,
    Active,
    Deactivated,
    Compromised,
    Destroyed,
}

impl LifecycleState {
    pub const ALL: [Self; 5] = [Self::PreActive, Self::Active, Self::Deactivated, Self::Compromised, Self::Destroyed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::PreActive => "Pre-Active",
            Self::Active => "Active",
            Self::Deactivated => "Deactivated",
            Self::Compromised => "Compromised",
            Self::Destroyed => "Destroyed",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevocationReason {
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    PrivilegeWithdrawn,
}

impl RevocationReason {
    /// The words of KMIP, which clients use.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("Unspecified", Self::Unspecified),
        ("KeyCompromise", Self::KeyCompromise),
        ("CACompromise", Self::CaCompromise),
        ("AffiliationChanged", Self::AffiliationChanged),
        ("Superseded", Self::Superseded),
        ("CessationOfOperation", Self::CessationOfOperation),
        ("PrivilegeWithdrawn", Self::PrivilegeWithdrawn),
    ];

    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, reason)| *reason == self).map_or("", |(word, _)| word)
    }

    /// Whether the key becomes `Compromised` instead of `Deactivated`.
    pub const fn is_compromise(self) -> bool {
        matches!(self, Self::KeyCompromise | Self::CaCompromise)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReactivationReason {
    DeactivatedToActive,
    ActiveProtectStopToActive,
    DeactivatedToActiveProtectStop,
}

impl ReactivationReason {
    pub const WORDS: [(&'static str, Self); 3] = [
        ("DeactivatedToActive", Self::DeactivatedToActive),
        ("ActiveProtectStopToActive", Self::ActiveProtectStopToActive),
        ("DeactivatedToActiveProtectStop", Self::DeactivatedToActiveProtectStop),
    ];
}

/// The dates that a client gives; `None` for those that it leaves out.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Dates {
    pub activation: Option<Time>,
    pub process_start: Option<Time>,
    pub protect_stop: Option<Time>,
    pub deactivation: Option<Time>,
    pub archive: Option<Time>,
    pub compromise: Option<Time>,
    pub compromise_occurrence: Option<Time>,
}

impl Lifecycle {
    /// The lifecycle of a key that was created before keys had one: active from its creation on.
    pub fn active_since(at: Time) -> Self {
        Self { activation: Some(at), ..Self::default() }
    }

    /// The lifecycle of a new key. Without an activation date it is active at once, unless `Pre-Active` is wanted.
    ///
    /// # Errors
    /// When the dates contradict each other or the wanted state.
    pub fn begin(dates: &Dates, wanted: Option<LifecycleState>, at: Time) -> Result<Self, Refusal> {
        let pre_active = wanted == Some(LifecycleState::PreActive);
        let lifecycle = Self {
            activation: dates.activation.or((!pre_active).then_some(at)),
            process_start: dates.process_start,
            protect_stop: dates.protect_stop,
            deactivation: dates.deactivation,
            archive: dates.archive,
            compromise: dates.compromise,
            compromise_occurrence: dates.compromise.and(dates.compromise_occurrence.or(Some(at))),
            destroy: None,
            revocation: None,
        };
        lifecycle.check_order(at)?;
        match wanted {
            Some(wanted) if wanted != lifecycle.state(at) => {
                let problem = format!("contradicts the dates, which make the key {}", lifecycle.state(at).name());
                Err(invalid("state", problem))
            }
            _ => Ok(lifecycle),
        }
    }

    pub fn state(&self, at: Time) -> LifecycleState {
        let has_come = |date: Option<Time>| date.is_some_and(|date| date <= at);
        if self.destroy.is_some() {
            LifecycleState::Destroyed
        } else if self.compromise.is_some() {
            LifecycleState::Compromised
        } else if has_come(self.deactivation) {
            LifecycleState::Deactivated
        } else if has_come(self.activation) {
            LifecycleState::Active
        } else {
            LifecycleState::PreActive
        }
    }

    pub fn is_archived(&self, at: Time) -> bool {
        self.archive.is_some_and(|date| date <= at)
    }

    fn is_past_protect_stop(&self, at: Time) -> bool {
        self.protect_stop.is_some_and(|date| date <= at)
    }

    /// Checks that the material may protect data, for which it is imported into AWS.
    ///
    /// # Errors
    /// When the key is not active, is archived, or is past its `protectStopDate`.
    pub fn refuse_use(&self, key: &SourceKeyName, at: Time) -> Result<(), Refusal> {
        let problem = match self.state(at) {
            LifecycleState::Active if self.is_archived(at) => "is archived, and must be recovered before its use",
            LifecycleState::Active if self.is_past_protect_stop(at) => "is past its protectStopDate",
            LifecycleState::Active => return Ok(()),
            LifecycleState::PreActive => "is Pre-Active: only an Active source key can be used",
            LifecycleState::Deactivated => "is Deactivated: only an Active source key can be used",
            LifecycleState::Compromised => "is Compromised: only an Active source key can be used",
            LifecycleState::Destroyed => "is Destroyed: its material no longer exists",
        };
        Err(SourceKeyRefusal::NotUsable { key: key.clone(), problem }.into())
    }

    /// Checks that the material can leave: that it exists, and that the key is not archived.
    ///
    /// # Errors
    /// When it cannot.
    pub fn refuse_export(&self, key: &SourceKeyName, at: Time) -> Result<(), Refusal> {
        let problem = match self.state(at) {
            LifecycleState::Destroyed => "is Destroyed: its material no longer exists",
            LifecycleState::PreActive => "is Pre-Active, and not exported before its activation",
            _ if self.is_archived(at) => "is archived, and must be recovered before its use",
            LifecycleState::Active | LifecycleState::Deactivated | LifecycleState::Compromised => return Ok(()),
        };
        Err(SourceKeyRefusal::NotUsable { key: key.clone(), problem }.into())
    }

    /// Returns the lifecycle with other dates.
    ///
    /// # Errors
    /// When the state of the key forbids it, or the dates contradict each other.
    pub fn amended(&self, key: &SourceKeyName, dates: &Dates, at: Time) -> Result<Self, Refusal> {
        let compromised = self.compromise.is_some();
        let after = Self {
            activation: dates.activation.or(self.activation),
            process_start: dates.process_start.or(self.process_start),
            protect_stop: dates.protect_stop.or(self.protect_stop),
            deactivation: dates.deactivation.or(self.deactivation),
            archive: dates.archive.or(self.archive),
            // The date of a compromise is set by a revocation; a client may correct when it happened.
            compromise_occurrence: dates.compromise_occurrence.filter(|_| compromised).or(self.compromise_occurrence),
            ..self.clone()
        };
        if dates.compromise.is_some() && dates.compromise != self.compromise {
            return Err(invalid("compromiseDate", "cannot be changed; a revocation sets it"));
        }
        if after == *self {
            return Ok(after);
        }
        let state = self.state(at);
        let fixed =
            |problem| Err(SourceKeyRefusal::WrongState { key: key.clone(), state: state.name(), problem }.into());
        if state == LifecycleState::Destroyed {
            return fixed("its dates cannot be changed");
        }
        if after.activation != self.activation && state != LifecycleState::PreActive {
            return fixed("activationDate cannot be changed any more");
        }
        let is_over = matches!(state, LifecycleState::Deactivated | LifecycleState::Compromised);
        if after.deactivation != self.deactivation && is_over {
            return fixed("deactivationDate cannot be changed any more; `reactivate` makes a Deactivated key active");
        }
        if after.protect_stop != self.protect_stop && self.is_past_protect_stop(at) {
            return fixed("protectStopDate has passed, and only `reactivate` removes it");
        }
        if after.archive != self.archive && self.is_archived(at) {
            return fixed("archiveDate has passed, and only `recover` removes it");
        }
        after.check_order(at)?;
        Ok(after)
    }

    fn check_order(&self, at: Time) -> Result<(), Refusal> {
        let inner = [("processStartDate", self.process_start), ("protectStopDate", self.protect_stop)];
        for (member, date) in inner.into_iter().chain([("deactivationDate", self.deactivation)]) {
            if date.zip(self.activation).is_some_and(|(date, activation)| date < activation) {
                return Err(invalid(member, "must not be before activationDate"));
            }
        }
        for (member, date) in inner {
            if date.zip(self.deactivation).is_some_and(|(date, end)| date > end) {
                return Err(invalid(member, "must not be after deactivationDate"));
            }
        }
        for (member, date) in
            [("compromiseDate", self.compromise), ("compromiseOccurrenceDate", self.compromise_occurrence)]
        {
            if date.is_some_and(|date| date > at) {
                return Err(invalid(member, "must not lie ahead"));
            }
        }
        Ok(())
    }

    pub(super) fn revoke(&mut self, revocation: Revocation, occurred: Option<Time>, at: Time, created: Time) {
        if revocation.reason.is_compromise() {
            self.compromise = Some(at);
            self.compromise_occurrence = occurred.or(Some(created));
        } else if self.deactivation.is_none_or(|date| date > at) {
            self.deactivation = Some(at);
        }
        self.revocation = Some(revocation);
    }

    pub(super) fn reactivate(&mut self, reason: ReactivationReason, at: Time) {
        match reason {
            ReactivationReason::DeactivatedToActive => {
                self.deactivation = None;
                self.protect_stop = self.protect_stop.filter(|date| *date > at);
            }
            ReactivationReason::ActiveProtectStopToActive => self.protect_stop = None,
            ReactivationReason::DeactivatedToActiveProtectStop => {
                self.deactivation = None;
                self.protect_stop = Some(self.protect_stop.map_or(at, |date| date.min(at)));
            }
        }
        self.revocation = None;
    }

    /// Checks that a reactivation fits the present state.
    ///
    /// # Errors
    /// When it does not; nothing reactivates a key that was compromised or destroyed.
    pub fn refuse_reactivation(
        &self,
        key: &SourceKeyName,
        reason: ReactivationReason,
        at: Time,
    ) -> Result<(), Refusal> {
        let state = self.state(at);
        let problem = match reason {
            ReactivationReason::ActiveProtectStopToActive => {
                if state == LifecycleState::Active && self.is_past_protect_stop(at) {
                    return Ok(());
                }
                "ActiveProtectStopToActive is for an Active key whose protectStopDate has passed"
            }
            ReactivationReason::DeactivatedToActive | ReactivationReason::DeactivatedToActiveProtectStop => {
                if state == LifecycleState::Deactivated {
                    return Ok(());
                }
                "only a Deactivated key can be reactivated"
            }
        };
        Err(SourceKeyRefusal::WrongState { key: key.clone(), state: state.name(), problem }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::example::at;

    fn name() -> SourceKeyName {
        SourceKeyName::parse("payroll").expect("a name")
    }

    fn begun(dates: &Dates, wanted: Option<LifecycleState>) -> Lifecycle {
        Lifecycle::begin(dates, wanted, at(10)).expect("valid dates")
    }

    #[test]
    fn the_state_follows_from_the_dates() {
        use LifecycleState::{Active, Deactivated, PreActive};
        let usual = begun(&Dates::default(), None);
        assert_eq!((usual.state(at(9)), usual.state(at(10)), usual.state(at(99))), (PreActive, Active, Active));
        let waiting = begun(&Dates::default(), Some(PreActive));
        assert_eq!((waiting.activation, waiting.state(at(99))), (None, PreActive));
        let dates = Dates { activation: Some(at(20)), deactivation: Some(at(30)), ..Dates::default() };
        let dated = begun(&dates, None);
        assert_eq!([19, 20, 29, 30].map(|second| dated.state(at(second))), [PreActive, Active, Active, Deactivated]);
    }

    #[test]
    fn contradictory_dates_are_refused() {
        let refused = |dates: Dates, wanted| Lifecycle::begin(&dates, wanted, at(10)).expect_err("no").to_string();
        let dates = Dates { deactivation: Some(at(5)), ..Dates::default() };
        assert_eq!(refused(dates, None), "deactivationDate: must not be before activationDate");
        let dates = Dates { activation: Some(at(20)), ..Dates::default() };
        let said = refused(dates, Some(LifecycleState::Active));
        assert_eq!(said, "state: contradicts the dates, which make the key Pre-Active");
        let dates = Dates { protect_stop: Some(at(40)), deactivation: Some(at(30)), ..Dates::default() };
        assert_eq!(refused(dates, None), "protectStopDate: must not be after deactivationDate");
        let dates = Dates { compromise: Some(at(40)), ..Dates::default() };
        assert_eq!(refused(dates, None), "compromiseDate: must not lie ahead");
    }

    #[test]
    fn a_date_that_has_passed_is_not_moved() {
        let key = begun(&Dates { deactivation: Some(at(20)), ..Dates::default() }, None);
        let to = |second| Dates { deactivation: Some(at(second)), ..Dates::default() };
        let later = key.amended(&name(), &to(30), at(15)).expect("it lies ahead");
        assert_eq!((later.state(at(25)), later.state(at(30))), (LifecycleState::Active, LifecycleState::Deactivated));
        assert!(key.amended(&name(), &to(30), at(20)).is_err());
        assert_eq!(key.amended(&name(), &to(20), at(25)), Ok(key.clone()), "the same date is no change");
        let activation = Dates { activation: Some(at(12)), ..Dates::default() };
        assert!(key.amended(&name(), &activation, at(15)).is_err());
        let waiting = begun(&Dates::default(), Some(LifecycleState::PreActive));
        let active = waiting.amended(&name(), &activation, at(15)).expect("Pre-Active");
        assert_eq!(active.state(at(15)), LifecycleState::Active);
    }

    #[test]
    fn only_an_active_key_is_used() {
        let usual = begun(&Dates::default(), None);
        assert_eq!(usual.refuse_use(&name(), at(10)), Ok(()));
        let problem = |change: fn(&mut Lifecycle)| {
            let mut key = usual.clone();
            change(&mut key);
            key.refuse_use(&name(), at(20)).expect_err("not usable").to_string()
        };
        let said = problem(|key| key.deactivation = Some(at(20)));
        assert_eq!(said, "source key `payroll` is Deactivated: only an Active source key can be used");
        assert!(problem(|key| key.activation = None).contains("Pre-Active"));
        assert!(problem(|key| key.compromise = Some(at(15))).contains("Compromised"));
        assert!(problem(|key| key.destroy = Some(at(15))).contains("Destroyed"));
        assert!(problem(|key| key.archive = Some(at(20))).contains("archived"));
        assert!(problem(|key| key.protect_stop = Some(at(20))).contains("protectStopDate"));
    }

    #[test]
    fn a_compromised_key_is_never_reactivated() {
        let revocation = |reason| Revocation { reason, message: String::new() };
        let mut key = begun(&Dates::default(), None);
        key.revoke(revocation(RevocationReason::Superseded), None, at(20), at(10));
        assert_eq!(key.state(at(20)), LifecycleState::Deactivated);
        let again = ReactivationReason::DeactivatedToActive;
        assert_eq!(key.refuse_reactivation(&name(), again, at(21)), Ok(()));
        key.reactivate(again, at(21));
        assert_eq!((key.state(at(21)), &key.revocation), (LifecycleState::Active, &None));
        key.revoke(revocation(RevocationReason::KeyCompromise), None, at(22), at(10));
        assert_eq!((key.state(at(22)), key.compromise_occurrence), (LifecycleState::Compromised, Some(at(10))));
        for (_, reason) in ReactivationReason::WORDS {
            assert!(key.refuse_reactivation(&name(), reason, at(23)).is_err());
        }
    }

    #[test]
    fn protection_stops_and_starts_again() {
        let mut key = begun(&Dates { protect_stop: Some(at(20)), ..Dates::default() }, None);
        let reason = ReactivationReason::ActiveProtectStopToActive;
        assert!(key.refuse_reactivation(&name(), reason, at(15)).is_err());
        assert_eq!(key.refuse_reactivation(&name(), reason, at(20)), Ok(()));
        key.reactivate(reason, at(20));
        assert_eq!(key.refuse_use(&name(), at(20)), Ok(()));
        key.deactivation = Some(at(30));
        key.reactivate(ReactivationReason::DeactivatedToActiveProtectStop, at(31));
        assert_eq!((key.state(at(31)), key.protect_stop), (LifecycleState::Active, Some(at(31))));
        assert!(key.refuse_use(&name(), at(31)).is_err());
    }
}
