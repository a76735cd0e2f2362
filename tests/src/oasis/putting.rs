//! A Put of a case brings a key that the server of the case made. Ours made another one under the same identifier, and
//! whoever puts it there has to have got it first: key bytes and digest of the request become those of the server's key.
//!
//! A key that a client registered is put as the case has it.

use kmip::ttlv::ItemType;
use kmip::xml::Element;

use super::play::{Exchange, Why};
use super::values::Values;

/// Brings the server's own keys in each Put of a request whose placeholders were filled in.
///
/// # Errors
/// [`Why`] the server's key is not to be had.
pub(super) fn bring_own(request: &mut Element, server: &mut dyn Exchange, values: &Values) -> Result<(), Why> {
    let Some(version) = request.child("RequestHeader").and_then(|header| header.child("ProtocolVersion")).cloned()
    else {
        return Ok(());
    };
    for item in request.children.iter_mut().filter(|item| is_put(item)) {
        let Some(payload) = item.children.iter_mut().find(|child| child.name == "RequestPayload") else { continue };
        let object = payload
            .child("UniqueIdentifier")
            .filter(|id| id.value.as_deref().is_some_and(|identifier| values.server_made(identifier)));
        let Some(object) = object.cloned() else { continue };
        let mut ask = |operation: &str, more: Option<Element>| {
            let payload: Vec<Element> = [Some(object.clone()), more].into_iter().flatten().collect();
            answered(server, &version, operation, payload)
        };
        let got = ask("Get", None)?;
        let told = ask("GetAttributes", Some(text("AttributeName", "Digest")))?;
        for (name, answer) in [("KeyMaterial", &got), ("DigestValue", &told)] {
            let own = find(answer, name).ok_or_else(|| Why::Answer(format!("the server tells no {name}")))?;
            replace(payload, name, own);
        }
    }
    Ok(())
}

fn is_put(item: &Element) -> bool {
    item.child("Operation").and_then(|operation| operation.value.as_deref()) == Some("Put")
}

/// The answer to a request of one operation, as it came.
fn answered(
    server: &mut dyn Exchange,
    version: &Element,
    operation: &str,
    payload: Vec<Element>,
) -> Result<Element, Why> {
    let count =
        Element { value: Some("1".to_owned()), item_type: ItemType::Integer, ..structure("BatchCount", vec![]) };
    let of = Element { item_type: ItemType::Enumeration, ..text("Operation", operation) };
    let request = structure(
        "RequestMessage",
        vec![
            structure("RequestHeader", vec![version.clone(), count]),
            structure("BatchItem", vec![of, structure("RequestPayload", payload)]),
        ],
    );
    let bytes = request.to_ttlv().map_err(|error| Why::Case(error.to_string()))?;
    let answer = server.exchange(&bytes).map_err(Why::Answer)?;
    Element::from_ttlv(&answer).map_err(|error| Why::Answer(error.to_string()))
}

fn structure(name: &str, children: Vec<Element>) -> Element {
    Element { name: name.to_owned(), tag: None, item_type: ItemType::Structure, value: None, children }
}

fn text(name: &str, value: &str) -> Element {
    Element { value: Some(value.to_owned()), item_type: ItemType::TextString, ..structure(name, Vec::new()) }
}

/// The first element of that name, at any depth.
fn find<'e>(within: &'e Element, name: &str) -> Option<&'e Element> {
    within.child(name).or_else(|| within.children.iter().find_map(|child| find(child, name)))
}

/// Puts `own` in the place of each element of that name.
fn replace(within: &mut Element, name: &str, own: &Element) {
    for child in &mut within.children {
        match child.name == name {
            true => child.clone_from(own),
            false => replace(child, name, own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that has one key, and counts what it is asked.
    struct OneKey(usize);

    impl Exchange for OneKey {
        fn exchange(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
            self.0 += 1;
            let answer = structure(
                "ResponseMessage",
                vec![
                    Element { item_type: ItemType::ByteString, ..text("KeyMaterial", "1111") },
                    Element { item_type: ItemType::ByteString, ..text("DigestValue", "2222") },
                ],
            );
            answer.to_ttlv().map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
        }
    }

    fn put() -> Element {
        Element::parse(
            "<RequestMessage><RequestHeader><ProtocolVersion>\
             <ProtocolVersionMajor type=\"Integer\" value=\"1\"/><ProtocolVersionMinor type=\"Integer\" value=\"4\"/>\
             </ProtocolVersion></RequestHeader><BatchItem><Operation type=\"Enumeration\" value=\"Put\"/>\
             <RequestPayload><UniqueIdentifier type=\"TextString\" value=\"own-1\"/><SymmetricKey><KeyBlock><KeyValue>\
             <KeyMaterial type=\"ByteString\" value=\"00\"/></KeyValue></KeyBlock></SymmetricKey>\
             <DigestValue type=\"ByteString\" value=\"00\"/></RequestPayload></BatchItem></RequestMessage>",
        )
        .unwrap()
    }

    #[test]
    fn a_key_that_the_server_made_is_put_as_it_is_there_and_another_as_the_case_has_it() {
        let (mut request, mut server, mut values) = (put(), OneKey(0), Values::new());
        bring_own(&mut request, &mut server, &values).unwrap();
        assert_eq!((request, server.0), (put(), 0));

        let made = structure("ResponsePayload", vec![text("UniqueIdentifier", "own-1")]);
        values.learn_answer("Create", None, &[], &made);
        let mut request = put();
        bring_own(&mut request, &mut server, &values).unwrap();
        assert_eq!(find(&request, "KeyMaterial").unwrap().value.as_deref(), Some("1111"));
        assert_eq!(find(&request, "DigestValue").unwrap().value.as_deref(), Some("2222"));
        assert_eq!(server.0, 2);
    }
}
