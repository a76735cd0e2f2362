//! The steps of a Domain Key's rotation: every moment between two effects of it, by name.
//!
//! ```text
//!  key-made ─► begun ─► known ─┬► page-read ─► rows-sealed ─► rows-committed ─┐
//!                              └──────────────────◄───────────────────────────┘
//!                              └► pass-clean ─► former-gone ─► former-unknown ─► former-forgotten
//! ```
//! A node that ends at any of them goes on at its next start; a test ends it at each (`rotation_steps.txt` is the list
//! that the test walks through).

/// A moment of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// The new Domain Key is made in the HSM, and nothing of it is stored.
    KeyMade,
    /// Both versions are in the domain's row; requests still use the former one.
    Begun,
    /// Requests seal under the new version.
    Known,
    /// Rows under the former version were found.
    PageRead,
    /// They are sealed anew, in memory.
    RowsSealed,
    /// They are sealed anew in the store.
    RowsCommitted,
    /// A whole pass found nothing under the former version, which is still in the row.
    PassClean,
    /// The former version is out of the row.
    FormerGone,
    /// The node does not know it any more; members of the HSM group may still hold it.
    FormerUnknown,
    /// No member holds it.
    FormerForgotten,
}

impl RotationStep {
    /// All of them, in the order in which a rotation comes to them.
    pub const ALL: [Self; 10] = [
        Self::KeyMade,
        Self::Begun,
        Self::Known,
        Self::PageRead,
        Self::RowsSealed,
        Self::RowsCommitted,
        Self::PassClean,
        Self::FormerGone,
        Self::FormerUnknown,
        Self::FormerForgotten,
    ];

    /// What the log and the list call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyMade => "key-made",
            Self::Begun => "begun",
            Self::Known => "known",
            Self::PageRead => "page-read",
            Self::RowsSealed => "rows-sealed",
            Self::RowsCommitted => "rows-committed",
            Self::PassClean => "pass-clean",
            Self::FormerGone => "former-gone",
            Self::FormerUnknown => "former-unknown",
            Self::FormerForgotten => "former-forgotten",
        }
    }

    /// Tells that a rotation has come here; with the fault injector the process may end here.
    pub fn reached(self) {
        tracing::debug!(step = self.name(), "rotation of a Domain Key");
        #[cfg(feature = "fault")]
        super::fault::die_at(self.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_the_test_has_every_step_and_no_other() {
        let listed: Vec<&str> = include_str!("rotation_steps.txt").lines().collect();
        assert_eq!(listed, RotationStep::ALL.map(RotationStep::name));
    }
}
