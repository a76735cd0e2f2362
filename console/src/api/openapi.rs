//! The document that describes the API (OpenAPI 3.1), made of the tables and of the types: nothing in it is written
//! twice, so that nothing in it can be out of date.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use provisioning::Command;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::activities::ActivityShown;
use super::commands::{COMMANDS, Given, target};
use super::kinds::{KINDS, Kind, Schemas};
use super::problem::Problem;
use super::tokens::{AccessToken, NewToken, TokenShown};
use super::write::PlanShown;
use crate::limits::{PAGE_MOST, TEXT_BYTES};

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(make);
    &DOCUMENT
}

fn make() -> Value {
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    let mut add = |path: &str, method: &str, operation: Value| {
        paths.entry(path.to_owned()).or_default().insert(method.to_owned(), operation);
    };
    for kind in KINDS {
        add(kind.path, "get", list_of(kind));
        add(&kind.path_of_one(), "get", one_of(kind));
    }
    let commands = Commands::read();
    for given in COMMANDS {
        add(given.path, given.method.text(), commands.operation(given));
    }
    let activities = "/activity/v1/activities";
    add(activities, "get", activity_list());
    add(&format!("{activities}/{{id}}"), "get", activity("show-activity", "An activity", "application/json"));
    add(
        &format!("{activities}/{{id}}/events"),
        "get",
        activity(
            "follow-activity",
            "An activity as it goes on: server-sent events until it has ended",
            "text/event-stream",
        ),
    );
    tokens(&mut add);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Clavis console",
            "version": "1",
            "description": "Inventory and activities of the IaaS. Every change answers 201 with the `Location` of an \
                activity. A `Client-Token` makes a change safe to ask for twice; `If-Match` makes it conditional; \
                `?dryRun=true` plans it and changes nothing.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "access": [] }],
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": {
                "access": { "type": "http", "scheme": "bearer", "description": "An access token, five minutes long" },
                "personal": { "type": "http", "scheme": "bearer", "description": "A personal access token" },
            },
        },
    })
}

fn components() -> BTreeMap<String, Value> {
    let mut all: Schemas = KINDS.iter().flat_map(|kind| (kind.schemas)()).collect();
    Command::schemas(&mut all);
    for (name, schema) in [
        (ActivityShown::name(), ActivityShown::schema()),
        (Problem::name(), Problem::schema()),
        (PlanShown::name(), PlanShown::schema()),
        (TokenShown::name(), TokenShown::schema()),
        (NewToken::name(), NewToken::schema()),
        (AccessToken::name(), AccessToken::schema()),
    ] {
        all.push((name.into_owned(), schema));
    }
    ActivityShown::schemas(&mut all);
    Problem::schemas(&mut all);
    PlanShown::schemas(&mut all);
    TokenShown::schemas(&mut all);
    NewToken::schemas(&mut all);
    all.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn query(name: &str, schema: &Value, description: &str) -> Value {
    json!({ "name": name, "in": "query", "required": false, "schema": schema, "description": description })
}

fn in_path(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } })
}

fn paged(items: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": { "type": "array", "items": items },
            "next": { "type": ["string", "null"], "description": "What to give as `after` for the next page; null on the last" },
        },
    })
}

/// The answers of an operation: the good one, and problems.
fn answers(good: u16, description: &str, kind: &str, schema: &Value, problems: &[u16]) -> Value {
    let mut all = Map::new();
    let content = json!({ kind: { "schema": schema } });
    all.insert(good.to_string(), json!({ "description": description, "content": content }));
    for status in problems.iter().chain(&[401, 403, 429]) {
        let what = match status {
            400 => "The request cannot be read",
            401 => "No valid token",
            403 => "Not permitted",
            404 => "There is none in this tenant",
            409 => "Another activity has it, or the client token was used",
            412 => "It was changed meanwhile",
            422 => "Rules refuse it: `findings` has them all",
            _ => "Too many requests",
        };
        let content = json!({ "application/problem+json": { "schema": reference("Problem") } });
        all.insert(status.to_string(), json!({ "description": what, "content": content }));
    }
    Value::Object(all)
}

fn list_of(kind: &Kind) -> Value {
    let text = json!({ "type": "string" });
    let mut parameters = paging();
    parameters.push(query("q", &text, "Part of a name or identifier"));
    parameters.extend(kind.filters.iter().map(|name| query(name, &text, "Those of which the field has this value")));
    let mut responses = answers(200, "A page", "application/json", &paged(&reference(kind.schema)), &[400]);
    responses["304"] = json!({ "description": "As the caller has it" });
    json!({
        "operationId": format!("list-{}", name_of(kind)),
        "summary": format!("{} of the tenant", kind.schema),
        "tags": [tag(kind.path)],
        "parameters": parameters,
        "responses": responses,
    })
}

fn one_of(kind: &Kind) -> Value {
    let mut responses = answers(200, kind.schema, "application/json", &reference(kind.schema), &[400, 404]);
    responses["304"] = json!({ "description": "As the caller has it" });
    let path = kind.path_of_one();
    let name = path.rsplit('/').next().unwrap_or_default().replace(['{', '}'], "");
    json!({
        "operationId": format!("show-{}", name_of(kind)),
        "summary": format!("One {}", kind.schema),
        "tags": [tag(kind.path)],
        "parameters": [in_path(&name)],
        "responses": responses,
    })
}

fn paging() -> Vec<Value> {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MOST });
    vec![
        query("limit", &limit, "Things on the page"),
        query("after", &json!({ "type": "string" }), "The identifier after which the page begins"),
    ]
}

fn name_of(kind: &Kind) -> &str {
    kind.path.rsplit('/').next().unwrap_or(kind.path)
}

fn tag(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or(path)
}

fn activity_list() -> Value {
    let mut parameters = paging();
    parameters.push(query("vm", &json!({ "type": "string" }), "Those about this VM"));
    parameters.push(query("state", &reference("ActivityState"), "Those in this state"));
    json!({
        "operationId": "list-activities",
        "summary": "Activities of the tenant, newest first",
        "tags": ["activity"],
        "parameters": parameters,
        "responses": answers(200, "A page", "application/json", &paged(&reference("ActivityShown")), &[400]),
    })
}

fn activity(operation: &str, summary: &str, kind: &str) -> Value {
    let schema = if kind == "application/json" { reference("ActivityShown") } else { json!({ "type": "string" }) };
    json!({
        "operationId": operation,
        "summary": summary,
        "tags": ["activity"],
        "parameters": [in_path("id")],
        "responses": answers(200, summary, kind, &schema, &[400, 404]),
    })
}

fn tokens(add: &mut dyn FnMut(&str, &str, Value)) {
    let json = "application/json";
    add(
        "/iam/v1/access_tokens",
        "post",
        json!({
            "operationId": "get-access-token",
            "summary": "An access token for a personal access token",
            "tags": ["iam"],
            "security": [{ "personal": [] }],
            "responses": answers(201, "The token", json, &reference("AccessToken"), &[]),
        }),
    );
    let personal = "/iam/v1/personal_access_tokens";
    add(
        personal,
        "post",
        json!({
            "operationId": "make-personal-access-token",
            "summary": "A new personal access token; its secret is told once",
            "tags": ["iam"],
            "requestBody": { "required": true, "content": { json: { "schema": reference("NewToken") } } },
            "responses": answers(201, "The token", json, &reference("TokenShown"), &[400, 409]),
        }),
    );
    add(
        personal,
        "get",
        json!({
            "operationId": "list-personal-access-tokens",
            "summary": "The caller's own personal access tokens",
            "tags": ["iam"],
            "responses": answers(200, "All of them", json, &paged(&reference("TokenShown")), &[]),
        }),
    );
    let mut gone = answers(204, "It is gone", json, &Value::Null, &[400, 404]);
    gone["204"] = json!({ "description": "It is gone" });
    add(
        &format!("{personal}/{{id}}"),
        "delete",
        json!({
            "operationId": "forget-personal-access-token",
            "summary": "Forgets a token and all that was got with it",
            "tags": ["iam"],
            "parameters": [in_path("id")],
            "responses": gone,
        }),
    );
}

/// The schema of each command, by its name.
struct Commands(BTreeMap<String, Value>);

impl Commands {
    fn read() -> Self {
        let whole = serde_json::to_value(Command::schema()).unwrap_or_default();
        let variants = whole["oneOf"].as_array().cloned().unwrap_or_default();
        let named = |one: Value| Some((one["properties"]["command"]["enum"][0].as_str()?.to_owned(), one));
        Self(variants.into_iter().filter_map(named).collect())
    }

    fn operation(&self, given: &Given) -> Value {
        let schema = self.0.get(given.command).cloned().unwrap_or_default();
        let summary = schema["description"].as_str().unwrap_or_default().to_owned();
        let mut parameters: Vec<Value> = given.parameters().map(in_path).collect();
        parameters.push(query("dryRun", &json!({ "type": "boolean" }), "Plan it and change nothing"));
        let text = json!({ "type": "string", "minLength": 1, "maxLength": TEXT_BYTES });
        let header = |name: &str, schema: &Value, what: &str| json!({ "name": name, "in": "header", "required": false, "schema": schema, "description": what });
        parameters.push(header("Client-Token", &text, "What the client calls this request; asking twice changes once"));
        if target(given).is_some() {
            parameters.push(header("If-Match", &text, "Only if this is still its entity tag"));
        }
        let content = |name: &str| json!({ "application/json": { "schema": reference(name) } });
        let mut responses =
            answers(201, "It has begun", "application/json", &reference("ActivityShown"), &[400, 404, 409, 412, 422]);
        responses["201"]["headers"] =
            json!({ "Location": { "schema": { "type": "string" }, "description": "The activity" } });
        responses["200"] = json!({ "description": "What would be done", "content": content("PlanShown") });
        let mut operation = json!({
            "operationId": given.command,
            "summary": summary,
            "tags": [tag(given.path)],
            "parameters": parameters,
            "responses": responses,
        });
        if let Some((body, required)) = body(given, schema) {
            operation["requestBody"] =
                json!({ "required": required, "content": { "application/json": { "schema": body } } });
        }
        operation
    }
}

/// What of a command does not stand in its address; `None` where nothing is left. And whether some of it must be given.
fn body(given: &Given, mut schema: Value) -> Option<(Value, bool)> {
    let in_address: Vec<&str> = given.parameters().chain(["command"]).collect();
    let fields = schema["properties"].as_object_mut()?;
    in_address.iter().for_each(|name| drop(fields.remove(*name)));
    if fields.is_empty() {
        return None;
    }
    let mut required = false;
    if let Some(list) = schema["required"].as_array_mut() {
        list.retain(|name| name.as_str().is_some_and(|name| !in_address.contains(&name)));
        required = !list.is_empty();
    }
    schema["additionalProperties"] = Value::Bool(false);
    Some((schema, required))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_document_stands_in_it() {
        let text = document().to_string();
        let schemas = document()["components"]["schemas"].as_object().unwrap();
        let named = text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
        let mut count = 0;
        for name in named {
            assert!(schemas.contains_key(name), "{name}");
            count += 1;
        }
        assert!(count > 100);
        let bodies = document()["paths"]["/compute/v1/vcenters/virtual_machines/{vm}/encrypt"]["post"].clone();
        assert!(bodies["requestBody"].is_null() && bodies["summary"].as_str().unwrap().starts_with("Encrypt a VM"));
    }
}
