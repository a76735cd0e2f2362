//! What an administrator says about how long a domain's log is kept: days, and legal holds.

use admin_api as api;
use keystore::Change;
use keystore::retention::{Hold, Retention};

use super::acting::{Acting, AdminFailure};
use crate::admin::RetentionChange;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;

impl RetentionChange {
    /// What the records call it.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Show => "Show Retention",
            Self::Days(_) => "Set Retention",
            Self::Hold(_) => "Set Legal Hold",
            Self::Lift(_) => "Lift Legal Hold",
        }
    }

    /// What the records say of it.
    fn detail(&self) -> Option<String> {
        match self {
            Self::Show => None,
            Self::Days(new) => Some(match (new.days, &new.reason) {
                (None, _) => "the default".to_owned(),
                (Some(days), None) => format!("{days} days"),
                (Some(days), Some(reason)) => format!("{days} days, below six months: {reason}"),
            }),
            Self::Hold(hold) => Some(format!("{}: {}", hold.name, hold.reason)),
            Self::Lift(name) => Some(name.clone()),
        }
    }

    /// The retention as it is to be.
    fn apply(&self, now: &Retention, by: &str, time_us: i64) -> Result<Retention, AdminFailure> {
        let mut next = now.clone();
        match self {
            Self::Show => {}
            Self::Days(new) => (next.days, next.shorter) = (new.days, new.reason.clone()),
            Self::Hold(hold) => {
                if next.holds.iter().any(|other| other.name == hold.name) {
                    return Err(AdminFailure::Exists("a hold of this name is set already"));
                }
                let (name, reason) = (hold.name.clone(), hold.reason.clone());
                next.holds.push(Hold { name, reason, by: by.to_owned(), since_us: time_us });
            }
            Self::Lift(name) => {
                let holds = next.holds.len();
                next.holds.retain(|hold| hold.name != *name);
                if next.holds.len() == holds {
                    return Err(Failure::NotFound.into());
                }
            }
        }
        next.check().map_err(AdminFailure::Unusable)?;
        Ok(next)
    }
}

impl Node {
    /// Shows or changes how long the log of a domain is kept; that of the administrators' domain stands for the
    /// system's log. A dry run decides everything, and tells what would be.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn keep_records(
        &self,
        acting: &Acting,
        domain: &Domain,
        change: &RetentionChange,
        dry_run: bool,
    ) -> Result<Retention, AdminFailure> {
        let log = if domain.row.system { audit::LogId::System } else { log_of(domain.row.id) };
        match self.try_keep_records(acting, domain, change, dry_run, log).await {
            Ok(retention) => Ok(retention),
            Err(failure) => acting.refuse(self, log, change.operation(), failure).await,
        }
    }

    async fn try_keep_records(
        &self,
        acting: &Acting,
        domain: &Domain,
        change: &RetentionChange,
        dry_run: bool,
        log: audit::LogId,
    ) -> Result<Retention, AdminFailure> {
        let operation = change.operation();
        if *change == RetentionChange::Show {
            acting.note(self, log, operation, None).await?;
            return Ok(domain.row.retention.clone());
        }
        let retention = change.apply(&domain.row.retention, &acting.name, self.clock.now_us())?;
        if dry_run {
            acting.note(self, log, operation, Some("dry run: nothing changed")).await?;
            return Ok(retention);
        }
        let detail = change.detail().map(|text| audit::bounded_text(&text, audit::limits::MAX_DETAIL_LEN));
        let row = keystore::DomainRow { retention, ..domain.row.clone() };
        let changes = vec![Change::UpdateDomain(row)];
        Ok(self.change_domain(acting, operation, detail, changes, domain).await?.row.retention.clone())
    }
}

/// As the admin API says it.
pub(super) fn answer(retention: &Retention) -> api::Retention {
    api::Retention {
        days: retention.days_in_force(),
        reason: retention.shorter.clone(),
        holds: retention
            .holds
            .iter()
            .map(|hold| api::Hold {
                name: hold.name.clone(),
                reason: hold.reason.clone(),
                by: hold.by.clone(),
                since: hold.since_us.div_euclid(1_000_000),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(name: &str) -> RetentionChange {
        RetentionChange::Hold(api::NewHold { name: name.into(), reason: "court order".into() })
    }

    #[test]
    fn a_hold_is_set_once_and_lifted_once() {
        let none = Retention::default();
        let one = hold("case 7").apply(&none, "officer", 5).unwrap();
        assert_eq!((one.holds.len(), one.holds[0].since_us, one.holds[0].by.as_str()), (1, 5, "officer"));
        assert!(matches!(hold("case 7").apply(&one, "officer", 6), Err(AdminFailure::Exists(_))));
        let lift = RetentionChange::Lift("case 7".into());
        assert_eq!(lift.apply(&one, "officer", 7).unwrap(), none);
        assert!(matches!(lift.apply(&none, "officer", 8), Err(AdminFailure::Request(Failure::NotFound))));
    }

    #[test]
    fn less_than_six_months_is_refused_without_a_reason() {
        let days = |days, reason: Option<&str>| {
            let new = api::NewRetention { days, reason: reason.map(Into::into) };
            RetentionChange::Days(new).apply(&Retention::default(), "officer", 0)
        };
        assert!(matches!(days(Some(183), None), Err(AdminFailure::Unusable(_))));
        assert_eq!(days(Some(183), Some("a pilot")).unwrap().days_in_force(), 183);
        assert_eq!(days(Some(400), None).unwrap().days_in_force(), 400);
        assert_eq!(days(None, None).unwrap(), Retention::default());
    }
}
