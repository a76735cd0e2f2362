//! How many security officers have to approve which act: the setting `[dual_control]`, and the names of the acts.

/// Different security officers that an act needs where nothing else is configured.
pub const DEFAULT_QUORUM: u64 = 2;
/// More is not a quorum but an assembly.
pub const MAX_QUORUM: u64 = quorum::limits::MAX_APPROVALS as u64;
/// Seconds for which a request can be executed: a day, in which every officer is at work once.
pub const DEFAULT_LIFETIME_S: u64 = 86_400;
/// The shortest life of a request, in seconds.
pub const MIN_LIFETIME_S: u64 = 1;
/// The longest, in seconds.
pub const MAX_LIFETIME_S: u64 = quorum::limits::MAX_LIFETIME_S.unsigned_abs();

/// What is done only when enough security officers approved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// A domain is destroyed.
    DestroyDomain,
    /// Objects of a domain come back from a backup.
    RestoreDomain,
    /// An administrator is added.
    AddAdministrator,
    /// An administrator is revoked.
    RevokeAdministrator,
    /// An administrator gets another role.
    ChangeRole,
}

impl ActKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::DestroyDomain, Self::RestoreDomain, Self::AddAdministrator, Self::RevokeAdministrator, Self::ChangeRole];

    /// The name in requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DestroyDomain => "destroy-domain",
            Self::RestoreDomain => "restore-domain",
            Self::AddAdministrator => "add-administrator",
            Self::RevokeAdministrator => "revoke-administrator",
            Self::ChangeRole => "change-role",
        }
    }

    /// The setting of `[dual_control]`.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::DestroyDomain => "destroy_domain",
            Self::RestoreDomain => "restore_domain",
            Self::AddAdministrator => "add_administrator",
            Self::RevokeAdministrator => "revoke_administrator",
            Self::ChangeRole => "change_role",
        }
    }

    /// What audit records call it.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::DestroyDomain => "Destroy Domain",
            Self::RestoreDomain => "Restore Domain",
            Self::AddAdministrator => "Register Administrator",
            Self::RevokeAdministrator => "Revoke Administrator",
            Self::ChangeRole => "Change Role",
        }
    }

    /// The act of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

/// How many security officers have to approve which act, and for how long a request lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorums {
    /// Seconds from asking until a request expires.
    pub lifetime_s: i64,
    /// One number per act, in the order of [`ActKind::ALL`]; never 0.
    needed: [usize; ActKind::ALL.len()],
}

impl Default for Quorums {
    fn default() -> Self {
        Self::of(DEFAULT_LIFETIME_S, |_| DEFAULT_QUORUM)
    }
}

impl Quorums {
    /// These numbers; one of 0 is taken for 1.
    #[must_use]
    pub fn of(lifetime_s: u64, needed: impl Fn(ActKind) -> u64) -> Self {
        let number = |act| usize::try_from(needed(act).max(1)).unwrap_or(usize::MAX);
        Self { lifetime_s: i64::try_from(lifetime_s).unwrap_or(i64::MAX), needed: ActKind::ALL.map(number) }
    }

    /// Different security officers that `act` needs; at least 1.
    #[must_use]
    pub fn needed(&self, act: ActKind) -> usize {
        let mut acts = ActKind::ALL.into_iter().zip(self.needed);
        acts.find(|(one, _)| *one == act).map_or(usize::MAX, |(_, needed)| needed)
    }

    /// The greatest of the numbers: so many officers there must always be.
    #[must_use]
    pub fn greatest(&self) -> usize {
        self.needed.into_iter().max().unwrap_or(usize::MAX)
    }

    /// What the log of the node's start says.
    #[must_use]
    pub fn text(&self) -> String {
        let acts: Vec<String> =
            ActKind::ALL.into_iter().map(|act| format!("{} {}", act.name(), self.needed(act))).collect();
        format!("approvals needed: {}", acts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_needs_two_officers_unless_somebody_says_otherwise_and_never_none() {
        assert!(ActKind::ALL.into_iter().all(|act| Quorums::default().needed(act) == 2));
        let odd = Quorums::of(60, |act| if act == ActKind::DestroyDomain { 3 } else { 0 });
        assert_eq!(ActKind::ALL.map(|act| odd.needed(act)), [3, 1, 1, 1, 1]);
        assert_eq!(odd.greatest(), 3);
    }

    #[test]
    fn what_a_start_tells_fits_into_a_record() {
        let longest = Quorums::of(60, |_| MAX_QUORUM).text();
        let beside = format!("version 100.100.100; configuration {}; ", "0".repeat(64));
        assert!(beside.len() + longest.len() <= audit::limits::MAX_DETAIL_LEN, "{longest}");
    }

    #[test]
    fn names_are_read_back_and_settings_are_the_names_in_the_words_of_toml() {
        for act in ActKind::ALL {
            assert_eq!(ActKind::of_name(act.name()), Some(act));
            assert_eq!(act.setting(), act.name().replace('-', "_"));
        }
    }
}
