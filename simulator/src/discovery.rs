//! `GET /$discovery/rest?version=directory_v1`: describes the simulated part of the Directory API to client
//! libraries that build themselves from such a document.
//!
//! The document is made from the table of methods that the simulator serves. Its addresses are the ones of the
//! request, so that a client that loads it here also calls here, batches included.
//!
//! Format: "Google API Discovery Service: Using the Discovery Document".

mod methods;
mod schemas;

use std::sync::Arc;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::api::methods::ApiMethod;
use crate::api_error::ApiError;
use crate::auth::address::base_url;
use crate::state::SimulatorState;

const VERSION: &str = "directory_v1";

/// The route of the discovery document.
pub(crate) fn router() -> Router<Arc<SimulatorState>> {
    Router::new().route("/$discovery/rest", get(rest)).route(
        "/discovery/v1/apis/admin/directory_v1/rest",
        get(async |headers: HeaderMap| answer(&headers)),
    )
}

async fn rest(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let version = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "version")
        .map(|(_, value)| value.into_owned());
    match version.as_deref() {
        None | Some(VERSION) => answer(&headers),
        Some(_) => ApiError::new(
            StatusCode::NOT_FOUND,
            "notFound",
            "Discovery document not found for API service: \
            admin.googleapis.com format: rest version: other than directory_v1",
        )
        .with_rpc_status("NOT_FOUND", Vec::new())
        .into_response(),
    }
}

fn answer(headers: &HeaderMap) -> Response {
    let text = format!("{:#}\n", document(&base_url(headers)));
    ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], text).into_response()
}

/// The document with every address below `base` (scheme and host).
fn document(base: &str) -> Value {
    json!({
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "admin:directory_v1",
        "name": "admin",
        "canonicalName": "directory",
        "version": VERSION,
        "revision": "20261104",
        "title": "Admin SDK API",
        "description": "The part of the Admin SDK Directory API that this simulator serves.",
        "ownerDomain": "google.com",
        "ownerName": "Google",
        "documentationLink": "https://developers.google.com/workspace/admin/",
        "protocol": "rest",
        "rootUrl": format!("{base}/"),
        "mtlsRootUrl": format!("{base}/"),
        "baseUrl": format!("{base}/"),
        "basePath": "",
        "servicePath": "",
        "batchPath": "batch",
        "fullyEncodeReservedExpansion": true,
        "parameters": common_parameters(),
        "auth": { "oauth2": { "scopes": scopes() } },
        "schemas": schemas::all(),
        "resources": resources(),
    })
}

/// Query parameters of every method.
fn common_parameters() -> Value {
    let query = |kind: &str, description: &str| json!({"type": kind, "location": "query", "description": description});
    json!({
        "access_token": query("string", "OAuth access token."),
        "alt": {
            "type": "string", "location": "query", "default": "json", "enum": ["json", "media", "proto"],
            "enumDescriptions": ["JSON.", "Media download.", "Protocol buffers."],
            "description": "Format of the answer.",
        },
        "fields": query("string", "Which fields the answer has."),
        "key": query("string", "API key of the project."),
        "oauth_token": query("string", "OAuth access token of the present user."),
        "prettyPrint": {
            "type": "boolean", "location": "query", "default": "true",
            "description": "Answer with line breaks and indentation.",
        },
        "quotaUser": query("string", "Any text of at most 40 letters that stands for a user."),
    })
}

/// Every scope that some method accepts.
fn scopes() -> Map<String, Value> {
    ApiMethod::ALL
        .iter()
        .flat_map(|method| method.scopes())
        .map(|scope| {
            (
                (*scope).to_owned(),
                json!({ "description": format!("Use {scope}") }),
            )
        })
        .collect()
}

/// The tree of resources: `admin.customer.devices.chromeos.issueCommand` is the method `issueCommand` of the
/// resource `chromeos` in `devices` in `customer`.
fn resources() -> Value {
    let mut root = json!({});
    for method in ApiMethod::ALL {
        let mut names: Vec<&str> = method.id().split('.').skip(1).collect();
        let Some(verb) = names.pop() else { continue };
        let mut level = &mut root;
        for name in names {
            level = &mut level["resources"][name];
        }
        level["methods"][verb] = methods::describe(method);
    }
    root["resources"].take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_stands_where_its_name_says() {
        let document = document("http://127.0.0.1:1");
        let resources = &document["resources"];
        assert_eq!(
            resources["chromeosdevices"]["methods"]["list"]["id"],
            "directory.chromeosdevices.list"
        );
        let chromeos = &resources["customer"]["resources"]["devices"]["resources"]["chromeos"];
        assert_eq!(chromeos["methods"]["issueCommand"]["httpMethod"], "POST");
        assert_eq!(
            chromeos["resources"]["commands"]["methods"]["get"]["httpMethod"],
            "GET"
        );
        let text = resources.to_string();
        for method in ApiMethod::ALL {
            assert!(
                text.contains(&format!("\"id\":\"{}\"", method.id())),
                "{}",
                method.id()
            );
        }
        assert_eq!(document["rootUrl"], "http://127.0.0.1:1/");
    }

    #[test]
    fn every_reference_has_its_schema() {
        let document = document("http://127.0.0.1:1");
        let text = document.to_string();
        for reference in text
            .split("\"$ref\":\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert_eq!(document["schemas"][reference]["id"], reference, "{reference}");
        }
    }
}
