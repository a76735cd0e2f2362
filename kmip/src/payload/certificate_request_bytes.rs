//! The bytes of a certificate request inside Certify and Re-certify, where 1.x and 2.x differ.

use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// 1.x: Certificate Request; 2.x: Certificate Request Value, because the other tag became that of a managed object.
pub struct CertificateRequestBytes;

impl CertificateRequestBytes {
    fn tag(version: ProtocolVersion) -> Tag {
        if version.is_2_x() { Tag::CERTIFICATE_REQUEST_VALUE } else { Tag::CERTIFICATE_REQUEST }
    }
}

impl Part<Option<Vec<u8>>> for CertificateRequestBytes {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Self::tag(version)
    }

    fn encode(bytes: &Option<Vec<u8>>, w: &mut Writer) {
        if let Some(bytes) = bytes {
            bytes.encode(Self::tag(w.version()), w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Vec<u8>>, DecodeError> {
        fields.optional(Self::tag(fields.version()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::CertifyRequest;
    use crate::payload::round_trip::{read_fields, round_trip};
    use crate::ttlv::DecodeErrorKind;

    #[test]
    fn its_tag_is_that_of_the_version() {
        let request = CertifyRequest { certificate_request: Some(vec![1]), ..CertifyRequest::default() };
        for (version, tag) in [
            (ProtocolVersion::V1_0, Tag::CERTIFICATE_REQUEST),
            (ProtocolVersion::V1_4, Tag::CERTIFICATE_REQUEST),
            (ProtocolVersion::V2_0, Tag::CERTIFICATE_REQUEST_VALUE),
            (ProtocolVersion::V2_1, Tag::CERTIFICATE_REQUEST_VALUE),
        ] {
            assert_eq!(round_trip(&request, version), Ok((request.clone(), vec![tag])));
        }
        let refused = read_fields::<CertifyRequest>(ProtocolVersion::V2_0, |w| w.bytes(Tag::CERTIFICATE_REQUEST, &[1]));
        assert_eq!(refused.unwrap_err().kind, DecodeErrorKind::UnknownField(Tag::CERTIFICATE_REQUEST));
    }
}
