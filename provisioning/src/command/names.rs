//! What a command names: things of the asking tenant, things that the whole customer may name, and ids that are new.

use crate::reference::Ref;

/// Receives the names of a command.
pub(crate) struct Names<'s, 'a> {
    pub(crate) seen: &'s mut Vec<(Whose, Ref<'a>)>,
}

/// Whose a named thing has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The asking tenant's.
    Own,
    /// Of any tenant of the same customer.
    Customers,
    /// The platform's, such as a zone or a class.
    Platforms,
    /// Nobody's yet: the id is new.
    New,
}

impl<'a> Names<'_, 'a> {
    pub(crate) fn own(&mut self, reference: Ref<'a>) {
        self.seen.push((Whose::Own, reference));
    }

    pub(crate) fn customers(&mut self, reference: Ref<'a>) {
        self.seen.push((Whose::Customers, reference));
    }

    pub(crate) fn platforms(&mut self, reference: Ref<'a>) {
        self.seen.push((Whose::Platforms, reference));
    }

    pub(crate) fn fresh(&mut self, reference: Ref<'a>) {
        self.seen.push((Whose::New, reference));
    }
}
