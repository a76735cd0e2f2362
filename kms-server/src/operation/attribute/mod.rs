//! Operations that read and change what is said about an object.

pub(super) mod add_attribute;
pub(super) mod adjust_attribute;
mod assigning;
pub(super) mod delete_attribute;
pub(super) mod get_attribute_list;
pub(super) mod get_attributes;
pub(super) mod modify_attribute;
pub(super) mod set_attribute;
