//! Each permitted variation, and beside it what it must not let through.

use std::fmt::Write as _;

use super::*;

/// An answer to a request for one operation.
struct Answer {
    request: String,
    header: String,
    status: String,
}

impl Answer {
    fn to(operation: &str) -> Self {
        let operation = format!(r#"<Operation type="Enumeration" value="{operation}"/>"#);
        Self {
            request: format!("<BatchItem>{operation}<RequestPayload/></BatchItem>"),
            header: r#"<TimeStamp type="DateTime" value="2012-04-27T08:12:21+00:00"/><BatchCount type="Integer" value="1"/>"#
                .to_owned(),
            status: format!(r#"{operation}<ResultStatus type="Enumeration" value="Success"/>"#),
        }
    }

    fn asking(mut self, payload: &str) -> Self {
        self.request =
            self.request.replace("<RequestPayload/>", &format!("<RequestPayload>{payload}</RequestPayload>"));
        self
    }

    fn element(&self, status: &str, payload: &str) -> Element {
        let payload =
            if payload.is_empty() { String::new() } else { format!("<ResponsePayload>{payload}</ResponsePayload>") };
        let xml = format!(
            "<ResponseMessage><ResponseHeader>{}</ResponseHeader><BatchItem>{status}{payload}</BatchItem></ResponseMessage>",
            self.header
        );
        Element::parse(&xml).unwrap()
    }

    /// The differences between an expected and an actual payload.
    fn payloads(&self, expected: &str, actual: &str, values: &mut Values) -> Vec<Difference> {
        self.whole(&self.element(&self.status, expected), &self.element(&self.status, actual), values)
    }

    fn statuses(&self, expected: &str, actual: &str) -> Vec<Difference> {
        self.whole(&self.element(expected, ""), &self.element(actual, ""), &mut Values::new())
    }

    fn whole(&self, expected: &Element, actual: &Element, values: &mut Values) -> Vec<Difference> {
        let mut request = Element::parse(&format!("<RequestMessage>{}</RequestMessage>", self.request)).unwrap();
        values.fill_in(&mut request).unwrap();
        values.learn_request(&request);
        // As a server's answer comes: through TTLV, in the spelling of our printer.
        let actual = Element::from_ttlv(&actual.to_ttlv().unwrap()).unwrap();
        compare(&request, expected, &actual, values)
    }

    fn accepts(&self, expected: &str, actual: &str) {
        let differences = self.payloads(expected, actual, &mut Values::new());
        assert!(differences.is_empty(), "{differences:?}");
    }

    #[track_caller]
    fn refuses(&self, expected: &str, actual: &str, path: &str) {
        let differences = self.payloads(expected, actual, &mut Values::new());
        assert!(
            differences.iter().any(|difference| difference.path.ends_with(path)),
            "{path:?} not in {differences:?}"
        );
    }
}

fn text(name: &str, value: &str) -> String {
    format!(r#"<{name} type="TextString" value="{value}"/>"#)
}

fn number(name: &str, value: i32) -> String {
    format!(r#"<{name} type="Integer" value="{value}"/>"#)
}

fn choice(name: &str, value: &str) -> String {
    format!(r#"<{name} type="Enumeration" value="{value}"/>"#)
}

fn bytes(name: &str, value: &str) -> String {
    format!(r#"<{name} type="ByteString" value="{value}"/>"#)
}

fn date(name: &str, value: &str) -> String {
    format!(r#"<{name} type="DateTime" value="{value}"/>"#)
}

fn attribute(name: &str, value: &str) -> String {
    format!("<Attribute>{}{value}</Attribute>", text("AttributeName", name))
}

fn key(material: &str) -> String {
    format!(
        "<SymmetricKey><KeyBlock>{}<KeyValue>{}</KeyValue></KeyBlock></SymmetricKey>",
        choice("KeyFormatType", "Raw"),
        bytes("KeyMaterial", material)
    )
}

const ID: &str = "UniqueIdentifier";

#[test]
fn an_equal_answer_has_no_difference() {
    Answer::to("Get").accepts(&key("0a0b"), &key("0a0b"));
}

#[test]
fn a_placeholder_is_bound_once_and_stays() {
    let (answer, mut values) = (Answer::to("Activate"), Values::new());
    let expected = text(ID, "$UNIQUE_IDENTIFIER_0");
    assert!(answer.payloads(&expected, &text(ID, "own-1"), &mut values).is_empty());
    assert!(answer.payloads(&expected, &text(ID, "own-1"), &mut values).is_empty());
    assert!(!answer.payloads(&expected, &text(ID, "own-2"), &mut values).is_empty());
}

#[test]
fn two_placeholders_for_identifiers_are_never_one_identifier() {
    let (answer, mut values) = (Answer::to("Locate"), Values::new());
    let expected = text(ID, "$UNIQUE_IDENTIFIER_0") + &text(ID, "$UNIQUE_IDENTIFIER_1");
    assert!(answer.payloads(&expected, &(text(ID, "a") + &text(ID, "b")), &mut values.clone()).is_empty());
    assert!(!answer.payloads(&expected, &(text(ID, "a") + &text(ID, "a")), &mut values).is_empty());
}

#[test]
fn a_literal_identifier_may_be_another_but_always_the_same() {
    let (answer, mut values) = (Answer::to("Create"), Values::new());
    assert!(answer.payloads(&text(ID, "fc8833de"), &text(ID, "own-1"), &mut values).is_empty());
    assert!(!answer.payloads(&text(ID, "fc8833de"), &text(ID, "own-2"), &mut values).is_empty());
    // The next request asks for the server's own.
    let mut request = Element::parse(&format!("<RequestPayload>{}</RequestPayload>", text(ID, "fc8833de"))).unwrap();
    values.fill_in(&mut request).unwrap();
    assert_eq!(request.children[0].value.as_deref(), Some("own-1"));
}

#[test]
fn the_identifier_attribute_and_links_are_identifiers_too() {
    let (answer, mut values) = (Answer::to("GetAttributes"), Values::new());
    let expected = text(ID, "$UNIQUE_IDENTIFIER_0")
        + &attribute("Unique Identifier", &text("AttributeValue", "$UNIQUE_IDENTIFIER_0"));
    let actual =
        |attribute_value| text(ID, "own-1") + &attribute("Unique Identifier", &text("AttributeValue", attribute_value));
    assert!(answer.payloads(&expected, &actual("own-1"), &mut values).is_empty());
    assert!(!answer.payloads(&expected, &actual("own-2"), &mut values).is_empty());
}

#[test]
fn status_reason_and_operation_count() {
    let answer = Answer::to("Get");
    let failed = |operation, status, reason| {
        choice("Operation", operation) + &choice("ResultStatus", status) + &choice("ResultReason", reason)
    };
    let expected = failed("Get", "OperationFailed", "ItemNotFound");
    assert!(answer.statuses(&expected, &expected).is_empty());
    assert!(!answer.statuses(&expected, &failed("Get", "OperationFailed", "PermissionDenied")).is_empty());
    assert!(!answer.statuses(&expected, &failed("Get", "OperationUndone", "ItemNotFound")).is_empty());
    assert!(!answer.statuses(&expected, &failed("Locate", "OperationFailed", "ItemNotFound")).is_empty());
    let without_reason = choice("Operation", "Get") + &choice("ResultStatus", "OperationFailed");
    assert!(!answer.statuses(&expected, &without_reason).is_empty());
    assert!(!answer.statuses(&without_reason, &expected).is_empty());
}

#[test]
fn a_result_message_may_be_there_absent_or_another() {
    let answer = Answer::to("Get");
    let plain = choice("Operation", "Get") + &choice("ResultStatus", "OperationFailed");
    let with = |message: &str| plain.clone() + &text("ResultMessage", message);
    assert!(answer.statuses(&with("DENIED"), &with("not permitted")).is_empty());
    assert!(answer.statuses(&with("DENIED"), &plain).is_empty());
    assert!(answer.statuses(&plain, &with("not permitted")).is_empty());
}

#[test]
fn a_batch_item_id_goes_back_as_it_was_sent() {
    let answer = Answer::to("Get");
    let with =
        |id: &str| choice("Operation", "Get") + &bytes("UniqueBatchItemID", id) + &choice("ResultStatus", "Success");
    assert!(answer.statuses(&with("0752c951bb9926cc"), &with("0752C951BB9926CC")).is_empty());
    assert!(!answer.statuses(&with("01"), &with("02")).is_empty());
    assert!(!answer.statuses(&with("01"), &answer.status).is_empty());
}

#[test]
fn the_time_stamp_may_be_any_date_but_has_to_be_there() {
    let (mut there, answer) = (Answer::to("Get"), Answer::to("Get"));
    let expected = answer.element(&answer.status, "");
    there.header = there.header.replace("2012-04-27T08:12:21+00:00", "2030-01-01T00:00:00Z");
    assert!(answer.whole(&expected, &there.element(&there.status, ""), &mut Values::new()).is_empty());
    there.header = number("BatchCount", 1);
    assert!(!answer.whole(&expected, &there.element(&there.status, ""), &mut Values::new()).is_empty());
    there.header = text("TimeStamp", "2012-04-27T08:12:21+00:00") + &number("BatchCount", 1);
    assert!(!answer.whole(&expected, &there.element(&there.status, ""), &mut Values::new()).is_empty());
}

#[test]
fn batch_count_and_version_count() {
    let (mut other, answer) = (Answer::to("Get"), Answer::to("Get"));
    other.header = other.header.replace("value=\"1\"", "value=\"2\"");
    let (expected, actual) = (answer.element(&answer.status, ""), other.element(&answer.status, ""));
    let differences = answer.whole(&expected, &actual, &mut Values::new());
    assert_eq!(differences.len(), 1);
    assert!(differences[0].path.ends_with("BatchCount"));
}

#[test]
fn a_server_correlation_value_may_be_added_a_client_s_may_not() {
    let (mut other, answer) = (Answer::to("Get"), Answer::to("Get"));
    let expected = answer.element(&answer.status, "");
    other.header = other.header.replace("<BatchCount", &(text("ServerCorrelationValue", "ours") + "<BatchCount"));
    assert!(answer.whole(&expected, &other.element(&other.status, ""), &mut Values::new()).is_empty());
    other.header = other.header.replace("ServerCorrelationValue", "ClientCorrelationValue");
    assert!(!answer.whole(&expected, &other.element(&other.status, ""), &mut Values::new()).is_empty());
}

#[test]
fn an_item_too_many_or_too_few_is_a_difference() {
    let answer = Answer::to("Get");
    let one = answer.element(&answer.status, "");
    let mut two = one.clone();
    two.children.push(one.children[1].clone());
    assert!(!answer.whole(&one, &two, &mut Values::new()).is_empty());
    assert!(!answer.whole(&two, &one, &mut Values::new()).is_empty());
}

#[test]
fn each_item_of_a_batch_is_compared_by_the_rules_of_its_own_operation() {
    let query = Answer::to("Query");
    let mut answer = Answer::to("Get");
    answer.request.push_str(&query.request);
    let item = |operation: &str, vendor: &str| {
        format!(
            "<BatchItem>{}<ResponsePayload>{}</ResponsePayload></BatchItem>",
            choice("Operation", operation),
            text("VendorIdentification", vendor)
        )
    };
    let message = |get: &str, query: &str| {
        Element::parse(&format!("<ResponseMessage>{}{}</ResponseMessage>", item("Get", get), item("Query", query)))
            .unwrap()
    };
    assert!(answer.whole(&message("a", "b"), &message("a", "c"), &mut Values::new()).is_empty());
    assert!(!answer.whole(&message("a", "b"), &message("c", "b"), &mut Values::new()).is_empty());
}

#[test]
fn types_count() {
    Answer::to("GetAttributes").refuses(
        &attribute("x-A", &text("AttributeValue", "1")),
        &attribute("x-A", &number("AttributeValue", 1)),
        "x-A",
    );
    Answer::to("Activate").refuses(&text(ID, "$UNIQUE_IDENTIFIER_0"), &bytes(ID, "00"), ID);
}

#[test]
fn a_date_is_free_unless_a_client_set_it() {
    let activation = |value: &str| text(ID, "own-1") + &attribute("Activation Date", &date("AttributeValue", value));
    let expected = |value: &str| activation(value).replace("own-1", "$UNIQUE_IDENTIFIER_0");
    let (fixed, other) = ("2009-01-01T00:00:00+00:00", "2024-05-05T05:05:05+00:00");
    let get = Answer::to("GetAttributes").asking(&text(ID, "own-1"));
    get.accepts(&expected(fixed), &activation(other));
    let mut values = Values::new();
    let sent = Answer::to("Register").asking(&attribute("Activation Date", &date("AttributeValue", fixed)));
    assert!(sent.payloads(&text(ID, "$UNIQUE_IDENTIFIER_0"), &text(ID, "own-1"), &mut values).is_empty());
    let same = activation("2009-01-01T01:00:00+01:00");
    assert!(get.payloads(&expected(fixed), &same, &mut values.clone()).is_empty());
    assert!(!get.payloads(&expected(fixed), &activation(other), &mut values.clone()).is_empty());
    assert!(!get.payloads(&expected(other), &activation(fixed), &mut values.clone()).is_empty());
    // Neither another object's nor another attribute's date is fixed by it, nor this one once the server set it.
    let another = Answer::to("GetAttributes").asking(&text(ID, "own-2"));
    let of_another = activation(other).replace("own-1", "own-2");
    let differences =
        another.payloads(&expected(fixed).replace("IDENTIFIER_0", "IDENTIFIER_1"), &of_another, &mut values.clone());
    assert!(differences.is_empty(), "{differences:?}");
    let initial = |date: String| date.replace("Activation Date", "Initial Date");
    assert!(get.payloads(&initial(expected(fixed)), &initial(activation(other)), &mut values.clone()).is_empty());
    let activate = Answer::to("Activate").asking(&text(ID, "own-1"));
    assert!(activate.payloads(&text(ID, "$UNIQUE_IDENTIFIER_0"), &text(ID, "own-1"), &mut values).is_empty());
    assert!(get.payloads(&expected(fixed), &activation(other), &mut values).is_empty());
}

#[test]
fn a_date_in_a_request_that_failed_fixes_nothing() {
    let mut values = Values::new();
    let modify = Answer::to("ModifyAttribute")
        .asking(&(text(ID, "own-1") + &attribute("Activation Date", &date("AttributeValue", "$NOW"))));
    let denied = choice("Operation", "ModifyAttribute") + &choice("ResultStatus", "OperationFailed");
    let message = modify.element(&denied, "");
    assert!(modify.whole(&message, &message, &mut values).is_empty());
    assert!(!values.date_was_sent("own-1", "Activation Date"));
}

#[test]
fn now_is_evaluated_alike_in_request_and_answer() {
    let activation = |value: &str| text(ID, "own-1") + &attribute("Activation Date", &date("AttributeValue", value));
    let expected = activation("$NOW-3600").replace("own-1", "$UNIQUE_IDENTIFIER_0");
    let mut values = Values::new();
    let now = values.moment("$NOW-3600").unwrap();
    let later = values.moment("$NOW+1").unwrap();
    let answer = Answer::to("AddAttribute").asking(&activation("$NOW-3600"));
    assert!(answer.payloads(&expected, &activation(&now), &mut values.clone()).is_empty());
    assert!(!answer.payloads(&expected, &activation(&later), &mut values).is_empty());
}

#[test]
fn a_date_that_is_no_date_is_a_difference() {
    Answer::to("GetAttributes").refuses(
        &attribute("Initial Date", &date("AttributeValue", "$NOW")),
        &attribute("Initial Date", &text("AttributeValue", "today")),
        "InitialDate",
    );
}

#[test]
fn material_counts_unless_the_server_made_it() {
    let get = Answer::to("Get").asking(&text(ID, "own-1"));
    let payload = |material: &str| text(ID, "$UNIQUE_IDENTIFIER_0") + &key(material);
    let actual = |material: &str| text(ID, "own-1") + &key(material);
    let differences = get.payloads(&payload("00112233"), &actual("00112234"), &mut Values::new());
    assert!(differences.iter().any(|difference| difference.path.ends_with("KeyMaterial")), "{differences:?}");
    let mut values = Values::new();
    let created = Answer::to("Create");
    assert!(created.payloads(&text(ID, "$UNIQUE_IDENTIFIER_0"), &text(ID, "own-1"), &mut values).is_empty());
    assert!(get.payloads(&payload("00112233"), &actual("99999999"), &mut values).is_empty());
    // The same key each time, and always of the right length.
    assert!(!get.payloads(&payload("00112233"), &actual("88888888"), &mut values).is_empty());
    assert!(!get.payloads(&payload("aabbccdd"), &actual("77"), &mut values).is_empty());
}

#[test]
fn material_of_an_object_reached_by_the_placeholder_is_that_of_the_object_in_the_answer() {
    let mut values = Values::new();
    let created = Answer::to("Create");
    assert!(created.payloads(&text(ID, "$UNIQUE_IDENTIFIER_0"), &text(ID, "own-1"), &mut values).is_empty());
    let get = Answer::to("Get");
    let payload = |id: &str, material: &str| text(ID, id) + &key(material);
    assert!(get.payloads(&payload("$UNIQUE_IDENTIFIER_0", "00"), &payload("own-1", "11"), &mut values).is_empty());
    let mut registered = Values::new();
    assert!(!get.payloads(&payload("$UNIQUE_IDENTIFIER_0", "00"), &payload("own-1", "11"), &mut registered).is_empty());
}

#[test]
fn what_the_server_made_is_remembered_by_the_tenant_but_not_the_bindings() {
    let mut values = Values::new();
    let created = Answer::to("Create");
    assert!(created.payloads(&text(ID, "$UNIQUE_IDENTIFIER_0"), &text(ID, "own-1"), &mut values).is_empty());
    values.next_case();
    assert!(values.server_made("own-1"));
    assert!(created.payloads(&text(ID, "$UNIQUE_IDENTIFIER_0"), &text(ID, "own-2"), &mut values).is_empty());
}

#[test]
fn the_key_format_is_the_server_s_only_for_its_own_keys_and_only_unasked() {
    let block = |format: &str| {
        text(ID, "$UNIQUE_IDENTIFIER_0")
            + &format!("<SymmetricKey><KeyBlock>{}</KeyBlock></SymmetricKey>", choice("KeyFormatType", format))
    };
    let actual = |format: &str| block(format).replace("$UNIQUE_IDENTIFIER_0", "own-1");
    let mut values = Values::new();
    let get = Answer::to("Get").asking(&text(ID, "own-1"));
    assert!(!get.payloads(&block("Raw"), &actual("Opaque"), &mut values.clone()).is_empty());
    values.learn_answer(
        "Create",
        None,
        &[],
        &Element::parse(&format!("<ResponsePayload>{}</ResponsePayload>", text(ID, "own-1"))).unwrap(),
    );
    assert!(get.payloads(&block("Raw"), &actual("Opaque"), &mut values.clone()).is_empty());
    let asked = Answer::to("Get").asking(&(text(ID, "own-1") + &choice("KeyFormatType", "Raw")));
    assert!(!asked.payloads(&block("Raw"), &actual("Opaque"), &mut values).is_empty());
}

#[test]
fn a_digest_is_the_server_s_with_its_hash_and_format() {
    let digest = |hash: &str, value: &str, format: &str| {
        let inside = choice("HashingAlgorithm", hash) + &bytes("DigestValue", value) + &choice("KeyFormatType", format);
        attribute("Digest", &format!("<AttributeValue>{inside}</AttributeValue>"))
    };
    let answer = Answer::to("GetAttributes");
    answer.accepts(&digest("SHA_256", "bc12", "Raw"), &digest("SHA_512", "0011223344", "Raw"));
    answer.accepts(&digest("SHA_256", "bc12", "Raw"), &digest("SHA_256", "0011", "Opaque"));
    // Of a key that the client brought, by the same hash, there is but one.
    answer.refuses(&digest("SHA_256", "bc12", "Raw"), &digest("SHA_256", "bc13", "Raw"), "DigestValue");
    let mut values = Values::new();
    values.learn_answer(
        "Create",
        None,
        &[],
        &Element::parse(&format!("<ResponsePayload>{}</ResponsePayload>", text(ID, "own-1"))).unwrap(),
    );
    let of_own = Answer::to("GetAttributes").asking(&text(ID, "own-1"));
    let differences =
        of_own.payloads(&digest("SHA_256", "bc12", "Raw"), &digest("SHA_256", "bc13", "Raw"), &mut values);
    assert!(differences.is_empty(), "{differences:?}");
    let no_value = attribute(
        "Digest",
        &format!(
            "<AttributeValue>{}{}</AttributeValue>",
            choice("HashingAlgorithm", "SHA_256"),
            choice("KeyFormatType", "Raw")
        ),
    );
    answer.refuses(&digest("SHA_256", "bc12", "Raw"), &no_value, "DigestValue");
    // A hash that stands elsewhere counts.
    let parameters = |hash: &str| {
        let inside = choice("HashingAlgorithm", hash);
        attribute("Cryptographic Parameters", &format!("<AttributeValue>{inside}</AttributeValue>"))
    };
    answer.refuses(&parameters("SHA_256"), &parameters("SHA_512"), "HashingAlgorithm");
}

#[test]
fn attributes_come_in_any_order() {
    let (state, mask) = (
        attribute("State", &choice("AttributeValue", "Active")),
        attribute("Cryptographic Usage Mask", &number("AttributeValue", 12)),
    );
    let named = attribute("Cryptographic Usage Mask", r#"<AttributeValue type="Integer" value="Decrypt Encrypt"/>"#);
    Answer::to("GetAttributes").accepts(&(state.clone() + &named), &(mask + &state));
}

#[test]
fn attributes_may_be_more_only_where_none_was_named() {
    let (state, extra) = (
        attribute("State", &choice("AttributeValue", "Active")),
        attribute("x-Vendor", &text("AttributeValue", "somebody")),
    );
    let both = state.clone() + &extra;
    Answer::to("GetAttributes").accepts(&state, &both);
    Answer::to("GetAttributes").refuses(&both, &state, "\"x-Vendor\"");
    let named = Answer::to("GetAttributes").asking(&text("AttributeName", "State"));
    named.refuses(&state, &both, "\"x-Vendor\"");
    named.accepts(&state, &(state.clone() + &attribute("Object Group", &text("AttributeValue", "default"))));
    named.accepts(&state, &(state.clone() + &attribute("y-Server", &text("AttributeValue", "own"))));
    Answer::to("AddAttribute").refuses(&state, &both, "\"x-Vendor\"");
}

#[test]
fn an_object_group_may_be_absent_only_if_nobody_set_it() {
    let group = attribute("Object Group", &text("AttributeValue", "default"));
    let answer = Answer::to("GetAttributes");
    answer.accepts(&(text(ID, "$X") + &group), &text(ID, "x"));
    Answer::to("GetAttributes").asking(&group).refuses(&(text(ID, "$X") + &group), &text(ID, "x"), "\"Object Group\"");
    let name = text("AttributeName", "Object Group");
    Answer::to("GetAttributeList")
        .accepts(&(name.clone() + &text("AttributeName", "State")), &text("AttributeName", "State"));
    Answer::to("GetAttributeList").asking(&group).refuses(&name, &text("AttributeName", "State"), "AttributeName");
}

#[test]
fn equal_attributes_are_counted() {
    let name = |value: &str| attribute("x-A", &text("AttributeValue", value));
    let named = Answer::to("GetAttributes").asking(&text("AttributeName", "x-A"));
    named.accepts(&(name("1") + &name("2")), &(name("2") + &name("1")));
    named.refuses(&(name("1") + &name("1")), &(name("1") + &name("2")), "x-A");
    named.refuses(&(name("1") + &name("2")), &name("1"), "\"x-A\"");
}

#[test]
fn index_zero_may_be_absent_and_no_other() {
    let value = text("AttributeValue", "v");
    let with = |index: i32| attribute("x-A", &(number("AttributeIndex", index) + &value));
    let without = attribute("x-A", &value);
    let answer = Answer::to("AddAttribute");
    answer.accepts(&with(0), &without);
    answer.accepts(&without, &with(0));
    answer.refuses(&with(1), &without, "AttributeIndex");
    answer.refuses(&without, &with(1), "AttributeIndex");
    answer.refuses(&with(1), &with(2), "AttributeIndex");
}

#[test]
fn attribute_names_may_be_more_and_in_any_order() {
    let names = |names: &[&str]| {
        names.iter().fold(String::new(), |mut all, name| {
            let _ = write!(all, "{}", text("AttributeName", name));
            all
        })
    };
    let answer = Answer::to("GetAttributeList");
    answer.accepts(&names(&["State", "Name"]), &names(&["Name", "Digest", "State"]));
    answer.refuses(&names(&["State", "Name"]), &names(&["Name"]), "AttributeName");
}

#[test]
fn query_may_list_more_and_names_its_own_vendor() {
    let payload = |operations: &[&str], vendor: &str, information: &str| {
        operations.iter().map(|operation| choice("Operation", operation)).collect::<String>()
            + &choice("ObjectType", "SymmetricKey")
            + &text("VendorIdentification", vendor)
            + &format!("<ServerInformation>{information}</ServerInformation>")
    };
    let answer = Answer::to("Query");
    let expected = payload(&["Query", "Get"], "server-vendor.com", "");
    answer.accepts(&expected, &payload(&["Get", "Create", "Query"], "Clavis", &text("ServerInformation", "x")));
    answer.accepts(&(expected.clone() + &text("ApplicationNamespace", "ssl")), &expected);
    answer.refuses(&expected, &payload(&["Get", "Create"], "Clavis", ""), "Operation");
    let without_vendor = expected.replace(&text("VendorIdentification", "server-vendor.com"), "");
    answer.refuses(&expected, &without_vendor, "VendorIdentification");
    let without_type = expected.replace(&choice("ObjectType", "SymmetricKey"), "");
    answer.refuses(&expected, &without_type, "ObjectType");
}

#[test]
fn discover_versions_may_know_more_in_their_order() {
    let versions = |minors: &[i32]| {
        minors.iter().fold(String::new(), |mut all, minor| {
            let inside = number("ProtocolVersionMajor", 1) + &number("ProtocolVersionMinor", *minor);
            let _ = write!(all, "<ProtocolVersion>{inside}</ProtocolVersion>");
            all
        })
    };
    let answer = Answer::to("DiscoverVersions");
    answer.accepts(&versions(&[2, 0]), &versions(&[4, 2, 1, 0]));
    answer.refuses(&versions(&[2, 0]), &versions(&[0, 2]), "ProtocolVersion");
    answer.refuses(&versions(&[2, 0]), &versions(&[2, 1]), "ProtocolVersion");
}

#[test]
fn an_answer_may_have_a_template_attribute_but_nothing_else_of_its_own() {
    let id = text(ID, "$UNIQUE_IDENTIFIER_0");
    let template = format!("<TemplateAttribute>{}</TemplateAttribute>", attribute("x-A", &text("AttributeValue", "v")));
    Answer::to("Create").accepts(&id, &(id.clone() + &template));
    Answer::to("Create").accepts(&(id.clone() + &template), &id);
    Answer::to("Create").refuses(&id, &(id.clone() + &choice("ObjectType", "SymmetricKey")), "ObjectType");
    Answer::to("Locate").refuses(&id, &(number("LocatedItems", 1) + &id), "LocatedItems");
}

#[test]
fn message_extensions_may_be_added_if_they_are_not_critical() {
    let answer = Answer::to("Get");
    let extension = |critical: bool| {
        format!(
            "<MessageExtension>{}<CriticalityIndicator type=\"Boolean\" value=\"{critical}\"/></MessageExtension>",
            text("VendorIdentification", "somebody")
        )
    };
    assert!(answer.statuses(&answer.status, &(answer.status.clone() + &extension(false))).is_empty());
    assert!(!answer.statuses(&answer.status, &(answer.status.clone() + &extension(true))).is_empty());
}

#[test]
fn identifiers_of_a_locate_come_in_order() {
    let ids = |ids: [&str; 2]| text(ID, ids[0]) + &text(ID, ids[1]);
    let (answer, mut values) = (Answer::to("Locate"), Values::new());
    let expected = ids(["$UNIQUE_IDENTIFIER_0", "$UNIQUE_IDENTIFIER_1"]);
    assert!(answer.payloads(&expected, &ids(["a", "b"]), &mut values).is_empty());
    assert!(!answer.payloads(&expected, &ids(["b", "a"]), &mut values).is_empty());
    assert!(!answer.payloads(&expected, &text(ID, "a"), &mut values).is_empty());
}

#[test]
fn results_with_the_server_s_key_have_only_a_length() {
    let encrypt = |id: &str| Answer::to("Encrypt").asking(&text(ID, id));
    let payload = |data: &str| bytes("Data", data);
    encrypt("own-1").refuses(&payload("001122"), &payload("001123"), "Data");
    let mut values = Values::new();
    values.learn_answer(
        "Create",
        None,
        &[],
        &Element::parse(&format!("<ResponsePayload>{}</ResponsePayload>", text(ID, "own-1"))).unwrap(),
    );
    assert!(encrypt("own-1").payloads(&payload("001122"), &payload("001123"), &mut values.clone()).is_empty());
    assert!(!encrypt("own-1").payloads(&payload("001122"), &payload("0011"), &mut values).is_empty());
}

#[test]
fn placeholders_like_an_answer_s_field_take_its_value() {
    let mut values = Values::new();
    let answer = Answer::to("Encrypt");
    assert!(answer.payloads(&bytes("Data", "0a0b"), &bytes("Data", "0a0b"), &mut values).is_empty());
    let mut request =
        Element::parse(&format!("<RequestPayload>{}</RequestPayload>", bytes("Data", "$DATA_0"))).unwrap();
    values.fill_in(&mut request).unwrap();
    assert_eq!(request.children[0].value.as_deref(), Some("0a0b"));
    let mut unbound = Element::parse(&format!("<RequestPayload>{}</RequestPayload>", text(ID, "$NOBODY"))).unwrap();
    assert_eq!(values.fill_in(&mut unbound), Err("$NOBODY".to_owned()));
}

#[test]
fn differences_show_no_key() {
    let secret = "00112233445566778899aabbccddeeff";
    let differences =
        Answer::to("Get").payloads(&key(secret), &key("ff112233445566778899aabbccddeeff"), &mut Values::new());
    assert!(!differences.is_empty());
    assert!(!format!("{differences:?}").contains("112233445566"), "{differences:?}");
}
