//! A function of PKCS#11 with its parameters, read before anything is done.

use kmip::registry::Pkcs11Function as F;

use super::codec::{Input, Room};
use crate::failure::Failure;

/// A call.
#[derive(Debug, PartialEq)]
pub(super) enum Call<'i> {
    Finalize,
    GetInfo,
    GetSlotList { room: Room },
    GetSlotInfo { slot: u64 },
    GetMechanismList { slot: u64, room: Room },
    GetMechanismInfo { slot: u64, mechanism: u64 },
    OpenSession { slot: u64, flags: u64 },
    CloseSession { session: u64 },
    CloseAllSessions { slot: u64 },
    GetSessionInfo { session: u64 },
    DigestInit { session: u64, mechanism: u64, has_parameter: bool },
    Digest { session: u64, data: &'i [u8], room: Room },
    DigestUpdate { session: u64, data: &'i [u8] },
    DigestFinal { session: u64, room: Room },
    SeedRandom { session: u64, seed: &'i [u8] },
    GenerateRandom { session: u64, len: usize },
}

impl<'i> Call<'i> {
    /// Reads the parameters; `None` for a function that is not offered.
    ///
    /// # Errors
    /// [`Failure::Pkcs11Codec`].
    pub(super) fn read(function: F, parameters: &'i [u8]) -> Result<Option<Self>, Failure> {
        let mut input = Input::new(parameters);
        let call = match function {
            F::Finalize => Self::Finalize,
            F::GetInfo => Self::GetInfo,
            F::GetSlotList => {
                // Whether only slots with a token are asked for: the one has its token always.
                input.truth()?;
                Self::GetSlotList { room: input.room()? }
            }
            F::GetSlotInfo => Self::GetSlotInfo { slot: input.ulong()? },
            F::GetMechanismList => Self::GetMechanismList { slot: input.ulong()?, room: input.room()? },
            F::GetMechanismInfo => Self::GetMechanismInfo { slot: input.ulong()?, mechanism: input.ulong()? },
            // Pointers of the caller's process, which callbacks would be given, are left out.
            F::OpenSession => Self::OpenSession { slot: input.ulong()?, flags: input.ulong()? },
            F::CloseSession => Self::CloseSession { session: input.ulong()? },
            F::CloseAllSessions => Self::CloseAllSessions { slot: input.ulong()? },
            F::GetSessionInfo => Self::GetSessionInfo { session: input.ulong()? },
            F::DigestInit => {
                let (session, mechanism, has_parameter) = (input.ulong()?, input.ulong()?, input.truth()?);
                if has_parameter {
                    input.rest();
                }
                Self::DigestInit { session, mechanism, has_parameter }
            }
            F::Digest => Self::Digest { session: input.ulong()?, data: input.array()?, room: input.room()? },
            F::DigestUpdate => Self::DigestUpdate { session: input.ulong()?, data: input.array()? },
            F::DigestFinal => Self::DigestFinal { session: input.ulong()?, room: input.room()? },
            F::SeedRandom => Self::SeedRandom { session: input.ulong()?, seed: input.array()? },
            // The bytes themselves are output only; what the caller says is how many.
            F::GenerateRandom => Self::GenerateRandom { session: input.ulong()?, len: input.count()? },
            _ => return Ok(None),
        };
        input.end()?;
        Ok(Some(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_whole_or_not_at_all() {
        let parameters = [&3_u64.to_be_bytes()[..], &[0, 0, 0, 1, 7], &[0, 0, 0, 0, 0]].concat();
        let read = Call::read(F::Digest, &parameters).unwrap();
        assert_eq!(read, Some(Call::Digest { session: 3, data: &[7], room: None }));
        for len in 0..parameters.len() {
            assert!(Call::read(F::Digest, parameters.get(..len).unwrap()).is_err(), "{len} bytes");
        }
        assert!(Call::read(F::GetInfo, &[0]).is_err(), "parameters of a function that has none");
    }

    #[test]
    fn functions_that_are_not_offered_are_none_whatever_they_bring() {
        for function in F::ALL {
            let read = Call::read(*function, &[1, 2, 3]);
            assert!(matches!(read, Ok(None) | Err(Failure::Pkcs11Codec)), "{function:?}");
        }
        assert!(matches!(Call::read(F::WrapKey, &[]), Ok(None)));
    }
}
