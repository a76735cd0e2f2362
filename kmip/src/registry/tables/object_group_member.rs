//! The enumeration Object Group Member.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Object Group Member. KMIP 1.4 §9.1.3.2.33.
    pub enum ObjectGroupMember = "Object Group Member" {
        GroupMemberFresh = 0x01, "Group Member Fresh", V1_1;
        GroupMemberDefault = 0x02, "Group Member Default", V1_1;
    }
}
