//! Inclusion and consistency proofs of RFC 6962 §2.1, made from leaf hashes and checked without them.
//!
//! A proof is a list of subtree roots. The `_ranges` functions say of which leaves, so that a store which keeps inner
//! nodes can answer without reading the leaves.

use std::ops::Range;

use thiserror::Error;

use crate::tree::{Hash, node_hash, root_of};

/// Why there is no proof, or why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf is not in a tree of this size.
    #[error("leaf {index} is not in a tree of {size}")]
    Index {
        /// Leaf asked for, counted from 0.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The old tree is larger than the new one.
    #[error("a tree of {new} leaves cannot extend one of {old}")]
    Order {
        /// Leaves of the old tree.
        old: u64,
        /// Leaves of the new tree.
        new: u64,
    },
    /// Fewer leaf hashes than the tree has leaves.
    #[error("{given} leaf hashes for a tree of {size}")]
    Leaves {
        /// Hashes that were given.
        given: usize,
        /// Size of the tree.
        size: u64,
    },
    /// The proof has more or fewer hashes than the two sizes need.
    #[error("proof of the wrong length")]
    Length,
    /// The proof leads to another root.
    #[error("proof does not lead to the root")]
    Root,
}

/// The subtrees, as ranges of leaves, whose roots prove that leaf `index` is in a tree of `size`: from the leaf up.
///
/// # Errors
/// [`ProofError::Index`].
pub fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let mut ranges = Vec::new();
    let mut part = 0..size;
    // PATH of RFC 6962 §2.1.1, from the root down.
    while part.end - part.start > 1 {
        let middle = part.start + split(part.end - part.start);
        if index < middle {
            ranges.push(middle..part.end);
            part.end = middle;
        } else {
            ranges.push(part.start..middle);
            part.start = middle;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// The subtrees, as ranges of leaves, whose roots prove that a tree of `new` leaves extends one of `old`.
///
/// # Errors
/// [`ProofError::Order`].
pub fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if old > new {
        return Err(ProofError::Order { old, new });
    }
    // Everything extends the empty tree, and a tree itself: nothing to show.
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut ranges = Vec::new();
    let mut part = 0..new;
    // SUBPROOF of RFC 6962 §2.1.2: down to the subtree that ends where the old tree ended.
    while part.end != old {
        let middle = part.start + split(part.end - part.start);
        if old <= middle {
            ranges.push(middle..part.end);
            part.end = middle;
        } else {
            ranges.push(part.start..middle);
            part.start = middle;
        }
    }
    // Where that subtree is the whole old tree, its root is the old root, which the verifier has.
    if part.start != 0 {
        ranges.push(part);
    }
    ranges.reverse();
    Ok(ranges)
}

/// The largest power of two below `len`, which is at least 2.
const fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

/// Proof that leaf `index` is in the tree over the first `size` of `leaves`.
///
/// # Errors
/// [`ProofError::Index`], [`ProofError::Leaves`].
pub fn inclusion_proof(leaves: &[Hash], index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    roots_of(leaves, size, inclusion_ranges(index, size)?)
}

/// Proof that the tree over the first `new` of `leaves` extends the one over the first `old`.
///
/// # Errors
/// [`ProofError::Order`], [`ProofError::Leaves`].
pub fn consistency_proof(leaves: &[Hash], old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
    roots_of(leaves, new, consistency_ranges(old, new)?)
}

fn roots_of(leaves: &[Hash], size: u64, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>, ProofError> {
    let missing = ProofError::Leaves { given: leaves.len(), size };
    if usize::try_from(size).map_err(|_| missing)? > leaves.len() {
        return Err(missing);
    }
    let at = |bound: u64| usize::try_from(bound).map_err(|_| missing);
    ranges.into_iter().map(|range| leaves.get(at(range.start)?..at(range.end)?).map(root_of).ok_or(missing)).collect()
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with this `root`.
///
/// # Errors
/// [`ProofError`] where it is not, or the proof does not show it.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    // Position of the node in hand and of the last node, on the same level of the tree.
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            // A last node without a right sibling climbs until it has a left one.
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, step);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `new` leaves with root `new_root` extends the tree of `old` leaves with root `old_root`.
///
/// # Errors
/// [`ProofError`] where it does not, or the proof does not show it.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Order { old, new });
    }
    if old == 0 || old == new {
        let expected = if old == new { new_root } else { &root_of(&[]) };
        return match (proof.is_empty(), old_root == expected) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    // The old tree's last perfect subtree: everything below it is the same in both trees.
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let mut steps = proof.iter();
    let start = if old.is_power_of_two() { old_root } else { steps.next().ok_or(ProofError::Length)? };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for step in steps {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::tests::{ct_leaf_hashes, numbered_leaves};

    fn hashes(texts: &[&str]) -> Vec<Hash> {
        texts.iter().map(|text| hex::decode(text).unwrap().try_into().unwrap()).collect()
    }

    #[test]
    fn inclusion_proofs_equal_the_reference_vectors() {
        // (leaf, tree size, path) of the certificate-transparency project's tests, leaves counted from 0.
        let vectors: [(u64, u64, &[&str]); 5] = [
            (0, 1, &[]),
            (
                0,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
            (
                1,
                5,
                &[
                    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (index, size, path) in vectors {
            assert_eq!(inclusion_proof(&ct_leaf_hashes(), index, size).unwrap(), hashes(path), "{index} of {size}");
        }
    }

    #[test]
    fn consistency_proofs_equal_the_reference_vectors() {
        let vectors: [(u64, u64, &[&str]); 4] = [
            (1, 1, &[]),
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (old, new, proof) in vectors {
            assert_eq!(consistency_proof(&ct_leaf_hashes(), old, new).unwrap(), hashes(proof), "{old} to {new}");
        }
    }

    #[test]
    fn every_leaf_of_every_size_to_70_is_proved_and_nothing_else() {
        let leaves = numbered_leaves(70);
        for size in 1..=leaves.len() {
            let root = root_of(&leaves[..size]);
            for index in 0..size {
                let proof = inclusion_proof(&leaves, index as u64, size as u64).unwrap();
                let check = |leaf: &Hash, at: usize, of: usize, proof: &[Hash]| {
                    verify_inclusion(leaf, at as u64, of as u64, proof, &root)
                };
                assert_eq!(check(&leaves[index], index, size, &proof), Ok(()));
                assert!(check(&leaves[(index + 1) % 70], index, size, &proof).is_err(), "another leaf");
                for wrong in (0..size).filter(|wrong| *wrong != index) {
                    assert!(check(&leaves[index], wrong, size, &proof).is_err(), "{index} proved at {wrong}");
                }
                if let Some((_, shorter)) = proof.split_last() {
                    assert_eq!(check(&leaves[index], index, size, shorter), Err(ProofError::Length));
                }
                let longer = [proof.clone(), vec![[0; 32]]].concat();
                assert_eq!(check(&leaves[index], index, size, &longer), Err(ProofError::Length));
            }
        }
    }

    #[test]
    fn every_pair_of_sizes_to_70_is_consistent_and_a_fork_is_not() {
        let leaves = numbered_leaves(70);
        let mut forked = leaves.clone();
        forked[0] = [0xff; 32];
        for new in 0..=leaves.len() {
            let (new_root, forked_root) = (root_of(&leaves[..new]), root_of(&forked[..new]));
            for old in 0..=new {
                let old_root = root_of(&leaves[..old]);
                let proof = consistency_proof(&leaves, old as u64, new as u64).unwrap();
                let check = |old_root, new_root, proof: &[Hash]| {
                    verify_consistency(old as u64, new as u64, old_root, new_root, proof)
                };
                assert_eq!(check(&old_root, &new_root, &proof), Ok(()), "{old} to {new}");
                let longer = [proof.clone(), vec![[0; 32]]].concat();
                assert!(check(&old_root, &new_root, &longer).is_err());
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(check(&old_root, &new_root, shorter).is_err());
                }
                if old > 0 {
                    assert!(check(&old_root, &forked_root, &proof).is_err(), "{old} to a fork of {new}");
                    let other = consistency_proof(&forked, old as u64, new as u64).unwrap();
                    assert!(check(&old_root, &forked_root, &other).is_err(), "{old} to a fork of {new}, its own proof");
                }
            }
        }
    }

    #[test]
    fn impossible_questions_are_named() {
        assert_eq!(inclusion_ranges(3, 3), Err(ProofError::Index { index: 3, size: 3 }));
        assert_eq!(consistency_ranges(4, 3), Err(ProofError::Order { old: 4, new: 3 }));
        assert_eq!(inclusion_proof(&numbered_leaves(2), 0, 3), Err(ProofError::Leaves { given: 2, size: 3 }));
        assert_eq!(verify_inclusion(&[0; 32], 0, 0, &[], &[0; 32]), Err(ProofError::Index { index: 0, size: 0 }));
        assert_eq!(verify_consistency(2, 1, &[0; 32], &[0; 32], &[]), Err(ProofError::Order { old: 2, new: 1 }));
        assert_eq!(verify_consistency(0, 1, &[0; 32], &[0; 32], &[]), Err(ProofError::Root));
    }

    proptest! {
        #[test]
        fn every_changed_byte_of_a_proof_is_noticed(
            size in 2_usize..100, index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0_u8..8
        ) {
            let leaves = numbered_leaves(100);
            let index = index.index(size);
            let root = root_of(&leaves[..size]);
            let mut proof = inclusion_proof(&leaves, index as u64, size as u64).unwrap();
            let byte = at.index(proof.len() * 32);
            proof[byte / 32][byte % 32] ^= 1 << bit;
            prop_assert_eq!(verify_inclusion(&leaves[index], index as u64, size as u64, &proof, &root), Err(ProofError::Root));
        }

        #[test]
        fn no_claim_about_huge_trees_panics(
            index in any::<u64>(), size in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70)
        ) {
            let _ = verify_inclusion(&[0; 32], index, size, &proof, &[0; 32]);
            let _ = verify_consistency(index, size, &[0; 32], &[0; 32], &proof);
            let _ = inclusion_ranges(index, size);
            let _ = consistency_ranges(index, size);
        }
    }
}
