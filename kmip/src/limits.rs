//! Limits of what is read, each with its reason.

/// Structures inside structures. The deepest message of the specification nests about 12; a stack frame of the decoder
/// is small, so 32 leaves room for extensions and none for attacks.
pub const MAX_DEPTH: usize = 32;

/// Neighbouring items with the same tag in one structure. The longest such list is what a Locate answers; a message of
/// 1 MiB has room for a quarter of it.
pub const MAX_REPETITIONS: usize = 1 << 16;

/// Attributes, or attribute names, in one list: all 90 kinds and many of vendors.
pub const MAX_ATTRIBUTES: usize = 1024;

/// Rights in one Delegated Login. A ticket is for one task; an empty right is 8 bytes long and takes 32 in memory, and
/// so many of them stay within what a batch may cost.
pub const MAX_RIGHTS: usize = 8;

/// Derivation data in one Derive Key. The method with the most takes three: date, region and service.
pub const MAX_DERIVATION_DATA: usize = 16;

/// What the attributes of one message may cost in memory beyond three times their length, in bytes. Those of ordinary
/// requests cost less than that length; together with the batch items it stays below 64 KiB.
pub const MAX_ATTRIBUTE_OVERHEAD: usize = 16 << 10;

/// Credentials in one header. Nobody sends more than one of each type.
pub const MAX_CREDENTIALS: usize = 16;

/// Message Extensions of one batch item. Nobody is known to send more than one.
pub const MAX_MESSAGE_EXTENSIONS: usize = 16;

/// Batch items in one message. vSphere sends 3, test suites about 20; what 256 items cost in memory beyond four times
/// their length stays below 64 KiB.
pub const MAX_BATCH_ITEMS: usize = 256;

/// Bytes of an XML or JSON document: the longest request that an operator may allow. What receives documents has its
/// own, lower limit; this one holds wherever a document comes from.
pub const MAX_DOCUMENT_LEN: usize = 16 << 20;

/// Items in an XML or JSON document: as many as the shortest items, of 8 bytes, fill a TTLV message of 1 MiB. An element
/// of XML may be half as long as the item it stands for.
pub const MAX_DOCUMENT_ITEMS: usize = 1 << 17;

/// Attributes of one XML element: `tag`, `name`, `type`, `value`, and some namespaces.
pub const MAX_ELEMENT_ATTRIBUTES: usize = 16;

const _: () = assert!(MAX_CREDENTIALS < MAX_ATTRIBUTES && MAX_ATTRIBUTES < MAX_REPETITIONS);
