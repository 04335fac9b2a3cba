//! Facts about both documents, shown on a few operations.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::application::{AppsOrdering, CreateApplication, EsApp, UpdateApplication};
use crate::batch::Batch;
use crate::host::{PublishEvents, PublishResults};
use crate::identifier::{ApplicationIdentifier, PermissionContextIdentifier};
use crate::webhook::{FullWebhook, WebhookRecord};
use crate::webhook_request::CreateWebhook;

#[derive(schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct ListQuery {
    #[serde(rename = "$skip", default)]
    skip: Option<String>,
    #[serde(rename = "$top", default)]
    top: Option<u16>,
    #[serde(default)]
    ordering: Option<AppsOrdering>,
    #[serde(default)]
    context: Option<PermissionContextIdentifier>,
}

#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ApplicationPath {
    application: ApplicationIdentifier,
}

fn operation(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation {
        name,
        method,
        path,
        summary: "Does it.",
        access: "Applications.Edit on the application".to_owned(),
        rights: vec!["Applications.Edit"],
        path_parameters: parameters_of::<ApplicationPath>(),
        query_parameters: vec![],
        body: None,
        result: None,
        surface: Surface::Space,
    }
}

fn operations() -> Vec<Operation> {
    let webhooks = "/api/http/applications/{application}/webhooks";
    vec![
        Operation {
            body: Some(TypeDescription::of::<CreateApplication>()),
            result: Some(TypeDescription::of::<EsApp>()),
            ..operation("api.application.create", Method::Post, "/api/http/applications")
        },
        Operation {
            query_parameters: parameters_of::<ListQuery>(),
            result: Some(TypeDescription::of::<Batch<EsApp>>()),
            ..operation("api.application.list", Method::Get, "/api/http/applications/paged")
        },
        Operation {
            body: Some(TypeDescription::of::<UpdateApplication>()),
            ..operation("api.application.update", Method::Patch, "/api/http/applications/{application}")
        },
        Operation {
            result: Some(TypeDescription::of::<String>()),
            ..operation("api.application.secret", Method::Get, "/api/http/applications/{application}/client-secret")
        },
        Operation {
            result: Some(TypeDescription::of::<Batch<FullWebhook>>()),
            ..operation("api.webhook.list", Method::Get, webhooks)
        },
        Operation {
            body: Some(TypeDescription::of::<CreateWebhook>()),
            result: Some(TypeDescription::of::<WebhookRecord>()),
            ..operation("api.webhook.create", Method::Post, webhooks)
        },
        Operation {
            body: Some(TypeDescription::of::<PublishEvents>()),
            result: Some(TypeDescription::of::<PublishResults>()),
            surface: Surface::Host,
            ..operation("host.event.publish", Method::Post, "/host/v1/events")
        },
    ]
}

/// Calls `visit` with every object of a document.
fn walk<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a Value)) {
    match value {
        Value::Object(object) => {
            visit(value);
            object.values().for_each(|inner| walk(inner, visit));
        }
        Value::Array(items) => items.iter().for_each(|inner| walk(inner, visit)),
        _ => {}
    }
}

fn by_id<'a>(list: &'a Value, id: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

fn dto_field<'a>(model: &'a Value, dto: &str, name: &str) -> &'a Value {
    let fields = by_id(&model["dto"], dto)["fields"].as_array().unwrap();
    fields.iter().find(|it| it["field"]["name"] == name).unwrap()
}

#[test]
fn every_reference_of_the_openapi_document_resolves() {
    let document = openapi(&operations(), "https://space.example.org", "1.2.3");
    let mut count = 0;
    walk(&document, &mut |object| {
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            count += 1;
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
        }
    });
    assert!(count > 20, "{count}");
}

#[test]
fn fields_can_be_chosen_only_where_an_object_is_sent() {
    let document = openapi(&operations(), "https://space.example.org", "1");
    let chooses = |path: &str, method: &str| {
        document["paths"][path][method]["parameters"].as_array().unwrap().iter().any(|it| it["name"] == "$fields")
    };
    assert!(chooses("/api/http/applications/paged", "get"));
    assert!(chooses("/api/http/applications", "post"));
    assert!(!chooses("/api/http/applications/{application}/client-secret", "get"));
    assert!(!chooses("/api/http/applications/{application}", "patch"));
}

#[test]
fn a_body_is_required_only_when_one_of_its_fields_is() {
    let document = openapi(&operations(), "https://space.example.org", "1");
    assert_eq!(document["paths"]["/api/http/applications"]["post"]["requestBody"]["required"], true);
    assert_eq!(document["paths"]["/api/http/applications/{application}"]["patch"]["requestBody"]["required"], false);
}

#[test]
fn every_type_the_model_mentions_is_in_the_model() {
    let model = api_model(&operations());
    let ids = |key: &str| -> BTreeSet<&str> {
        model[key].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
    };
    let (dtos, enums, identifiers) = (ids("dto"), ids("enums"), ids("urlParams"));
    walk(&model, &mut |object| {
        for (key, known) in [("dto", &dtos), ("enum", &enums), ("urlParam", &identifiers), ("extends", &dtos)] {
            if let Some(id) = object.get(key).and_then(|it| it.get("id")).and_then(Value::as_str) {
                assert!(known.contains(id), "{key} {id}");
            }
        }
        for inheritor in object.get("inheritors").and_then(Value::as_array).into_iter().flatten() {
            assert!(dtos.contains(inheritor["id"].as_str().unwrap()), "{inheritor}");
        }
    });
    assert!(dtos.contains("ES_App") && enums.contains("AppsOrdering") && identifiers.contains("ProjectIdentifier"));
    assert!(!dtos.iter().any(|id| id.starts_with("Publish")), "the host API is not part of the model");
}

#[test]
fn every_object_of_the_model_has_the_keys_generators_read() {
    let model = api_model(&operations());
    for key in ["dto", "enums", "urlParams", "resources", "featureFlags", "menuIds", "allResources"] {
        assert!(model[key].is_array(), "{key}");
    }
    let has = |object: &Value, keys: &[&str]| {
        for key in keys {
            assert!(object.get(*key).is_some(), "{key} in {object}");
        }
    };
    for dto in model["dto"].as_array().unwrap() {
        has(dto, &["name", "fields", "hierarchyRole", "hierarchyRole2", "extends", "implements", "inheritors"]);
        has(dto, &["description", "deprecation", "experimental", "record", "featureFlag", "optionalFeature"]);
    }
    walk(&model, &mut |object| {
        if object.get("functionName").is_some() {
            has(object, &["resource", "method", "parameters", "requestBody", "responseBody", "path", "displayName"]);
            has(
                object,
                &["description", "doc", "deprecation", "experimental", "featureFlag", "optionalFeature", "rights"],
            );
        }
        if object.get("nestedResources").is_some() {
            has(object, &["id", "path", "displaySingular", "displayPlural", "parentResource", "endpoints"]);
        }
        if object.get("defaultValue").is_some() {
            has(object, &["name", "type", "optional", "description", "deprecation", "experimental"]);
        }
        if object["className"].as_str().is_some_and(|name| name.starts_with("HA_Type.")) {
            has(object, &["nullable", "tags"]);
        }
    });
}

#[test]
fn a_page_is_an_object_of_kind_batch() {
    let model = api_model(&operations());
    let endpoints = &by_id(&model["resources"], "applications")["endpoints"];
    let list = endpoints.as_array().unwrap().iter().find(|it| it["functionName"] == "listApplication").unwrap();
    assert_eq!(list["method"], "REST_QUERY");
    assert_eq!(list["responseBody"]["kind"], "BATCH");
    let names: BTreeSet<&str> =
        list["responseBody"]["fields"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["next", "totalCount", "data"]));
    let data = list["responseBody"]["fields"].as_array().unwrap().iter().find(|it| it["name"] == "data").unwrap();
    assert_eq!(data["type"]["elementType"]["dto"]["id"], "ES_App");
    assert_eq!(list["path"]["segments"], json!([{"className": "HA_PathSegment.Const", "value": "paged"}]));
}

#[test]
fn webhooks_are_a_resource_of_applications() {
    let model = api_model(&operations());
    let webhooks =
        by_id(&by_id(&model["resources"], "applications")["nestedResources"], "applications/{application}/webhooks");
    assert_eq!(webhooks["displaySingular"], "Webhook");
    assert_eq!(webhooks["parentResource"]["id"], "applications");
    assert_eq!(webhooks["path"]["segments"][0], json!({"className": "HA_PathSegment.Var", "name": "application"}));
    assert_eq!(webhooks["endpoints"].as_array().unwrap().len(), 2);
}

#[test]
fn a_union_is_a_sealed_type_with_inheritors() {
    let model = api_model(&operations());
    let union = by_id(&model["dto"], "EndpointAuthRead");
    assert_eq!(union["hierarchyRole2"], "SEALED_CLASS");
    assert_eq!(union["inheritors"].as_array().unwrap().len(), 5);
    let basic = by_id(&model["dto"], "EndpointAuthRead.Basic");
    assert_eq!(basic["extends"]["id"], "EndpointAuthRead");
    assert_eq!(basic["fields"][0]["field"]["name"], "username");
}

#[test]
fn fields_say_what_they_are() {
    let model = api_model(&operations());
    assert_eq!(by_id(&model["dto"], "ES_App")["record"], true);
    assert_eq!(dto_field(&model, "ES_App", "contexts")["extension"], true);
    assert_eq!(dto_field(&model, "ES_App", "settings")["extension"], false);
    let created = &dto_field(&model, "ES_App", "createdAt")["field"]["type"];
    assert_eq!((&created["primitive"], &created["nullable"]), (&json!("DateTime"), &json!(true)));
    let old = &dto_field(&model, "ES_App", "endpointURI")["field"];
    assert_eq!(old["deprecation"]["since"], "2021-08-20");
    let owner = &dto_field(&model, "ES_App", "owner")["field"]["type"];
    assert_eq!((&owner["dto"]["id"], &owner["nullable"]), (&json!("TD_MemberProfile"), &json!(true)));
}

fn argument<'a>(model: &'a Value, function: &str, name: &str) -> &'a Value {
    let mut found = None;
    walk(&model["resources"], &mut |object| {
        if object.get("functionName").is_some_and(|it| it == function) {
            found = object["requestBody"]["fields"].as_array().unwrap().iter().find(|it| it["name"] == name);
        }
    });
    found.unwrap()
}

#[test]
fn arguments_carry_their_defaults() {
    let model = api_model(&operations());
    let flow = argument(&model, "createApplication", "clientCredentialsFlowEnabled");
    assert_eq!((&flow["optional"], &flow["defaultValue"]["expression"]), (&json!(true), &json!("true")));
    let name = argument(&model, "createApplication", "name");
    assert_eq!((&name["optional"], &name["defaultValue"]), (&json!(false), &Value::Null));
}

#[test]
fn what_an_update_leaves_out_has_no_default() {
    let model = api_model(&operations());
    let address = argument(&model, "updateApplication", "codeFlowRedirectURIs");
    assert_eq!((&address["optional"], &address["type"]["nullable"]), (&json!(true), &json!(true)));
    assert_eq!(address["defaultValue"], Value::Null, "absent keeps, null clears");
}

#[test]
fn rights_have_the_title_of_the_catalogue() {
    let model = api_model(&operations());
    let endpoint = &by_id(&model["resources"], "applications")["endpoints"][0];
    assert_eq!(endpoint["rights"][0]["rightUniqueCode"], "Applications.Edit");
    assert_eq!(endpoint["rights"][0]["title"], "Update applications");
}
