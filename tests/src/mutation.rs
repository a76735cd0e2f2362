//! Messages spoiled at random, and messages that are too much on purpose.

use crate::random::Random;

/// Bytes of a TTLV header.
const HEADER: usize = 8;
/// Mutations of one message at most.
const MOST_STEPS: usize = 4;
/// Lengths that have broken decoders before.
const LENGTHS: [u32; 10] = [0, 1, 7, 8, 9, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff, 0x0010_0000];

/// One or several changes of a message. The length in its first header is true again afterwards, so that it arrives as
/// one message, whatever is in it.
pub fn mutate(message: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut mutant = message.to_vec();
    for _ in 0..=random.below(MOST_STEPS) {
        step(&mut mutant, other, random);
    }
    frame(&mut mutant);
    mutant
}

fn step(mutant: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(mutant.len());
    let (from, to) = (at, (at + 1 + random.below(24)).min(mutant.len()));
    match random.below(8) {
        0 => flip(mutant, at, random),
        1 => put(mutant, at, &random.bytes(1)),
        // The headers of items begin at multiples of 8: type, length, tag.
        2 => put(mutant, at / 8 * 8 + 3, &random.bytes(1)),
        3 => {
            let length = LENGTHS[random.below(LENGTHS.len())];
            put(mutant, at / 8 * 8 + 4, &length.to_be_bytes());
        }
        4 => put(mutant, at / 8 * 8 + 4, &[0, 0, 0, random.bytes(1)[0]]),
        5 => drop(mutant.drain(from..to)),
        6 => {
            let again: Vec<u8> = mutant.get(from / 8 * 8..to).unwrap_or_default().to_vec();
            mutant.splice(at / 8 * 8..at / 8 * 8, again);
        }
        _ => {
            let cut = random.below(other.len()) / 8 * 8;
            mutant.truncate(at / 8 * 8);
            mutant.extend_from_slice(other.get(cut..).unwrap_or_default());
        }
    }
}

fn flip(mutant: &mut [u8], at: usize, random: &mut Random) {
    if let Some(byte) = mutant.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn put(mutant: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in mutant.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}

/// Makes the first header that of a Request Message with the length that is there.
fn frame(mutant: &mut Vec<u8>) {
    mutant.resize(mutant.len().next_multiple_of(8).max(HEADER), 0);
    let body = u32::try_from(mutant.len() - HEADER).unwrap_or(u32::MAX).to_be_bytes();
    put(mutant, 0, &[0x42, 0x00, 0x78, 0x01]);
    put(mutant, 4, &body);
}

/// `depth` structures of this tag, each within the one before.
#[must_use]
pub fn nested(tag: u32, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(depth * HEADER);
    for level in (0..depth).rev() {
        let [_, a, b, c] = tag.to_be_bytes();
        bytes.extend_from_slice(&[a, b, c, 0x01]);
        bytes.extend_from_slice(&u32::try_from(level * HEADER).unwrap_or(u32::MAX).to_be_bytes());
    }
    bytes
}

/// A message with `inserted` behind the header of its structure `tag`, all lengths around it made true.
#[must_use]
pub fn with_inserted(message: &[u8], tag: u32, inserted: &[u8]) -> Option<Vec<u8>> {
    let mut mutant = message.to_vec();
    let mut at = 0;
    // Every structure that encloses the place grows; those before it are stepped over.
    loop {
        let header = mutant.get(at..at + HEADER)?;
        let found = u32::from_be_bytes([0, *header.first()?, *header.get(1)?, *header.get(2)?]);
        let is_structure = *header.get(3)? == 0x01;
        let length = usize::try_from(u32::from_be_bytes(header.get(4..)?.try_into().ok()?)).ok()?;
        let encloses = is_structure && (found == tag || contains(mutant.get(at + HEADER..at + HEADER + length)?, tag));
        if !encloses {
            at += HEADER + length.next_multiple_of(8);
            continue;
        }
        let grown = u32::try_from(length + inserted.len()).ok()?.to_be_bytes();
        put(&mut mutant, at + 4, &grown);
        at += HEADER;
        if found == tag {
            mutant.splice(at..at, inserted.iter().copied());
            return Some(mutant);
        }
    }
}

fn contains(bytes: &[u8], tag: u32) -> bool {
    let [_, a, b, c] = tag.to_be_bytes();
    bytes.chunks(8).any(|chunk| chunk.starts_with(&[a, b, c, 0x01]))
}

#[cfg(test)]
mod tests {
    use kmip::ProtocolVersion;
    use kmip::message::RequestMessage;

    use super::*;
    use crate::asking;

    fn message() -> Vec<u8> {
        RequestMessage::single(ProtocolVersion::V1_4, asking::aes(Vec::new())).encode().unwrap().to_vec()
    }

    #[test]
    fn a_mutant_is_framed_and_another_one_each_time() {
        let mut random = Random::from_seed(1);
        let mutants: Vec<Vec<u8>> = (0..100).map(|_| mutate(&message(), &message(), &mut random)).collect();
        for mutant in &mutants {
            assert_eq!(mutant[..4], [0x42, 0x00, 0x78, 0x01]);
            assert_eq!(
                usize::try_from(u32::from_be_bytes(mutant[4..8].try_into().unwrap())).unwrap() + 8,
                mutant.len()
            );
        }
        let broken = mutants.iter().filter(|mutant| RequestMessage::decode(mutant).is_err()).count();
        assert!((20..100).contains(&broken), "{broken} of 100 cannot be read");
    }

    #[test]
    fn what_is_inserted_is_where_it_should_be() {
        let deep = with_inserted(&message(), 0x42_0079, &nested(0x42_0008, 3)).unwrap();
        let decoded = RequestMessage::decode(&deep).unwrap();
        assert!(matches!(decoded.items[0].payload, kmip::message::ItemPayload::Malformed(_)));
        assert!(RequestMessage::decode(&with_inserted(&message(), 0x42_0077, &nested(0x42_0008, 3)).unwrap()).is_err());
    }
}
