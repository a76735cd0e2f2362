//! The RFC 6962 Merkle tree: leaf and node hashes, and the right edge that is all an append needs.

use ring::digest;
use thiserror::Error;

use crate::limits::MAX_TREE_SIZE;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Tells leaves from nodes, so that neither can pass for the other (RFC 6962 §2.1).
const LEAF_PREFIX: u8 = 0;
const NODE_PREFIX: u8 = 1;

/// Hash of a leaf: SHA-256 over 0x00 and the leaf's bytes. RFC 6962 §2.1.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    digest_of(&[&[LEAF_PREFIX], bytes])
}

/// Hash of an inner node: SHA-256 over 0x01 and its two children. RFC 6962 §2.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    digest_of(&[&[NODE_PREFIX], left, right])
}

pub(crate) fn digest_of(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    // SHA-256 gives 32 bytes, whatever it hashed.
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Why a tree cannot be taken up again from what was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TreeError {
    /// A tree of this size has another number of perfect subtrees.
    #[error("a tree of {size} leaves has {} right-edge hashes, not {found}", size.count_ones())]
    Frontier {
        /// Size the tree is said to have.
        size: u64,
        /// Hashes that were given.
        found: usize,
    },
    /// More leaves than [`MAX_TREE_SIZE`].
    #[error("a tree of {0} leaves is over the limit")]
    TooLarge(u64),
    /// A subtree of this height does not begin at the end of the tree.
    #[error("a subtree of height {height} cannot follow {size} leaves")]
    Unaligned {
        /// Leaves so far.
        size: u64,
        /// Height of the subtree, 0 for a leaf.
        height: u32,
    },
}

/// An append-only Merkle tree, held as its right edge: the roots of the perfect subtrees that it is made of, the
/// largest first. A million leaves take seven hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    frontier: Vec<Hash>,
}

impl Tree {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, frontier: Vec::new() }
    }

    /// A tree as [`Tree::size`] and [`Tree::frontier`] described it.
    ///
    /// # Errors
    /// [`TreeError`] where the number of hashes does not fit the size. Whether they are the right ones only a root
    /// can tell.
    pub fn from_parts(size: u64, frontier: Vec<Hash>) -> Result<Self, TreeError> {
        if size > MAX_TREE_SIZE {
            return Err(TreeError::TooLarge(size));
        }
        if u32::try_from(frontier.len()) != Ok(size.count_ones()) {
            return Err(TreeError::Frontier { size, found: frontier.len() });
        }
        Ok(Self { size, frontier })
    }

    /// Adds one leaf, given by its hash.
    pub fn append(&mut self, leaf: Hash) {
        self.push(leaf, 0, |_, _| {});
    }

    /// Adds one leaf, and says which perfect subtrees end with it: height and root of each, from the leaf itself up.
    pub fn append_noting(&mut self, leaf: Hash, finished: impl FnMut(u32, &Hash)) {
        self.push(leaf, 0, finished);
    }

    /// Adds a perfect subtree of `2^height` leaves, given by its root.
    ///
    /// # Errors
    /// [`TreeError::Unaligned`] where such a subtree cannot stand here, [`TreeError::TooLarge`].
    pub fn append_subtree(&mut self, root: Hash, height: u32) -> Result<(), TreeError> {
        if height >= u64::BITS || (self.size != 0 && self.size.trailing_zeros() < height) {
            return Err(TreeError::Unaligned { size: self.size, height });
        }
        if self.size.checked_add(1 << height).is_none_or(|size| size > MAX_TREE_SIZE) {
            return Err(TreeError::TooLarge(self.size));
        }
        self.push(root, height, |_, _| {});
        Ok(())
    }

    fn push(&mut self, mut hash: Hash, height: u32, mut finished: impl FnMut(u32, &Hash)) {
        // Each one bit of the size, from `height` up, is a finished subtree as large as the one in hand.
        let mut level = height;
        finished(level, &hash);
        while self.size >> level & 1 == 1 {
            if let Some(left) = self.frontier.pop() {
                hash = node_hash(&left, &hash);
            }
            level += 1;
            finished(level, &hash);
        }
        self.frontier.push(hash);
        self.size += 1 << height;
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest (leftmost) first; as many as the size has one bits.
    #[must_use]
    pub fn frontier(&self) -> &[Hash] {
        &self.frontier
    }

    /// The root hash (MTH of RFC 6962 §2.1); of the empty tree the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.frontier.iter().rev();
        let Some(last) = from_right.next() else { return digest_of(&[]) };
        from_right.fold(*last, |right, left| node_hash(left, &right))
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

/// Root of the tree over `leaves`.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut tree = Tree::new();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree.root()
}

/// The perfect subtrees that stand between leaf `from` and the end of a tree of `size` leaves, left to right, each as
/// (first leaf, height): what turns a tree of `from` leaves into one of `size` by [`Tree::append_subtree`].
#[must_use]
pub fn right_cover(from: u64, size: u64) -> Vec<(u64, u32)> {
    let mut at = from;
    let mut cover = Vec::new();
    while at < size {
        // As high as the position allows and the rest is long.
        let height = (size - at).ilog2().min(at.trailing_zeros());
        cover.push((at, height));
        at += 1 << height;
    }
    cover
}

/// The roots of [`right_cover`]'s subtrees, from the leaf hashes that begin at leaf `from`.
#[must_use]
pub fn right_edge(from: u64, leaves: &[Hash]) -> Vec<Hash> {
    let mut rest = leaves;
    let mut edge = Vec::new();
    for (_, height) in right_cover(from, from.saturating_add(leaves.len() as u64)) {
        let (subtree, after) = rest.split_at(1 << height);
        edge.push(root_of(subtree));
        rest = after;
    }
    edge
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The leaves of the certificate-transparency project's Merkle tree tests.
    pub(crate) const CT_LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    /// Roots over the first 0 to 8 of them, from the same tests.
    pub(crate) const CT_ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    pub(crate) fn ct_leaf_hashes() -> Vec<Hash> {
        CT_LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect()
    }

    pub(crate) fn numbered_leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    /// MTH as RFC 6962 §2.1 writes it, by recursion: slow, and independent of the frontier.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => digest_of(&[]),
            [one] => *one,
            many => {
                let split = 1 << (many.len() - 1).ilog2();
                node_hash(&mth(&many[..split]), &mth(&many[split..]))
            }
        }
    }

    #[test]
    fn roots_equal_the_reference_vectors() {
        let mut tree = Tree::new();
        assert_eq!(hex::encode(tree.root()), CT_ROOTS[0]);
        for (leaf, root) in ct_leaf_hashes().into_iter().zip(&CT_ROOTS[1..]) {
            tree.append(leaf);
            assert_eq!(hex::encode(tree.root()), *root);
        }
    }

    #[test]
    fn every_size_to_130_equals_the_recursive_definition() {
        let leaves = numbered_leaves(130);
        let mut tree = Tree::new();
        for size in 0..=leaves.len() {
            assert_eq!(tree.root(), mth(&leaves[..size]), "{size} leaves");
            assert_eq!(u32::try_from(tree.frontier().len()), Ok(size.count_ones()));
            assert_eq!(Tree::from_parts(tree.size(), tree.frontier().to_vec()).unwrap(), tree);
            if let Some(leaf) = leaves.get(size) {
                tree.append(*leaf);
            }
        }
    }

    #[test]
    fn a_leaf_names_every_subtree_that_ends_with_it() {
        let leaves = numbered_leaves(64);
        let mut tree = Tree::new();
        for (at, leaf) in leaves.iter().enumerate() {
            let mut named = Vec::new();
            tree.append_noting(*leaf, |height, root| named.push((height, *root)));
            let heights = 0..=(at + 1).trailing_zeros();
            let expected: Vec<_> = heights.map(|height| (height, mth(&leaves[at + 1 - (1 << height)..=at]))).collect();
            assert_eq!(named, expected, "leaf {at}");
        }
    }

    #[test]
    fn a_frontier_of_the_wrong_length_is_refused() {
        assert_eq!(Tree::from_parts(3, vec![[0; 32]]), Err(TreeError::Frontier { size: 3, found: 1 }));
        assert_eq!(Tree::from_parts(0, vec![[0; 32]]), Err(TreeError::Frontier { size: 0, found: 1 }));
        assert_eq!(Tree::from_parts(1 << 63, vec![[0; 32]]), Err(TreeError::TooLarge(1 << 63)));
    }

    #[test]
    fn a_subtree_stands_only_where_its_height_allows() {
        let mut tree = Tree::new();
        tree.append([1; 32]);
        assert_eq!(tree.append_subtree([2; 32], 1), Err(TreeError::Unaligned { size: 1, height: 1 }));
        assert_eq!(tree.append_subtree([2; 32], 64), Err(TreeError::Unaligned { size: 1, height: 64 }));
        assert!(Tree::new().append_subtree([2; 32], 63).is_err());
    }

    proptest! {
        #[test]
        fn left_edge_records_and_right_edge_make_the_whole(
            size in 1_usize..200, cuts in (0_usize..200, 0_usize..200)
        ) {
            let leaves = numbered_leaves(size);
            let (from, to) = (cuts.0.min(cuts.1).min(size), cuts.0.max(cuts.1).min(size));
            let mut left = Tree::new();
            leaves[..from].iter().for_each(|leaf| left.append(*leaf));
            let mut tree = Tree::from_parts(left.size(), left.frontier().to_vec()).unwrap();
            leaves[from..to].iter().for_each(|leaf| tree.append(*leaf));
            let cover = right_cover(to as u64, size as u64);
            let edge = right_edge(to as u64, &leaves[to..]);
            prop_assert_eq!(cover.len(), edge.len());
            for ((at, height), root) in cover.into_iter().zip(edge) {
                prop_assert_eq!(at, tree.size());
                tree.append_subtree(root, height).unwrap();
            }
            prop_assert_eq!(tree.root(), root_of(&leaves));
        }
    }
}
